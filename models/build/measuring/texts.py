"""Recognised words against the truth: character and syllable errors by kind of sentence, and word times. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from counter_listener.domain.types import Word
from counter_listener.phrases.pinyin import pronounce, split_units
from models.build.measuring.sets import Truth


@dataclass(frozen=True, slots=True)
class Errors:
    """Units said, and how many were lost, put in or mistaken."""

    said: int
    wrong: int

    @property
    def rate(self) -> float:
        """Error rate, 0-1 and above; 0 where nothing was said."""
        return self.wrong / self.said if self.said else 0.0


def errors_by_kind(lines: Sequence[Truth], words: Iterable[Word], *, by_sound: bool) -> dict[str, Errors]:
    """Errors by kind of sentence in one recording, in characters or in toneless syllables.

    All of a recording is aligned at once, so that an utterance over two lines is fair to both; what was put in
    between counts for the line before it.
    """
    told, owners = _units_of(lines, by_sound=by_sound)
    heard = [unit for word in words for unit in _units(word.text, by_sound=by_sound)]
    wrong: Counter[str] = Counter()
    for step in Levenshtein.editops(told, heard):
        wrong[
            owners[min(step.src_pos, len(owners) - 1)] if step.tag != "insert" else owners[max(step.src_pos - 1, 0)]
        ] += 1
    return {kind: Errors(said, wrong[kind]) for kind, said in Counter(owners).items()}


def added(parts: Iterable[dict[str, Errors]]) -> dict[str, Errors]:
    """The errors of many recordings together."""
    whole: dict[str, Errors] = {}
    for part in parts:
        for kind, one in part.items():
            before = whole.get(kind, Errors(0, 0))
            whole[kind] = Errors(before.said + one.said, before.wrong + one.wrong)
    return whole


def _units_of(lines: Iterable[Truth], *, by_sound: bool) -> tuple[list[str], list[str]]:
    units: list[str] = []
    owners: list[str] = []
    for line in lines:
        spelt = _units(line.text, by_sound=by_sound)
        units += spelt
        owners += [line.kind] * len(spelt)
    return units, owners


def _units(text: str, *, by_sound: bool) -> tuple[str, ...]:
    return pronounce(split_units(text)) if by_sound else split_units(text)


def time_errors(lines: Sequence[Truth], words: Sequence[Word]) -> list[tuple[float, float]]:
    """How far the start and the end of each word are from the truth, in seconds, where all its syllables were right."""
    told, _ = _units_of(lines, by_sound=True)
    times = [span for line in lines for span in line.characters]
    heard = [(unit, word, at) for word in words for at, unit in enumerate(_units(word.text, by_sound=True))]
    same = {
        block.b + step: block.a + step
        for block in Levenshtein.editops(told, [unit for unit, _, _ in heard]).as_matching_blocks()
        for step in range(block.size)
    }
    errors, place = [], 0
    for word in words:
        size = len(_units(word.text, by_sound=True))
        said = [same.get(place + step) for step in range(size)]
        place += size
        if said and None not in said and said == list(range(said[0] or 0, (said[0] or 0) + size)):
            first, last = said[0] or 0, said[-1] or 0
            errors.append((word.start - times[first][0], word.end - times[last][1]))
    return errors


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share (0-1) of them lies; 0 for none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
