"""How much more of an owed wording may differ where that can only be a mishearing of it."""

from __future__ import annotations

from counter_listener.matching.alignment import UNALIGNED, Alignment
from counter_listener.matching.confusion import parameters
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables


def extended_allowance(pattern: Pattern, garbled: int, spare: float, *, alone: bool) -> float:
    """The most that may differ of a wording that was misheard, in syllables, if it is one that is `forgiven`.

    `spare` are the bits of evidence that are left over, `alone` is whether the wording is all of its clause.
    """
    line = parameters().lines[pattern.role]
    at = min(garbled, len(pattern.allowed) - 1)
    allowed = pattern.allowed[at]
    if alone:
        allowed = max(line.alone_least, allowed + line.alone * pattern.weight)
    allowed += min(line.spare_most * pattern.weight, line.spare * max(0.0, spare - line.spare_from))
    return min(allowed, pattern.relieved[at])


def looks_misheard(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether what differs looks like a recogniser's fault, and not like other words.

    A recogniser's faults come one by one: of two syllables gone side by side another word was made. What a rule asks
    for must be heard, and what is heard must not be a wording in its own right. A pause is no part of any word.
    """
    told = parameters()
    return (
        spoken.clauses[aligned.first] == spoken.clauses[aligned.last - 1]
        and max(aligned.costs) < told.lost + told.courtesy
        and not has_adjacent_deletions(pattern, aligned)
        and not _other_wording(pattern, aligned, spoken)
    )


def count_insertions(aligned: Alignment, spoken: Syllables) -> int:
    """How many syllables, fillers left out, stand in its midst that the wording does not have."""
    return sum(not spoken.light[unit] for unit in aligned.between)


def has_adjacent_deletions(pattern: Pattern, aligned: Alignment) -> bool:
    """Whether two neighbours are gone that are not both cheap to lose."""
    dear = [cost >= 1.0 for cost in aligned.costs]
    gone = [
        unit is not None and (costly or at == UNALIGNED)
        for unit, costly, at in zip(pattern.units, dear, aligned.partners, strict=True)
    ]
    return any(all(gone[at : at + 2]) and any(dear[at : at + 2]) for at in range(len(gone) - 1))


def _other_wording(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether what is heard of it is, to the letter, a wording in its own right."""
    heard = [at for at, unit in enumerate(aligned.partners) if unit != UNALIGNED]
    return (heard[0], heard[-1] + 1) in pattern.holds and all(
        spoken.units[aligned.partners[at]] == pattern.units[at] for at in heard
    )
