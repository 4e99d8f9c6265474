"""Tells recognition errors from other words, and how much of a wording may differ where an error is likely."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from counter_listener.matching.alignment import UNALIGNED, Alignment, matching_characters
from counter_listener.matching.confusion import parameters
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables

WORDS: Final = Path(__file__).with_name("words.txt")
"""Common words of two characters."""


def extended_allowance(pattern: Pattern, homophones: int, surplus: float, *, alone: bool) -> float:
    """Largest cost, in syllables, of a wording that `has_extension` and was probably misrecognised.

    `surplus` is the evidence above the required bits, `alone` whether the wording is a clause of its own.
    """
    threshold = parameters().thresholds[pattern.role]
    at = min(homophones, len(pattern.allowed) - 1)
    allowed = pattern.allowed[at]
    if alone:
        allowed = max(threshold.min_allowed_alone, allowed + threshold.alone_share * pattern.weight)
    most = threshold.max_surplus_share * pattern.weight
    allowed += min(most, threshold.surplus_rate * max(0.0, surplus - threshold.surplus_from))
    return min(allowed, pattern.extended_allowed[at])


def looks_misrecognised(aligned: Alignment) -> bool:
    """Whether what differs looks like recognition errors, and not like other words.

    Recognition errors come one at a time: two neighbouring syllables gone are another word. The courtesy that a rule
    needs must be heard, the rest must not be a wording itself, and no word has a pause inside.
    """
    figures, clauses = parameters(), aligned.syllables.clauses
    return (
        clauses[aligned.first] == clauses[aligned.last - 1]
        and max(aligned.costs) < figures.deletion + figures.courtesy_cost
        and not has_adjacent_deletions(aligned)
        and not _is_contained_wording(aligned)
    )


def count_insertions(aligned: Alignment) -> int:
    """The number of syllables inside an alignment that the wording does not have, without fillers."""
    return sum(not aligned.syllables.is_filler[unit] for unit in aligned.inserted)


def has_adjacent_deletions(aligned: Alignment) -> bool:
    """Whether two neighbouring syllables are missing that are not both cheap to lose."""
    costly = [cost >= 1.0 for cost in aligned.costs]
    gone = [
        unit is not None and (dear or at == UNALIGNED)
        for unit, dear, at in zip(aligned.pattern.units, costly, aligned.partners, strict=True)
    ]
    return any(all(gone[at : at + 2]) and any(costly[at : at + 2]) for at in range(len(gone) - 1))


def _is_contained_wording(aligned: Alignment) -> bool:
    """Whether the part that was heard is, character by character, a wording itself."""
    heard = [at for at, unit in enumerate(aligned.partners) if unit != UNALIGNED]
    identical = matching_characters(aligned.pattern.units, aligned.partners, aligned.syllables)
    return (heard[0], heard[-1] + 1) in aligned.pattern.contained and identical == len(heard)


def competing_word_penalty(
    aligned: Alignment, first: int, last: int, foreign: Collection[int], open_sides: int
) -> float:
    """Bits that speak against a wording from first up to, not including, last; `foreign` units are not its own.

    A recogniser writes the words that fit the sounds best. Where it writes 建 followed by 行, it heard all of 建行, so
    您在建行 is not 您再见. A foreign character counts more where it forms a common word with its neighbour, and for an
    offence more on each of the `open_sides`, on which its clause goes on.
    """
    if not foreign:
        return 0.0
    figures, syllables = parameters(), aligned.syllables
    words = sum(joins_word(at - 1, syllables) or joins_word(at, syllables) for at in foreign)
    words += first not in foreign and joins_word(first - 1, syllables)
    words += last - 1 not in foreign and joins_word(last - 1, syllables)
    penalty = figures.thresholds[aligned.pattern.role].open_side_bits
    return figures.competing_word_bits * words + penalty * open_sides


def joins_word(at: int, syllables: Syllables) -> bool:
    """Whether a unit and the next one form a common word, without a pause between them."""
    units, clauses = syllables.units, syllables.clauses
    return (
        0 <= at < len(units) - 1
        and clauses[at] == clauses[at + 1]
        and units[at + 1] in word_endings().get(units[at], "")
    )


@cache
def word_endings() -> Mapping[str, str]:
    """For each first character of a common word: all second characters."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
