"""Owed and forbidden wordings compete for what was said: of those that overlap, the better explanations stay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from counter_listener.findings import Role
from counter_listener.places import Place
from counter_listener.spoken import Spoken

COMPETING: Final[frozenset[Role]] = frozenset({"phrase", "forbidden"})


def compete(found: Iterable[Place], spoken: Spoken) -> list[Place]:
    """The explanations that together are worth most, none overlapping, in order of time.

    Weighted interval scheduling: each place takes its value with it, and the best of what ends before it begins.
    """
    ranked = sorted(found, key=lambda place: (place.last, place.first, place.pattern.wording))
    if not ranked:
        return []
    lasts = [place.last for place in ranked]
    best: list[tuple[float, Place | None, int]] = [(0.0, None, 0)]
    for number, place in enumerate(ranked):
        before = bisect_right(lasts, place.first, 0, number)
        with_it = best[before][0] + max(1.0, place.value) - place.off_tone(spoken)
        best.append((with_it, place, before) if with_it > best[-1][0] else (best[-1][0], None, number))
    kept, number = list[Place](), len(ranked)
    while number:
        _, taken, number = best[number]
        if taken is not None:
            kept.append(taken)
    return kept[::-1]


def left_free(ground: tuple[int, int], taken: Iterable[Place]) -> list[tuple[int, int]]:
    """The stretches that better explanations leave: a wording that is worth less can only stand beside them."""
    found, begin = [], ground[0]
    for first, last in sorted((place.first, place.last) for place in taken):
        if first > begin:
            found.append((begin, first))
        begin = max(begin, last)
    return [*found, (begin, ground[1])] if begin < ground[1] else found


@dataclass(slots=True)
class Rivals:
    """The explanations of one stretch so far; who asks what they leave asks the likeliest wordings first.

    Only those count that are sure of where they end. Of another the room may be taken by two that are worth less each
    and more together: 请拿好 and 您慢走, for a 请您慢走 with two syllables in its midst.
    """

    stretch: tuple[int, int]
    sure: list[Place] = field(default_factory=list)
    better: int = 0
    """How many of them were better at the last asking."""
    free: list[tuple[int, int]] = field(default_factory=list)
    """What those leave."""

    @property
    def whole(self) -> list[tuple[int, int]]:
        """All of it."""
        return [self.stretch]

    def add(self, place: Place) -> None:
        """Takes in another explanation."""
        if place.cost <= 0 or place.straight:
            self.sure.append(place)
            self.better = -1

    def leave(self, most: float) -> list[tuple[int, int]]:
        """Where a wording that is worth so many bits at most can still stand beside the better ones."""
        if not self.sure:
            return self.whole
        better = [one for one in self.sure if one.value >= most]
        if len(better) != self.better:
            self.better = len(better)
            self.free = left_free(self.stretch, better)
        return self.free
