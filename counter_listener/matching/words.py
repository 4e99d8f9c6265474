"""The words of all templates in arrays: what the arcs of the automaton take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import log2
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from counter_listener.matching.confusion import confusion_model
from counter_listener.phrases import Units, pronounce

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

MAX_SPAN: Final = 6
"""Most syllables that one arc takes; a longer word or slot is a series of arcs."""
NEVER: Final = -1e6
"""The score of what is impossible: finite, so that sums stay numbers."""
MIN_WORD_SHARE: Final = 0.15
"""The least share of its full score with which a word may be a part of what is found."""
MIN_SHORTENED: Final = 3
"""Fewest syllables of a word of a list of which one may be lost: what is left of a shorter one is too little."""
NONE: Final = 0
"""Number of the word set that takes nothing."""


Spoken = tuple[Units, tuple[str, ...]]
"""A word with its sounds."""
WordSet = tuple[Spoken, ...] | tuple[int, int]
"""The words of a set, or the least and the most syllables of a slot."""


class Variant(NamedTuple):
    """A word of a word set, whole or without one syllable that was not heard."""

    word: Units
    sounds: tuple[str, ...]
    lost: tuple[str, ...] = ()
    """The syllable that was not heard, if any."""
    lost_at: int = 0
    """Its position in the whole word."""


class Rows(NamedTuple):
    """Rows of different lengths, one after the other."""

    values: NDArray[np.intp]
    offsets: NDArray[np.intp]
    """Where each row begins; the last number is the end."""

    @classmethod
    def group(cls, keys: NDArray[np.integer], count: int) -> "Rows":
        """For each key from 0 up to, not including, `count`: the places where it stands."""
        order = np.argsort(keys, kind="stable")
        return cls(order, np.searchsorted(keys[order], np.arange(count + 1)))

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The values of these rows, one row after the other."""
        begins, counts = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        ends = np.cumsum(counts)
        places: NDArray[np.intp] = np.arange(counts.sum()) + np.repeat(begins - ends + counts, counts)
        return self.values.take(places)


@dataclass(frozen=True, slots=True)
class WordTable:
    """The words of all word sets. A set is a choice of words that one arc takes."""

    variants: tuple[Variant, ...]
    units: NDArray[np.intp]
    """For each variant: the numbers of its units; -1 beyond its end. Shape (MAX_SPAN, variants)."""
    spans: Ints
    """For each variant: how many syllables it takes."""
    lost: Floats
    """For each variant: the margin of the syllable that was lost, 0 for none."""
    floors: Floats
    """For each variant: the margin below which it is not looked at."""
    members: Ints
    """The variants of all word sets, one set after the other, in each by span."""
    offsets: NDArray[np.intp]
    """For each word set: its first member; the last number is the end."""
    member_groups: Ints
    """For each member: the number of its group: the members of one set that have one span."""
    members_of: "Rows"
    """For each variant: the members that are this variant."""
    group_sets: Ints
    group_spans: Ints
    deletion: Floats
    """For each word set: the margin of hearing none of its words; 0 where it may be missing."""
    substitution: Floats
    """For each word set that is one syllable: the margin of hearing quite another one; NEVER for the others."""
    choices: Floats
    """For each word set: the bits of the choice of one of its words."""
    slots: Ints
    """For each word set: the least and the most syllables of a slot; 0 and 0 for words."""
    cheapest: tuple[tuple[tuple[str, str], ...], ...]
    """For each word set: the word whose loss costs least, as characters and sounds; empty where it may be missing."""
    unit_sounds: Ints
    """For each unit: the row of its sound in the confusion model."""
    unit_bits: Floats
    """For each unit: its bits where it is heard to the letter."""
    unit_characters: Ints
    """For each unit: the number of its character."""
    characters: Mapping[str, int]


