"""Recognised words compared with the true text: character and syllable errors, and errors of word times. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from counter_listener.domain import Word
from counter_listener.phrases import pronounce, split_units
from models.build.measuring.labelled_sets import TrueLine


@dataclass(frozen=True, slots=True)
class Errors:
    """The number of spoken units, and of deletions, insertions and substitutions."""

    said: int
    wrong: int

    @property
    def rate(self) -> float:
        """Error rate, from 0, and possibly above 1; 0 if nothing was said."""
        return self.wrong / self.said if self.said else 0.0


def errors_by_kind(lines: Sequence[TrueLine], words: Iterable[Word], *, by_sound: bool) -> dict[str, Errors]:
    """Errors by kind of sentence in one recording, in characters or in toneless syllables.

    The whole recording is aligned at once, because an utterance may contain two lines. An insertion between two lines
    counts for the first.
    """
    expected, kinds = _units_of(lines, by_sound=by_sound)
    recognised = [unit for word in words for unit in _units(word.text, by_sound=by_sound)]
    wrong: Counter[str] = Counter()
    for edit in Levenshtein.editops(expected, recognised):
        position = max(edit.src_pos - 1, 0) if edit.tag == "insert" else min(edit.src_pos, len(kinds) - 1)
        wrong[kinds[position]] += 1
    return {kind: Errors(said, wrong[kind]) for kind, said in Counter(kinds).items()}


def add_errors(parts: Iterable[dict[str, Errors]]) -> dict[str, Errors]:
    """The errors of several recordings, added up by kind of sentence."""
    sums: dict[str, Errors] = {}
    for part in parts:
        for kind, errors in part.items():
            before = sums.get(kind, Errors(0, 0))
            sums[kind] = Errors(before.said + errors.said, before.wrong + errors.wrong)
    return sums


def _units_of(lines: Iterable[TrueLine], *, by_sound: bool) -> tuple[list[str], list[str]]:
    """The units of all lines, and the kind of sentence of each unit."""
    units: list[str] = []
    kinds: list[str] = []
    for line in lines:
        line_units = _units(line.text, by_sound=by_sound)
        units += line_units
        kinds += [line.kind] * len(line_units)
    return units, kinds


def _units(text: str, *, by_sound: bool) -> tuple[str, ...]:
    return pronounce(split_units(text)) if by_sound else split_units(text)


def time_errors(lines: Sequence[TrueLine], words: Sequence[Word]) -> list[tuple[float, float]]:
    """The errors of start and end, in seconds, of each word whose syllables were all recognised correctly."""
    expected, _ = _units_of(lines, by_sound=True)
    times = [span for line in lines for span in line.characters]
    word_units = [_units(word.text, by_sound=True) for word in words]
    recognised = [unit for units in word_units for unit in units]
    matching = {
        block.b + offset: block.a + offset
        for block in Levenshtein.editops(expected, recognised).as_matching_blocks()
        for offset in range(block.size)
    }
    errors, start = [], 0
    for word, units in zip(words, word_units, strict=True):
        indices = [matching.get(start + offset) for offset in range(len(units))]
        start += len(units)
        first = indices[0] if indices else None
        if first is not None and indices == list(range(first, first + len(units))):
            last = first + len(units) - 1
            errors.append((word.start - times[first][0], word.end - times[last][1]))
    return errors


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0-1) of the values lies; 0 for an empty sequence."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
