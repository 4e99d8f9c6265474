"""Aligns one wording with an utterance, syllable by syllable, at the least cost; it may begin and end anywhere.

Semi-global alignment (S. B. Needleman and C. D. Wunsch, Journal of Molecular Biology 48, 1970, with free ends on one
side). There are only a few dozen cells, because the index has selected the wordings.
"""

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables

UNALIGNED: Final = -1
OTHER_CHARACTER_COST: Final = 0.002
"""Of two units with the same sound, the one that is the same character is the better partner."""

CostCache = dict[tuple[str, str | None, float], list[float]]
"""The substitution costs of all units of an utterance, for each (sound, character, mismatch cost) of a wording."""


class Alignment(NamedTuple):
    """A wording laid along an utterance: units from first up to, not including, last."""

    pattern: Pattern
    syllables: Syllables
    first: int
    last: int
    cost: float
    """Syllables that differ, each with its cost."""
    partners: tuple[int, ...]
    """For each position of the wording: the unit aligned with it, or UNALIGNED."""
    costs: tuple[float, ...]
    """The cost of each position."""

    @property
    def inserted(self) -> set[int]:
        """The units inside it that are aligned with nothing."""
        return set(range(self.first, self.last)).difference(self.partners)


def matching_characters(units: Sequence[str | None], partners: Sequence[int], syllables: Syllables) -> int:
    """How many of these units of a wording are aligned with the identical character."""
    return sum(at != UNALIGNED and syllables.units[at] == unit for at, unit in zip(partners, units, strict=True))


def align_contiguous(pattern: Pattern, syllables: Syllables, first: int) -> Alignment:
    """The wording syllable under syllable from `first` on, where each is the same or a similar one."""
    last = first + len(pattern.sounds)
    costs = tuple(
        0.0 if wanted is None or wanted == sound else similar_syllables(wanted)[sound]
        for wanted, sound in zip(pattern.sounds, syllables.sounds[first:last], strict=True)
    )
    return Alignment(pattern, syllables, first, last, sum(costs), tuple(range(first, last)), costs)


def align(  # noqa: PLR0913 - a wording, where, and three ways to save work
    pattern: Pattern,
    syllables: Syllables,
    begin: int,
    end: int,
    cache: CostCache,
    max_cost: float = inf,
    rest_costs: Sequence[float] = (),
) -> Alignment | None:
    """The cheapest alignment of a wording with the units from `begin` up to, not including, `end`.

    Give the same `cache` for all wordings of one utterance. The result is None where every alignment costs more than
    `max_cost`. `rest_costs` are lower bounds for each position and all after it; they end hopeless alignments earlier.
    """
    rest_costs = rest_costs or [0.0] * (len(pattern.sounds) + 1)
    insertion_costs = syllables.insertion_costs[begin:end]
    whole = begin == 0 and end == len(syllables)
    row = [0.0] * (end - begin + 1)
    rows = [row]  # for each prefix of the wording: the cost to end it before each unit, and after the last one
    for number, (wanted, unit, deletion, mismatch) in enumerate(
        zip(pattern.sounds, pattern.units, pattern.deletion_costs, pattern.mismatch_costs, strict=True), 1
    ):
        key = (wanted or "", unit, mismatch)
        costs = cache.get(key)
        if costs is None:
            costs = cache[key] = _unit_costs(wanted, unit, mismatch, syllables)
        row = _next_row(row, costs if whole else costs[begin:end], insertion_costs, deletion)
        if min(row) + rest_costs[number] > max_cost:  # no later row has a cheaper cell
            return None
        rows.append(row)
    cost = min(row)
    return None if cost == inf else _trace_back(pattern, syllables, begin, rows, row.index(cost))


def _unit_costs(wanted: str | None, unit: str | None, mismatch: float, syllables: Syllables) -> list[float]:
    """The substitution cost of each unit of the utterance for one position of a wording."""
    if wanted is None:
        return [0.0] * len(syllables)
    similar = similar_syllables(wanted)
    return [
        0.0 if heard == unit else min(similar[sound] + OTHER_CHARACTER_COST, mismatch) if sound in similar else mismatch
        for sound, heard in zip(syllables.sounds, syllables.units, strict=True)
    ]


def _next_row(
    above: list[float], costs: list[float], insertion_costs: tuple[float, ...], deletion: float
) -> list[float]:
    diagonal = above[0]
    left = diagonal + deletion
    row = [left]
    append = row.append
    for over, cost, insertion in zip(above[1:], costs, insertion_costs):  # noqa: B905 - strict is slower
        # A call of min costs more than all the rest here.
        best = diagonal + cost
        deleted = over + deletion
        if deleted < best:  # noqa: PLR1730
            best = deleted
        left += insertion
        if best < left:  # noqa: PLR1730
            left = best
        append(left)
        diagonal = over
    return row


def _trace_back(pattern: Pattern, syllables: Syllables, begin: int, rows: list[list[float]], at: int) -> Alignment:
    partners = [UNALIGNED] * len(pattern.sounds)
    costs = [0.0] * len(pattern.sounds)
    total, last, number = 0.0, begin + at, len(rows) - 1
    while number:
        here, above, deletion = rows[number][at], rows[number - 1], pattern.deletion_costs[number - 1]
        if at and here >= rows[number][at - 1] + syllables.insertion_costs[begin + at - 1] - 1e-9:
            at -= 1
            total += syllables.insertion_costs[begin + at]
            continue
        number -= 1
        if here >= above[at] + deletion - 1e-9:
            costs[number] = deletion
        else:
            at -= 1
            unit, wanted = begin + at, pattern.sounds[number]
            partners[number] = unit
            if wanted is not None and pattern.units[number] != syllables.units[unit]:
                similar = similar_syllables(wanted)
                costs[number] = similar.get(syllables.sounds[unit], pattern.mismatch_costs[number])
        total += costs[number]
    return Alignment(pattern, syllables, begin + at, last, total, tuple(partners), tuple(costs))
