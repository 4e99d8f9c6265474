"""How much more of an owed wording may differ where that can only be a mishearing of it."""

from __future__ import annotations

from itertools import pairwise

from counter_listener.alignment import NOT_HEARD, Aligned
from counter_listener.closeness import figures
from counter_listener.spoken import Spoken
from counter_listener.wordings import Pattern


def relief(pattern: Pattern, garbled: int, spare: float, *, alone: bool) -> float:
    """The most that may differ of a wording that was misheard, in syllables.

    `spare` are the bits of evidence that are left over, `alone` is whether the wording is all of its clause.
    """
    line = figures().lines[pattern.role]
    at = min(garbled, len(pattern.allowed) - 1)
    allowed = pattern.allowed[at]
    if alone:
        least = line.alone_least if pattern.size >= line.alone_from else 0.0
        allowed = max(least, allowed + line.alone * pattern.weight)
    allowed += min(line.spare_most * pattern.weight, line.spare * max(0.0, spare - line.spare_from))
    return min(allowed, pattern.relieved[at])


def misheard(pattern: Pattern, aligned: Aligned, spoken: Spoken) -> bool:
    """Whether what differs looks like a recogniser's fault, and not like other words.

    A recogniser's faults come one by one: two syllables gone side by side are another word. Those it makes leave a
    trace, another syllable in the place, but at the ends: one that is missing from the midst of what is else right
    to the letter was not said. What a rule asks for must be heard, no negation may have come in, and what is heard
    must not be a wording in its own right.
    """
    told = figures()
    first, last = _span(aligned)
    return (
        spoken.clauses[first] == spoken.clauses[last - 1]
        and max(aligned.costs) < told.lost + told.courtesy
        and not _gone_side_by_side(pattern, aligned)
        and not _left_out(pattern, aligned, spoken)
        and not _negated(pattern, aligned, spoken, first, last)
        and not _other_wording(pattern, aligned, spoken)
    )


def _span(aligned: Aligned) -> tuple[int, int]:
    return aligned.first, aligned.last


def _gone_side_by_side(pattern: Pattern, aligned: Aligned) -> bool:
    gone = [
        cost >= 1.0
        for cost, lost, at in zip(aligned.costs, pattern.lost, aligned.partners, strict=True)
        if not (at == NOT_HEARD and lost < 1.0)
    ]
    return any(one and other for one, other in pairwise(gone))


def _left_out(pattern: Pattern, aligned: Aligned, spoken: Spoken) -> bool:
    """Whether a syllable is missing from the midst of a wording that is right to the letter else."""
    heard = [at for at, unit in enumerate(aligned.partners) if unit != NOT_HEARD]
    inner = range(heard[0], heard[-1])
    if not any(aligned.partners[at] == NOT_HEARD and pattern.lost[at] >= 1.0 for at in inner):
        return False
    return not put_in(aligned, spoken) and all(
        pattern.units[at] is None or aligned.costs[at] < 1.0 and _as_written(pattern, aligned, spoken, at)
        for at in heard
    )


def _as_written(pattern: Pattern, aligned: Aligned, spoken: Spoken, at: int) -> bool:
    return spoken.units[aligned.partners[at]] == pattern.units[at]


def put_in(aligned: Aligned, spoken: Spoken) -> int:
    """How many syllables, fillers left out, stand in its midst that the wording does not have."""
    partners = set(aligned.partners)
    return sum(
        unit not in partners and not spoken.light[unit] for unit in range(aligned.first, aligned.last)
    )


def _negated(pattern: Pattern, aligned: Aligned, spoken: Spoken, first: int, last: int) -> bool:
    """Whether a negation that the wording does not have stands in its midst or right beside it."""
    negations = figures().negations
    written = dict(zip(aligned.partners, pattern.units, strict=True))
    return any(
        spoken.units[at] in negations and written.get(at) != spoken.units[at]
        for at in range(max(0, first - 1), min(len(spoken), last + 1))
    )


def _other_wording(pattern: Pattern, aligned: Aligned, spoken: Spoken) -> bool:
    """Whether what is heard of it is, to the letter, a wording in its own right."""
    heard = [at for at, unit in enumerate(aligned.partners) if unit != NOT_HEARD]
    return (heard[0], heard[-1] + 1) in pattern.holds and all(
        aligned.partners[at] != NOT_HEARD and _as_written(pattern, aligned, spoken, at)
        for at in range(heard[0], heard[-1] + 1)
    )
