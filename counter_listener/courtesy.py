"""Whether the courtesy that makes an owed wording polite was heard in it: without its 请 a request is another sentence.

A recogniser that loses a syllable is rarer than a clerk who leaves 请 out, so where nothing stands for it the wording
was not said, however much of the rest was. A syllable that nobody says in its place (惩您出示) was misheard.
"""

from __future__ import annotations

from typing import Final

from counter_listener.alignment import NOT_HEARD, Aligned
from counter_listener.closeness import figures
from counter_listener.spoken import Spoken
from counter_listener.wordings import Pattern

WHOLE: Final = 0.2
"""Cost up to which a syllable was heard, whatever stands beside it: 清 for 请, and no more than that."""
AT_A_LOSS: Final = 2
"""Syllables of one wording written as others from which the recogniser may have lost its 请 too, at a dear cost."""


def polite(pattern: Pattern, aligned: Aligned, spoken: Spoken, garbled: int, *, begins: bool) -> bool:
    """Whether what makes it polite was heard: each 麻烦 or 对不起, and where there is none, its 请.

    `garbled` is how many of its syllables are written as others, `begins` whether a clause begins with it.
    """
    words = [span for span in pattern.courtesies if span[1] - span[0] > 1]
    if words:
        return all(_word(span, pattern, aligned, spoken) for span in words)
    return garbled >= AT_A_LOSS or all(
        _please(first, pattern, aligned, spoken, begins=begins) for first, _ in pattern.courtesies
    )


def _word(span: tuple[int, int], pattern: Pattern, aligned: Aligned, spoken: Spoken) -> bool:
    """Whether nothing of it is gone, or half of it stands there to the letter: the 歉 of 抱歉, not the 钱 of 换钱."""
    within = slice(*span)
    if max(aligned.costs[within]) < 1.0:
        return True
    heard = zip(aligned.partners[within], pattern.units[within], strict=True)
    return 2 * sum(at != NOT_HEARD and spoken.units[at] == unit for at, unit in heard) >= span[1] - span[0]


def _please(at: int, pattern: Pattern, aligned: Aligned, spoken: Spoken, *, begins: bool) -> bool:
    """Whether it was heard, or a syllable in its place that is no word which stands there of itself.

    What belongs to the words before (申请, 再见) or is the wording's next syllable does not stand in its place.
    """
    cost, unit = aligned.costs[at], aligned.partners[at]
    if unit == NOT_HEARD or (at == 0 and not begins and unit and spoken.units[unit - 1] in figures().takes_please):
        return False
    if cost < WHOLE:
        return True
    beside = [one for one in (at - 1, at + 1) if 0 <= one < len(pattern.units)]
    if any(pattern.units[one] is None or aligned.costs[one] >= 1.0 for one in beside):
        return False
    return cost < 1.0 or (spoken.units[unit] not in figures().stands_there and (at > 0 or begins))
