"""Owed and forbidden wordings compete for what was said: of those that overlap, the better explanations stay. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
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


def room_in(stretches: Iterable[tuple[int, int]]) -> int:
    """Units of the longest."""
    return max((last - first for first, last in stretches), default=0)
