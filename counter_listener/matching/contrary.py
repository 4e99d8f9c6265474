"""Whether what sounds like a wording says the contrary of it, or says it of somebody else.

现在能办 is no 现在不能办, however long the wording and however little differs; 字是我自己签的 is no 字是你自己签的.
"""

from __future__ import annotations

from collections.abc import Iterable

from counter_listener.matching.alignment import UNALIGNED, Alignment
from counter_listener.matching.confusion import parameters
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables


def is_contrary(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether a 不, 没 or 别 of it is gone or one was put in, or another person stands where it has 我, 你 or 他."""
    return (
        any(not _negated(at, aligned, spoken) for at in pattern.negations)
        or _put_in(aligned, spoken)
        or _instead(pattern, aligned, spoken)
        or any(_another(at, pattern, aligned, spoken) for at in pattern.persons)
    )


def _negated(at: int, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether the negation was heard, or a syllable in its place that nobody says there: 波知道 was 不知道."""
    told, unit = parameters(), aligned.partners[at]
    if unit == UNALIGNED:
        return False
    heard = spoken.units[unit]
    return aligned.costs[at] < 1.0 or heard in told.negations or heard not in told.stands_there


def _put_in(aligned: Alignment, spoken: Syllables) -> bool:
    """Whether a negation that it does not have stands in its midst, or before it where its beginning is gone."""
    before = _at(aligned.first - 1, aligned, spoken) if aligned.partners[0] == UNALIGNED else ()
    return any(spoken.units[unit] in parameters().negations for unit in (*before, *aligned.between))


def _instead(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether a negation stands where it has a syllable that sounds nothing like it: 我没听清 is no 我都听清."""
    return any(
        spoken.units[unit] in parameters().negations
        for at, (unit, cost) in enumerate(zip(aligned.partners, aligned.costs, strict=True))
        if unit != UNALIGNED and cost >= 1.0 and at not in pattern.negations
    )


def _at(unit: int, aligned: Alignment, spoken: Syllables) -> Iterable[int]:
    """A unit beside it, if it is in its clause."""
    inside = aligned.first if unit < aligned.first else aligned.last - 1
    return (unit,) if 0 <= unit < len(spoken) and spoken.clauses[unit] == spoken.clauses[inside] else ()


def _another(at: int, pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether somebody else is named where a 我, 你 or 他 of it should stand."""
    persons = parameters().persons
    wanted = persons[str(pattern.units[at])]
    return any(persons.get(spoken.units[unit], wanted) != wanted for unit in _in_place_of(at, aligned, spoken))


def _in_place_of(at: int, aligned: Alignment, spoken: Syllables) -> Iterable[int]:
    """The units that may stand for one of the wording's: its partner, or what is where it should be.

    That is between its neighbours' partners, right before the whole where it begins with it, or after where it ends
    with it and the clause does.
    """
    partners = aligned.partners
    if partners[at] != UNALIGNED:
        return (partners[at],)
    before = next((unit for unit in reversed(partners[:at]) if unit != UNALIGNED), None)
    after = next((unit for unit in partners[at + 1 :] if unit != UNALIGNED), None)
    if before is None:
        return _at(aligned.first - 1, aligned, spoken)
    if after is not None:
        return range(before + 1, after)
    gone = len(partners) - at
    return () if _at(aligned.last + gone, aligned, spoken) else _at(aligned.last, aligned, spoken)
