"""An utterance as the matcher sees it: one syllable after the other, each with its time and its clause."""

from __future__ import annotations

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
    """The units of one utterance, side by side in tuples of one length."""

    units: tuple[str, ...]
    """As written: one Chinese character, or one word in letters."""
    sounds: tuple[str, ...]
    """Toneless syllables."""
    starts: tuple[float, ...]
    """Seconds into the stream."""
    ends: tuple[float, ...]
    """Seconds into the stream."""
    first_in_word: tuple[bool, ...]
    clauses: tuple[int, ...]
    """Number of the clause, from 0."""
    confidence: tuple[float, ...]
    """How sure the recogniser is, 0-1."""
    added: tuple[float, ...]
    """What each costs where a wording does not have it."""
    light: tuple[bool, ...]
    """Whether that is little."""
    certain: bool = True
    """Whether the recogniser was sure of everything, or does not say."""
    own: int = 0
    """Number of the first unit of the utterance itself; those before it ended the utterance before."""

    def __len__(self) -> int:
        return len(self.units)

    def text(self, first: int, last: int) -> str:
        """The units from first up to, not including, last: Chinese unspaced, words in letters spaced."""
        written_out = ""
        for unit in self.units[first:last]:
            written_out += " " + unit if unit.isascii() and written_out else unit
        return written_out


def to_syllables(utterance: Utterance, clause_pause: float, before: tuple[Word, ...] = ()) -> Syllables:
    """The units of an utterance, after the words that came right before it.

    A pause of `clause_pause` seconds, or punctuation, ends a clause.
    """
    units: list[tuple[str, float, float, bool, int, float]] = []
    clause, previous, own = 0, None, 0
    for number, word in enumerate((*before, *utterance.words)):
        own = len(units) if number == len(before) else own
        if previous is not None and word.start - previous.end >= clause_pause:
            clause += 1
        inside = split_units(word.text)
        step = (word.end - word.start) / max(1, len(inside))
        units += [
            (unit, word.start + i * step, word.start + (i + 1) * step, i == 0, clause, word.confidence)
            for i, unit in enumerate(inside)
        ]
        clause += word.text[-1:] in CLAUSE_MARKS
        previous = word
    written_out, starts, ends, firsts, clauses, confidence = zip(*units, strict=True) if units else ((),) * 6
    heard = pronounce(written_out)
    added = insertion_costs(written_out, heard)
    light = tuple(cost < parameters().added for cost in added)
    certain = min(confidence, default=1.0) >= 1.0
    return Syllables(written_out, heard, starts, ends, firsts, clauses, confidence, added, light, certain, own)


def split_long(utterance: Utterance) -> Iterator[Utterance]:
    """The utterance itself, or an overlong one in parts of at most `MAX_UNITS` units."""
    words = utterance.words
    if len(words) <= 1 or sum(len(split_units(word.text)) for word in words) <= MAX_UNITS:
        yield utterance
        return
    begin, held = 0, 0
    for index, word in enumerate(words):
        size = len(split_units(word.text))
        if held and held + size > MAX_UNITS:
            yield _cut(utterance, begin, index)
            begin, held = index, 0
        held += size
    yield _cut(utterance, begin, len(words))


def _cut(utterance: Utterance, begin: int, end: int) -> Utterance:
    words = utterance.words[begin:end]
    return replace(utterance, words=words, start=words[0].start, end=words[-1].end)