@dataclass(slots=True)
class _Lists:
    """The columns of a WordTable while they grow. The first set, NONE, has no words."""

    min_share: float
    numbers: dict[Variant, int] = field(default_factory=dict)
    members: list[int] = field(default_factory=list)
    groups: list[tuple[int, int]] = field(default_factory=list)
    """Set and span of each group."""
    member_groups: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0, 0])
    cheapest: list[tuple[tuple[str, str], ...]] = field(default_factory=lambda: [()])
    slots: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    substitution: list[float] = field(default_factory=lambda: [NEVER])
    choices: list[float] = field(default_factory=lambda: [0.0])

    def add(self, words: WordSet) -> None:
        """Adds a word set."""
        if isinstance(words[0], int):
            self._close((), words, NEVER, 0.0)
            return
        spoken: tuple[Spoken, ...] = words
        found = sorted((one for word in spoken for one in _variants(*word)), key=lambda one: len(one.word))
        for span, variants in groupby(found, lambda one: len(one.word)):
            for variant in variants:
                self.members.append(self.numbers.setdefault(variant, len(self.numbers)))
                self.member_groups.append(len(self.groups))
            self.groups.append((len(self.cheapest), span))
        model = confusion_model()
        lost = max(spoken, key=lambda word: sum(map(model.deletion, word[0])))
        least = min(model.full_bits(sounds) for _, sounds in spoken)
        single = all(len(word) == 1 for word, _ in spoken)
        other = model.other - self.min_share * least if single else NEVER
        self._close(tuple(zip(*lost, strict=True)), (0, 0), other, log2(len(spoken)))

    def _close(
        self, cheapest: tuple[tuple[str, str], ...], slot: tuple[int, int], substitution: float, choices: float
    ) -> None:
        self.offsets.append(len(self.members))
        self.cheapest.append(cheapest)
        self.slots.append(slot)
        self.substitution.append(substitution)
        self.choices.append(choices)

    def margin(self, unit: str, sound: str) -> float:
        """The margin of a syllable that was not heard."""
        model = confusion_model()
        return model.deletion(unit) - self.min_share * model.full_bits((sound,))


def compile_words(sets: Sequence[WordSet], min_share: float) -> WordTable:
    """The words of all sets but NONE in arrays; margins are bits above `min_share` of the full score."""
    lists = _Lists(min_share)
    for words in sets:
        lists.add(words)
    units: dict[tuple[str, str], int] = {}
    table = np.full((MAX_SPAN, len(lists.numbers)), -1, np.intp)
    for variant, row in lists.numbers.items():
        for at, unit in enumerate(zip(variant.word, variant.sounds, strict=True)):
            table[at, row] = units.setdefault(unit, len(units))
    model = confusion_model()
    full = [model.full_bits((*one.sounds, *map(_sound, one.lost))) for one in lists.numbers]
    lost = [sum(lists.margin(unit, _sound(unit)) for unit in one.lost) for one in lists.numbers]
    deletion = [
        NEVER if least else sum(lists.margin(*unit) for unit in word)
        for word, (least, _) in zip(lists.cheapest, lists.slots, strict=True)
    ]
    characters = {character: at for at, character in enumerate(sorted({character for character, _ in units}))}
    return WordTable(
        variants=tuple(lists.numbers),
        units=table,
        spans=(table >= 0).sum(axis=0).astype(np.int32),
        lost=np.array(lost, np.float32),
        floors=np.array(full, np.float32) * np.float32(MIN_WORD_SHARE - min_share),
        members=np.array(lists.members, np.int32),
        members_of=Rows.group(np.array(lists.members, np.int32), len(lists.numbers)),
        offsets=np.array(lists.offsets, np.intp),
        member_groups=np.array(lists.member_groups, np.int32),
        group_sets=np.array([words for words, _ in lists.groups], np.int32),
        group_spans=np.array([span for _, span in lists.groups], np.int32),
        deletion=np.array(deletion, np.float32),
        substitution=np.array(lists.substitution, np.float32),
        slots=np.array(lists.slots, np.int32),
        choices=np.array(lists.choices, np.float32),
        cheapest=tuple(lists.cheapest),
        unit_sounds=np.array([model.row(sound) for _, sound in units], np.int32),
        unit_bits=np.array([model.full_bits((sound,)) for _, sound in units], np.float32),
        unit_characters=np.array([characters[character] for character, _ in units], np.int32),
        characters=characters,
    )


def _sound(unit: str) -> str:
    return pronounce((unit,))[0]


def _variants(word: Units, sounds: tuple[str, ...]) -> Iterator[Variant]:
    """A word, and what is left of it without one syllable; nothing of the empty word, which may be missing."""
    if word:
        yield Variant(word, sounds)
    for at in range(len(word)) if len(word) >= MIN_SHORTENED else ():
        yield Variant(word[:at] + word[at + 1 :], sounds[:at] + sounds[at + 1 :], (word[at],), at)
