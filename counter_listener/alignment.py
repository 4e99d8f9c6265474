"""One wording laid along what was said, syllable by syllable, at the least cost; it may begin and end anywhere.

Semi-global alignment (S. B. Needleman and C. D. Wunsch, Journal of Molecular Biology 48, 1970, with free ends on one
side), over a few dozen cells: the sieve has told where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from counter_listener.closeness import near
from counter_listener.spoken import Spoken
from counter_listener.wordings import Pattern

NOT_HEARD: Final = -1
OTHER_CHARACTER: Final = 0.002
"""Of two equal sounds the one written alike is the better partner."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """Where a wording lies: units from first up to, not including, last."""

    first: int
    last: int
    cost: float
    """Syllables that differ, each by its weight."""
    partners: tuple[int, ...]
    """For each syllable or slot place of the wording: the unit that stands for it, or NOT_HEARD."""
    costs: tuple[float, ...]
    """What each of them costs."""


def straight(pattern: Pattern, spoken: Spoken, last: int) -> Aligned | None:
    """The wording syllable under syllable, ending before `last`; None where any is quite another."""
    first = last - len(pattern.sounds)
    if first < 0:
        return None
    costs = []
    for wanted, heard in zip(pattern.sounds, spoken.sounds[first:last], strict=True):
        cost = 0.0 if wanted is None or wanted == heard else near(wanted).get(heard, 1.0)
        if cost >= 1.0:
            return None
        costs.append(cost)
    return Aligned(first, last, sum(costs), tuple(range(first, last)), tuple(costs))


def align(pattern: Pattern, spoken: Spoken, begin: int, end: int) -> Aligned | None:
    """The cheapest place of a wording among the units from `begin` up to, not including, `end`."""
    rows = _rows(pattern, spoken, begin, end)
    final = rows[-1]
    cost = min(final)
    if cost == inf:
        return None
    return _traced(pattern, spoken, begin, rows, final.index(cost))


def _rows(pattern: Pattern, spoken: Spoken, begin: int, end: int) -> list[list[float]]:
    """For each length of the wording's beginning: what it costs to end there, before each unit and after the last."""
    heard = spoken.sounds[begin:end]
    units = spoken.units[begin:end]
    added = spoken.added[begin:end]
    above = [0.0] * (len(heard) + 1)
    rows = [above]
    for wanted, unit, lost, other in zip(pattern.sounds, pattern.units, pattern.lost, pattern.other, strict=True):
        row = _row(above, wanted, unit, lost, other, heard, units, added)
        rows.append(row)
        above = row
    return rows


def _row(  # noqa: PLR0913 - the inner loop of the alignment, kept flat because it is the inner loop
    above: list[float],
    wanted: str | None,
    unit: str | None,
    lost: float,
    other: float,
    heard: Sequence[str],
    units: Sequence[str],
    added: Sequence[float],
) -> list[float]:
    if wanted is None:
        against = [0.0] * len(heard)
    else:
        close = near(wanted)
        against = [
            0.0 if written == unit else close.get(sound, other) + OTHER_CHARACTER
            for sound, written in zip(heard, units, strict=True)
        ]
    last = above[0] + lost
    row = [last]
    diagonal = above[0]
    for over, cost, more in zip(above[1:], against, added, strict=True):
        best = diagonal + cost
        skipped = over + lost
        if skipped < best:
            best = skipped
        longer = last + more
        if longer < best:
            best = longer
        row.append(best)
        last, diagonal = best, over
    return row


def _traced(pattern: Pattern, spoken: Spoken, begin: int, rows: list[list[float]], at: int) -> Aligned:
    partners = [NOT_HEARD] * len(pattern.sounds)
    costs = [0.0] * len(pattern.sounds)
    total, last, number = 0.0, begin + at, len(rows) - 1
    while number:
        here, above, lost = rows[number][at], rows[number - 1], pattern.lost[number - 1]
        if at and here >= rows[number][at - 1] + spoken.added[begin + at - 1] - 1e-9:
            at -= 1
            total += spoken.added[begin + at]
            continue
        number -= 1
        if here >= above[at] + lost - 1e-9:
            costs[number] = lost
        else:
            at -= 1
            wanted = pattern.sounds[number]
            partners[number] = begin + at
            costs[number] = 0.0 if wanted is None else near(wanted).get(spoken.sounds[begin + at], pattern.other[number])
            if pattern.units[number] == spoken.units[begin + at]:
                costs[number] = 0.0
        total += costs[number]
    return Aligned(begin + at, last, total, tuple(partners), tuple(costs))
