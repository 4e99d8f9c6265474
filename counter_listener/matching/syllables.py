"""An utterance as the matcher reads it, a sequence of syllables, and a template laid along it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from counter_listener.domain import Utterance, Word
from counter_listener.matching.automata import Entry
from counter_listener.matching.confusion import insertion_scores, word_class, word_endings
from counter_listener.phrases import join_units, pronounce, split_units

UNALIGNED: Final = -1
CLAUSE_MARKS: Final = frozenset("，。！？；：、,.!?;:")
MAX_UNITS: Final = 300
"""Longer utterances are matched in parts: twice what a person says in a minute, and a bound on the work."""


@dataclass(frozen=True)
class Syllables:
    """The units of one utterance, in tuples of the same length."""

    units: tuple[str, ...]
    """As written: one Chinese character, or one word in letters."""
    sounds: tuple[str, ...]
    """Toneless pinyin syllables."""
    starts: tuple[float, ...]
    """Seconds into the stream."""
    ends: tuple[float, ...]
    """Seconds into the stream."""
    first_in_word: tuple[bool, ...]
    clauses: tuple[int, ...]
    """Number of the clause, from 0."""
    confidence: tuple[float, ...]
    """The recogniser's, 0-1."""
    insertion_scores: tuple[float, ...]
    """Bits, below 0: of each unit as an insertion."""
    is_filler: tuple[bool, ...]
    """Whether it is a hesitation, a particle or a courtesy that speakers insert anywhere."""
    certain: bool = True
    """Whether all confidences are 1."""
    own_start: int = 0
    """Index of the first unit of the utterance itself; those before it ended the previous utterance."""

    def __len__(self) -> int:
        return len(self.units)

    @cached_property
    def joined(self) -> tuple[bool, ...]:
        """Whether each unit and the next one form a common word, without a pause between them."""
        endings, clauses = word_endings(), self.clauses
        pairs = enumerate(pairwise(self.units))
        return (*(clauses[at] == clauses[at + 1] and b in endings.get(a, "") for at, (a, b) in pairs), False)

    @cached_property
    def plain(self) -> tuple[bool, ...]:
        """Whether each unit stands in a common word."""
        singles, joined = word_class("singles"), self.joined
        before = (False, *joined[:-1])
        return tuple(unit in singles or a or b for unit, a, b in zip(self.units, joined, before, strict=True))

    @cached_property
    def odd_share(self) -> float:
        """The share of the utterance that stands in no common word: the more, the worse it was recognised."""
        own = self.plain[self.own_start :]
        return own.count(False) / max(1, len(own))

    def text(self, first: int, last: int) -> str:
        """The units from first up to, not including, last: Chinese unspaced, words in letters spaced."""
        return join_units(self.units[first:last])


class Step(NamedTuple):
    """One syllable of the way through a template."""

    unit: str
    """The character or word in letters; empty in a slot."""
    sound: str
    partner: int
    """The unit of the utterance aligned with it, or UNALIGNED."""
    bits: float
    """Its share of the score."""
    full: float
    """What it would have if it were heard to the letter; 0 in a slot."""


class Alignment(NamedTuple):
    """A way through a template, laid along an utterance: units from first up to, not including, last."""

    entry: Entry
    syllables: Syllables
    first: int
    last: int
    bits: float
    """The score."""
    full: float
    """The score if it were heard to the letter."""
    choices: float
    """Bits: how many sentences the template spells, as far as this way chose among them."""
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """What was looked for, as the template has it; an ellipsis for a slot."""
        units = [step.unit or "…" for step in self.steps]
        return join_units(unit for at, unit in enumerate(units) if unit != "…" or units[at - 1 : at] != ["…"])

    @property
    def heard(self) -> str:
        """The words of the template that were heard, by their sound; an ellipsis stands for all other words.

        What fills a slot, what was bridged and what sounds otherwise may be a name or a number, and so may a character
        that only sounds the same: it is written as the template has it.
        """
        units, sounds = self.syllables.units, self.syllables.sounds
        named = {
            at: unit
            for unit, sound, at, *_ in self.steps
            if unit and at != UNALIGNED and (unit == units[at] or sound == sounds[at])
        }
        runs = groupby(range(self.first, self.last), named.__contains__)
        return "".join(join_units(named[unit] for unit in run) if is_named else "…" for is_named, run in runs)

    @property
    def spelled(self) -> bool:
        """Whether it is the template to the letter."""
        units = self.syllables.units
        heard = [step.partner for step in self.steps if self.first <= step.partner < self.last]
        return heard == list(range(self.first, self.last)) and all(
            not step.unit or (step.partner != UNALIGNED and units[step.partner] == step.unit) for step in self.steps
        )

    @property
    def same(self) -> int:
        """How many characters are those of the template."""
        units = self.syllables.units
        return sum(step.partner != UNALIGNED and units[step.partner] == step.unit for step in self.steps)

    @property
    def inserted(self) -> list[int]:
        """The units inside it that are aligned with nothing."""
        taken = {step.partner for step in self.steps}
        return [unit for unit in range(self.first, self.last) if unit not in taken]


def to_syllables(utterance: Utterance, clause_pause: float, before: tuple[Word, ...] = ()) -> Syllables:
    """The units of an utterance, after the words that came right before it.

    A pause of `clause_pause` seconds, or punctuation, ends a clause.
    """
    rows: list[tuple[str, float, float, bool, int, float]] = []
    clause, previous, own_start = 0, None, 0
    for number, word in enumerate((*before, *utterance.words)):
        own_start = len(rows) if number == len(before) else own_start
        if previous is not None and word.start - previous.end >= clause_pause:
            clause += 1
        parts = split_units(word.text)
        step = (word.end - word.start) / max(1, len(parts))
        rows += [
            (unit, word.start + i * step, word.start + (i + 1) * step, i == 0, clause, word.confidence)
            for i, unit in enumerate(parts)
        ]
        clause += word.text[-1:] in CLAUSE_MARKS
        previous = word
    units, starts, ends, firsts, clauses, confidence = zip(*rows, strict=True) if rows else ((),) * 6
    sounds = pronounce(units)
    scores, is_filler = insertion_scores(units, sounds)
    certain = min(confidence, default=1.0) >= 1.0
    return Syllables(units, sounds, starts, ends, firsts, clauses, confidence, scores, is_filler, certain, own_start)


def split_long(utterance: Utterance) -> Iterator[Utterance]:
    """The utterance itself, or an overlong one in parts of at most `MAX_UNITS` units."""
    words = utterance.words
    sizes = [len(split_units(word.text)) for word in words]
    if len(words) <= 1 or sum(sizes) <= MAX_UNITS:
        yield utterance
        return
    cuts, size = [0], 0
    for at, units in enumerate(sizes):
        if size and size + units > MAX_UNITS:
            cuts.append(at)
            size = 0
        size += units
    for begin, end in zip(cuts, [*cuts[1:], len(words)], strict=True):
        part = words[begin:end]
        yield replace(utterance, words=part, start=part[0].start, end=part[-1].end)
