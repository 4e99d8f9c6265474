"""Which of many wordings may stand in an utterance: an index from sounds to the wordings that have them.

As a search engine finds documents: each two sounds that stand side by side in the utterance, or near ones, lead to the
wordings that have them side by side, and one count in C over those lists tells of all wordings at once how many such
pairs they share with it. A wording is looked at closely where enough pairs, and enough single sounds, are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from counter_listener.matching.confusion import parameters
from counter_listener.matching.patterns import Pattern

OFTEN: Final = 25
"""Wordings that share a pair from which it tells little."""
ENOUGH: Final = 3
"""Other pairs that are enough to know a wording by."""


@dataclass(frozen=True, slots=True)
class Index:
    """The wordings by their sounds."""

    pairs: Mapping[str, Mapping[str, tuple[int, ...]]]
    """For each sound and each that follows it: the numbers of the wordings, as often as they have the two."""
    singles: Mapping[str, tuple[int, ...]]
    """For each sound: the numbers of the wordings that have no pair at all."""
    sounds: tuple[int, ...]
    """Of each wording, a bit for each (see sound_bits)."""
    characters: tuple[int, ...]
    """The same of what it is written with (see character_bits)."""
    unlisted: tuple[int, ...]
    """For each wording: how many of its pairs do not lead to it."""
    needed: tuple[int, ...]
    """For each wording: how many pairs must be there."""
    missing: tuple[int, ...]
    """For each wording: how many of its sounds need not be there."""
    sound_bits: Mapping[str, int]
    character_bits: Mapping[str, int]
    known: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict, compare=False)
    """What was found before for two sounds heard side by side; speech repeats itself."""


def build_index(patterns: Sequence[Pattern]) -> Index:
    """An index of these wordings, known by their numbers.

    Pairs that many wordings have (请您) tell little: a wording with enough others is not listed under them.
    """
    every = [list(pairs_of(pattern)) for pattern in patterns]
    often = Counter(pair for found in every for pair in set(found))
    pairs: dict[str, dict[str, list[int]]] = {}
    singles: dict[str, list[int]] = {}
    unlisted: list[int] = []
    for number, (pattern, found) in enumerate(zip(patterns, every, strict=True)):
        telling = [pair for pair in found if often[pair] <= OFTEN]
        listed = telling if len(telling) >= ENOUGH else found
        for one, other in listed:
            pairs.setdefault(one, {}).setdefault(other, []).append(number)
        if not listed:
            for sound in filter(None, pattern.sounds):
                singles.setdefault(sound, []).append(number)
        unlisted.append(len(found) - len(listed))
    sound_bits = _numbered(sound for pattern in patterns for sound in pattern.sounds if sound)
    character_bits = _numbered(character for pattern in patterns for character in pattern.characters)
    return Index(
        {one: {other: tuple(listed) for other, listed in others.items()} for one, others in pairs.items()},
        {sound: tuple(listed) for sound, listed in singles.items()},
        tuple(bits_of(filter(None, pattern.sounds), sound_bits) for pattern in patterns),
        tuple(bits_of(pattern.characters, character_bits) for pattern in patterns),
        tuple(unlisted),
        *_enough(patterns, unlisted),
        sound_bits,
        character_bits,
    )


def rebuild_thresholds(index: Index, patterns: Sequence[Pattern]) -> Index:
    """The index of the same wordings where more or less of them may differ."""
    needed, missing = _enough(patterns, index.unlisted)
    return replace(index, needed=needed, missing=missing)


def _enough(patterns: Sequence[Pattern], unlisted: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each wording: how many pairs must be there, and how many of its sounds need not be."""
    spared = tuple(map(syllables_spared, patterns))
    every = zip(patterns, spared, unlisted, strict=True)
    return tuple(max(1, pairs_needed(pattern, most) - less) for pattern, most, less in every), spared


def _numbered(things: Iterable[str]) -> dict[str, int]:
    return {thing: 1 << number for number, thing in enumerate(sorted(set(things)))}


def bits_of(things: Iterable[str], bits: Mapping[str, int]) -> int:
    """The bits of these things together; what has none is left out."""
    found = 0
    for thing in things:
        found |= bits.get(thing, 0)
    return found


def pairs_of(pattern: Pattern) -> Iterator[tuple[str, str]]:
    """Sounds side by side in a wording, those too that are so once light syllables between them are lost."""
    cheap = parameters().lost
    for first, last in pattern.pieces:
        for at in range(first, last - 1):
            follow = at + 1
            yield str(pattern.sounds[at]), str(pattern.sounds[follow])
            while follow + 1 < last and pattern.lost[follow] < cheap:
                follow += 1
                yield str(pattern.sounds[at]), str(pattern.sounds[follow])


def syllables_spared(pattern: Pattern) -> int:
    """How many of its syllables need not be there, even nearly, for the rest not to cost too much."""
    spared, spent = 0, 0.0
    for cost in sorted(absent for _, _, absent, _ in pattern.cells):
        spent += cost
        if spent > pattern.most + 1e-6:
            break
        spared += 1
    return min(spared, pattern.size - 1)


def pairs_needed(pattern: Pattern, spared: int) -> int:
    """How many pairs are left at least where so many syllables are lost; each breaks two."""
    inside = sum(last - first - 1 for first, last in pattern.pieces)
    return max(1, inside - 2 * spared)
