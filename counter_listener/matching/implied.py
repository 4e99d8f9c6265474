"""Courtesy words inside owed wordings: where 请您输入密码 is heard, its 请 was said, however it was written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf

from counter_listener.matching.alignment import UNALIGNED
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.scoring import Candidate

ImpliedCourtesies = Mapping[tuple[str, str], tuple[tuple[Pattern, int], ...]]
"""For each owed wording, by owner and wording: the courtesies it holds, and at which of its syllables they begin."""


def implied_courtesies(patterns: Iterable[Pattern]) -> ImpliedCourtesies:
    """The courtesy words, and what rules need, that stand in owed wordings as their own words."""
    listed = list(patterns)
    longer = [pattern for pattern in listed if pattern.role == "not_in"]
    courtesies = [
        (pattern, [one for one in longer if pattern.owners <= one.owners])
        for pattern in listed
        if pattern.role in {"word", "need"}
    ]
    return {
        (pattern.owner, pattern.wording): tuple(_held(pattern, courtesies))
        for pattern in listed
        if pattern.role == "phrase"
    }


def _held(whole: Pattern, courtesies: list[tuple[Pattern, list[Pattern]]]) -> Iterator[tuple[Pattern, int]]:
    for courtesy, longer in courtesies:
        if not courtesy.characters <= whole.characters:
            continue
        taken = [
            (first, first + len(one.units))
            for one in longer
            if one.characters <= whole.characters
            for first in occurrences(one.units, whole.units)
        ]
        for at in occurrences(courtesy.units, whole.units):
            end = at + len(courtesy.units)
            if not any(first <= at and end <= last for first, last in taken):
                yield courtesy, at


def occurrences(part: tuple[str | None, ...], whole: tuple[str | None, ...]) -> Iterator[int]:
    """Where a part stands in the whole."""
    size = len(part)
    return (at for at in range(len(whole) - size + 1) if whole[at : at + size] == part)


def implied_candidates(place: Candidate, held: ImpliedCourtesies) -> Iterator[Candidate]:
    """The courtesies that a place of an owed wording holds.

    What a rule needs counts even where it was swallowed: the sentence as a whole was said. A courtesy word must be
    heard.
    """
    for courtesy, at in held.get((place.pattern.owner, place.pattern.wording), ()):
        partners = place.partners[at : at + len(courtesy.units)]
        costs = place.costs[at : at + len(courtesy.units)]
        heard = [unit for unit in partners if unit != UNALIGNED]
        if courtesy.role == "word" and (len(heard) < len(partners) or max(costs) >= 1.0):
            continue
        first, last = (heard[0], heard[-1] + 1) if heard else (place.first, place.first + 1)
        yield place._replace(
            pattern=courtesy,
            first=first,
            last=last,
            cost=sum(costs),
            allowed=inf,
            value=courtesy.ceiling,
            partners=partners,
            costs=costs,
        )
