"""Owed and forbidden wordings compete for what was said: of those that overlap, the better explanations stay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from counter_listener.domain import Role
from counter_listener.matching.scoring import Candidate
from counter_listener.matching.syllables import Syllables

COMPETING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden"})


def select_best(found: Iterable[Candidate], spoken: Syllables) -> list[Candidate]:
    """The explanations that together are worth most, none overlapping, in order of time.

    Weighted interval scheduling: each place takes its value with it, and the best of what ends before it begins.
    """
    ranked = sorted(found, key=lambda place: (place.last, place.first, place.pattern.wording))
    if not ranked:
        return []
    lasts = [place.last for place in ranked]
    best: list[tuple[float, Candidate | None, int]] = [(0.0, None, 0)]
    for number, place in enumerate(ranked):
        before = bisect_right(lasts, place.first, 0, number)
        with_it = best[before][0] + max(1.0, place.value) - place.off_tone(spoken)
        best.append((with_it, place, before) if with_it > best[-1][0] else (best[-1][0], None, number))
    kept, number = list[Candidate](), len(ranked)
    while number:
        _, taken, number = best[number]
        if taken is not None:
            kept.append(taken)
    return kept[::-1]


def free_spans(ground: tuple[int, int], taken: Iterable[Candidate]) -> list[tuple[int, int]]:
    """The stretches that better explanations leave: a wording that is worth less can only stand beside them."""
    found, begin = [], ground[0]
    for first, last in sorted((place.first, place.last) for place in taken):
        if first > begin:
            found.append((begin, first))
        begin = max(begin, last)
    return [*found, (begin, ground[1])] if begin < ground[1] else found


@dataclass(slots=True)
class CompetingCandidates:
    """The explanations of one stretch so far; who asks what they leave asks the likeliest wordings first."""

    stretch: tuple[int, int]
    found: list[tuple[float, Candidate]] = field(default_factory=list)
    """Each with what it stands against."""
    least: float = 0.0
    """What the weakest of them stands against."""
    better: int = 0
    """How many stood against what was asked for last."""
    free: list[tuple[int, int]] = field(default_factory=list)
    """What those leave that are sure of where they end."""
    room: int = 0
    """Units of the longest stretch that all of those leave."""
    left: int = 0
    """The same of all that were found."""

    @property
    def whole(self) -> list[tuple[int, int]]:
        """All of it."""
        return [self.stretch]

    def add(self, place: Candidate) -> None:
        """Takes in another explanation."""
        self.found.append((blocking_value(place), place))
        self.least = min(worth for worth, _ in self.found)
        self.left = _longest(free_spans(self.stretch, (one for _, one in self.found)))
        self.better = -1

    def leave(self, fewest: int, most: float) -> list[tuple[int, int]]:
        """Where a wording of so many units at least, worth so many bits at most, can still stand beside them."""
        if not self.found:
            return self.whole
        better = [place for worth, place in self.found if worth >= most]
        if len(better) != self.better:
            self.better = len(better)
            self.free = free_spans(self.stretch, filter(has_certain_ends, better))
            self.room = _longest(free_spans(self.stretch, better))
        if self.left < fewest and (most <= self.least or self.room < fewest):
            return []
        return self.free


def blocking_value(place: Candidate) -> float:
    """The most that another explanation may be worth which is to have no room beside this one.

    What is not sure of its ends may lose them to two others, each worth less and together more: a 请您慢走 with two
    syllables in its midst is 请拿好 and 您慢走.
    """
    return place.value if has_certain_ends(place) else place.value / 2


def has_certain_ends(place: Candidate) -> bool:
    """Whether all of it was heard, with nothing between."""
    return place.cost <= 0 or place.straight


def _longest(stretches: Iterable[tuple[int, int]]) -> int:
    return max((last - first for first, last in stretches), default=0)
