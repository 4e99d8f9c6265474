"""An utterance as the matcher reads it: a sequence of syllables, each with its time and its clause."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from counter_listener.domain import Utterance, Word
from counter_listener.matching.confusion import insertion_costs, parameters
from counter_listener.phrases import pronounce, split_units

CLAUSE_MARKS: Final = frozenset("，。！？；：、,.!?;:")
MAX_UNITS: Final = 300
"""Longer utterances are matched in parts: twice what a person says in a minute, and a bound on the work."""


@dataclass(frozen=True, slots=True)
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
    insertion_costs: tuple[float, ...]
    is_filler: tuple[bool, ...]
    """Whether its insertion costs less than that of other syllables."""
    certain: bool = True
    """Whether all confidences are 1."""
    own_start: int = 0
    """Index of the first unit of the utterance itself; those before it ended the previous utterance."""

    def __len__(self) -> int:
        return len(self.units)

    def text(self, first: int, last: int) -> str:
        """The units from first up to, not including, last: Chinese unspaced, words in letters spaced."""
        text = ""
        for unit in self.units[first:last]:
            text += " " + unit if unit.isascii() and text else unit
        return text


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
    costs = insertion_costs(units, sounds)
    is_filler = tuple(cost < parameters().insertion for cost in costs)
    certain = min(confidence, default=1.0) >= 1.0
    return Syllables(units, sounds, starts, ends, firsts, clauses, confidence, costs, is_filler, certain, own_start)


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
