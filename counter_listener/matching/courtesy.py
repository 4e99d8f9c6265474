"""Whether the courtesy that makes an owed wording polite was heard in it: without its 请 a request is another sentence.

A recogniser that loses a syllable is rarer than a clerk who leaves 请 out, so where nothing stands for it the wording
was not said, however much of the rest was; unless the rest was misheard, too. A syllable that nobody says in its place
(惩您出示) was misheard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from counter_listener.matching.alignment import UNALIGNED, Alignment, matching_characters
from counter_listener.matching.confusion import parameters
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables


def is_polite(pattern: Pattern, aligned: Alignment, spoken: Syllables, garbled: int, *, begins: bool) -> bool:
    """Whether what makes it polite was heard.

    `garbled` is how many of its syllables are written as others, `begins` whether a clause begins with it.
    """
    return all(
        _word((first, last), pattern, aligned, spoken)
        if last - first > 1
        else garbled >= parameters().at_a_loss or _please(first, pattern, aligned, spoken, begins=begins)
        for first, last in pattern.courtesies
    )


def _word(span: tuple[int, int], pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether most of it was heard, which of two syllables is both (部意思 for 不好意思), or half of it to the letter.

    That is the 歉 of 抱歉, and not the 钱 of 换钱.
    """
    first, last = span
    heard = sum(cost < 1.0 for cost in aligned.costs[first:last])
    return 2 * heard > last - first or 2 * matching_characters(pattern, aligned.partners, spoken, span) >= last - first


def _please(at: int, pattern: Pattern, aligned: Alignment, spoken: Syllables, *, begins: bool) -> bool:
    """Whether it was heard, or a syllable in its place that is no word which stands there of itself.

    What belongs to the words before (申请, 再见) or is the wording's next syllable does not stand in its place.
    """
    told, cost, unit = parameters(), aligned.costs[at], aligned.partners[at]
    if unit == UNALIGNED or (at == 0 and not begins and unit and spoken.units[unit - 1] in told.takes_please):
        return False
    if cost < told.whole:
        return not _borrowed(at, pattern, aligned, spoken)
    beside = [one for one in (at - 1, at + 1) if 0 <= one < len(pattern.units)]
    if any(pattern.units[one] is None or aligned.costs[one] >= 1.0 for one in beside):
        return False
    return cost < 1.0 or (spoken.units[unit] not in told.stands_there and (at > 0 or begins))


def _borrowed(at: int, pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether what sounds like it is another syllable of the wording: the 清 of 您清点 is not the 请 of 请您清点."""
    heard = spoken.units[aligned.partners[at]]
    places = zip(pattern.units, aligned.partners, strict=True)
    return heard != pattern.units[at] and any(unit == heard and partner == UNALIGNED for unit, partner in places)


def missing_courtesies(pattern: Pattern, costs: Sequence[float]) -> list[tuple[int, int]]:
    """The spans of its courtesies of which something was not heard, in a place that was refused."""
    return [(first, last) for first, last in pattern.courtesies if max(costs[first:last]) >= 1.0]


def with_optional_spans(pattern: Pattern, spans: Iterable[tuple[int, int]]) -> Pattern:
    """The same wording, of which these spans are as cheap not to hear at all as to hear otherwise."""
    lost = list(pattern.lost)
    for first, last in spans:
        lost[first:last] = pattern.other[first:last]
    return pattern._replace(lost=tuple(lost))
