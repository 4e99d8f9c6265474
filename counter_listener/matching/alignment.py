"""One wording laid along what was said, syllable by syllable, at the least cost; it may begin and end anywhere.

Semi-global alignment (S. B. Needleman and C. D. Wunsch, Journal of Molecular Biology 48, 1970, with free ends on one
side), over a few dozen cells: the index has told what to look for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from math import inf
from typing import Final, NamedTuple

from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables

UNALIGNED: Final = -1
OTHER_CHARACTER: Final = 0.002
"""Of two equal sounds the one written alike is the better partner."""


class Alignment(NamedTuple):
    """Where a wording lies: units from first up to, not including, last."""

    first: int
    last: int
    cost: float
    """Syllables that differ, each by its weight."""
    partners: tuple[int, ...]
    """For each syllable or slot place of the wording: the unit that stands for it, or NOT_HEARD."""
    costs: tuple[float, ...]
    """What each of them costs."""

    @property
    def between(self) -> set[int]:
        """The units in its midst that stand for nothing of the wording."""
        return set(range(self.first, self.last)).difference(self.partners)


def matching_characters(
    pattern: Pattern, partners: Sequence[int], spoken: Syllables, span: tuple[int, int] | None = None
) -> int:
    """How many characters of a wording, or of a span of it, are written as it has them."""
    within = slice(*span) if span else slice(None)
    return sum(
        at != UNALIGNED and spoken.units[at] == unit
        for at, unit in zip(partners[within], pattern.units[within], strict=True)
    )


def align_straight(pattern: Pattern, spoken: Syllables, first: int) -> Alignment:
    """The wording syllable under syllable from `first` on, where each is the same or near."""
    last = first + len(pattern.sounds)
    costs = tuple(
        0.0 if wanted is None or wanted == heard else similar_syllables(wanted)[heard]
        for wanted, heard in zip(pattern.sounds, spoken.sounds[first:last], strict=True)
    )
    return Alignment(first, last, sum(costs), tuple(range(first, last)), costs)


CostCache = dict[tuple[str, str | None, float], list[float]]
"""What each unit of an utterance costs as the partner of a syllable (sound, character, and what quite another costs),
as far as asked for."""


def align(  # noqa: PLR0913 - a wording, where, and three ways to save work
    pattern: Pattern,
    spoken: Syllables,
    begin: int,
    end: int,
    against: CostCache,
    most: float = inf,
    rest: Sequence[float] = (),
) -> Alignment | None:
    """The cheapest place of a wording among the units from `begin` up to, not including, `end`.

    `against` is a memory to be given again for the same utterance: wordings share most of their syllables. None comes
    back where every place costs more than `most`: no row of costs has a cheaper cell than the row above it has, so
    what has passed `most` on the way never comes back. `rest` tells what each syllable and all after it cost at least,
    so that it is given up the sooner.
    """
    rows = _rows(pattern, spoken, begin, end, against, most, rest or [0.0] * (len(pattern.sounds) + 1))
    if rows is None:
        return None
    final = rows[-1]
    cost = min(final)
    if cost == inf:
        return None
    return _traced(pattern, spoken, begin, rows, final.index(cost))


def _rows(  # noqa: PLR0913 - as align
    pattern: Pattern, spoken: Syllables, begin: int, end: int, against: CostCache, most: float, rest: Sequence[float]
) -> list[list[float]] | None:
    """For each length of the wording's beginning: what it costs to end there, before each unit and after the last."""
    added = spoken.added[begin:end]
    whole = begin == 0 and end == len(spoken)
    above = [0.0] * (end - begin + 1)
    rows = [above]
    for number, (wanted, unit, lost, other) in enumerate(
        zip(pattern.sounds, pattern.units, pattern.lost, pattern.other, strict=True), 1
    ):
        key = (wanted or "", unit, other)
        known = against.get(key)
        if known is None:
            known = against[key] = _costs(wanted, unit, other, spoken)
        above = _row(above, known if whole else known[begin:end], added, lost)
        if min(above) + rest[number] > most:
            return None
        rows.append(above)
    return rows


def _costs(wanted: str | None, unit: str | None, other: float, spoken: Syllables) -> list[float]:
    if wanted is None:
        return [0.0] * len(spoken)
    costs = list(map(substitution_costs(wanted, other).get, spoken.sounds, repeat(other)))
    if unit in spoken.units:
        for at, written in enumerate(spoken.units):
            if written == unit:
                costs[at] = 0.0
    return costs


@lru_cache(maxsize=2048)
def substitution_costs(wanted: str, other: float) -> Mapping[str, float]:
    """What each sound that is near to this one costs as its partner when it is written otherwise: no more than one that
    is quite another.
    """
    return {sound: min(cost + OTHER_CHARACTER, other) for sound, cost in similar_syllables(wanted).items()}


def _row(above: list[float], against: list[float], added: tuple[float, ...], lost: float) -> list[float]:
    diagonal = above[0]
    last = diagonal + lost
    row = [last]
    append = row.append
    for over, cost, more in zip(above[1:], against, added):  # noqa: B905 - asking costs, and they are of one length
        # A call of min costs more than all the rest here.
        best = diagonal + cost
        over_lost = over + lost
        if over_lost < best:  # noqa: PLR1730
            best = over_lost
        last += more
        if best < last:  # noqa: PLR1730
            last = best
        append(last)
        diagonal = over
    return row


def _traced(pattern: Pattern, spoken: Syllables, begin: int, rows: list[list[float]], at: int) -> Alignment:
    partners = [UNALIGNED] * len(pattern.sounds)
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
                0.0
                if wanted is None
                else similar_syllables(wanted).get(spoken.sounds[begin + at], pattern.other[number])
            )
            if pattern.units[number] == spoken.units[begin + at]:
                costs[number] = 0.0
        total += costs[number]
    return Alignment(begin + at, last, total, tuple(partners), tuple(costs))
