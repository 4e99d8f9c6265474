"""One wording laid along what was said, syllable by syllable, at the least cost; it may begin and end anywhere.

Semi-global alignment (S. B. Needleman and C. D. Wunsch, Journal of Molecular Biology 48, 1970, with free ends on one
side), over a few dozen cells: the index has told what to look for.
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


def straight(pattern: Pattern, spoken: Spoken, first: int) -> Aligned:
    """The wording syllable under syllable from `first` on, where each is the same or near."""
    last = first + len(pattern.sounds)
    costs = tuple(
        0.0 if wanted is None or wanted == heard else near(wanted)[heard]
        for wanted, heard in zip(pattern.sounds, spoken.sounds[first:last], strict=True)
    )
    return Aligned(first, last, sum(costs), tuple(range(first, last)), costs)


Against = dict[tuple[str, str | None], tuple[float, ...]]
"""What each unit of an utterance costs as the partner of a syllable (sound, character), as far as asked for."""


def align(pattern: Pattern, spoken: Spoken, begin: int, end: int, against: Against) -> Aligned | None:
    """The cheapest place of a wording among the units from `begin` up to, not including, `end`.

    `against` is a memory to be given again for the same utterance: wordings share most of their syllables.
    """
    rows = _rows(pattern, spoken, begin, end, against)
    final = rows[-1]
    cost = min(final)
    if cost == inf:
        return None
    return _traced(pattern, spoken, begin, rows, final.index(cost))


def _rows(pattern: Pattern, spoken: Spoken, begin: int, end: int, against: Against) -> list[list[float]]:
    """For each length of the wording's beginning: what it costs to end there, before each unit and after the last."""
    added = spoken.added[begin:end]
    above = [0.0] * (end - begin + 1)
    rows = [above]
    for wanted, unit, lost, other in zip(pattern.sounds, pattern.units, pattern.lost, pattern.other, strict=True):
        known = against.get((wanted or "", unit))
        if known is None:
            known = against[wanted or "", unit] = _costs(wanted, unit, spoken)
        above = _row(above, known[begin:end], added, lost, other)
        rows.append(above)
    return rows


def _costs(wanted: str | None, unit: str | None, spoken: Spoken) -> tuple[float, ...]:
    if wanted is None:
        return (0.0,) * len(spoken)
    close = near(wanted)
    return tuple(
        0.0 if written == unit else close.get(sound, inf) + OTHER_CHARACTER
        for sound, written in zip(spoken.sounds, spoken.units, strict=True)
    )


def _row(
    above: list[float], against: Sequence[float], added: Sequence[float], lost: float, other: float
) -> list[float]:
    diagonal = above[0]
    last = diagonal + lost
    row = [last]
    for over, cost, more in zip(above[1:], against, added, strict=True):
        # A call of min costs more than all the rest here.
        best = diagonal + (cost if cost < other else other)  # noqa: FURB136
        over_lost = over + lost
        if over_lost < best:  # noqa: PLR1730
            best = over_lost
        last += more
        if best < last:  # noqa: PLR1730
            last = best
        row.append(last)
        diagonal = over
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
            costs[number] = (
                0.0 if wanted is None else near(wanted).get(spoken.sounds[begin + at], pattern.other[number])
            )
            if pattern.units[number] == spoken.units[begin + at]:
                costs[number] = 0.0
        total += costs[number]
    return Aligned(begin + at, last, total, tuple(partners), tuple(costs))
