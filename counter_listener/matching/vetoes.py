"""Why a wording was not said, however close what was heard comes to it: that is another sentence."""

from __future__ import annotations

from typing import Literal

from counter_listener.matching.alignment import UNALIGNED, Alignment
from counter_listener.matching.confusion import parameters
from counter_listener.matching.contrary import is_contrary
from counter_listener.matching.courtesy import is_polite
from counter_listener.matching.mishearing import count_insertions, has_adjacent_deletions
from counter_listener.matching.patterns import CONTEXTS, Pattern
from counter_listener.matching.syllables import Syllables

Veto = Literal["broken_off", "impolite", "contrary", "torn"]


def find_veto(  # noqa: PLR0913 - what was heard of it, and where
    pattern: Pattern, aligned: Alignment, spoken: Syllables, garbled: int, *, begins: bool, ends: bool
) -> Veto | None:
    """Why it was not said, if so.

    `garbled` is how many of its syllables are written as others, `begins` and `ends` whether a clause does so with it.
    """
    if breaks_off(pattern, aligned):
        return "broken_off"
    if not is_polite(pattern, aligned, spoken, garbled, begins=begins):
        return "impolite"
    if pattern.role not in CONTEXTS and is_contrary(pattern, aligned, spoken):
        return "contrary"
    if is_fragmented(pattern, aligned, spoken, begins=begins, ends=ends):
        return "torn"
    return None


def breaks_off(pattern: Pattern, aligned: Alignment) -> bool:
    """Whether what was heard is, by its sound, the beginning of another phrase as well: 麻烦您 alone is no 麻烦您了.

    A last syllable may be lost, but one that is seldom stressed, or more of them, hardly happen to leave just that.
    """
    size = len(pattern.units)
    while size and aligned.partners[size - 1] == UNALIGNED:
        size -= 1
    if size not in pattern.begins or (len(pattern.units) - size == 1 and pattern.units[-1] not in parameters().light):
        return False
    return max(aligned.costs[:size]) < 1.0


def is_fragmented(pattern: Pattern, aligned: Alignment, spoken: Syllables, *, begins: bool, ends: bool) -> bool:
    """Whether too much of it is gone amid other words, which are there to make another sentence of the rest.

    Of a short owed wording two neighbours: 我来办理 is no 我来帮您处理. Where its clause goes on, the last syllable of
    a very short one without slots (请您那个 is no 请您拿好), or the 您 of any. Of an offence its first or last syllable
    where its clause goes on, and nothing may come between: 您不要叫外卖 is no 您不要叫了, 把资料寄给我 no 把资料给我.
    """
    if pattern.threshold is not None or (begins and ends):
        return False
    told, first, last = parameters(), aligned.partners[0], aligned.partners[-1]
    if pattern.role == "phrase":
        ended = last == UNALIGNED and pattern.size < told.ended_from and None not in pattern.units
        goes_on = not ends and (ended or lacks_address(pattern, aligned, spoken))
        return goes_on or (pattern.size < told.torn_from and has_adjacent_deletions(pattern, aligned))
    return pattern.role == "forbidden" and (
        (first == UNALIGNED and not begins) or (last == UNALIGNED and not ends) or count_insertions(aligned, spoken) > 0
    )


def lacks_address(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> bool:
    """Whether all of it was heard, to the letter, but its 您: 业务办好了我就走 is no 您的业务办好了.

    A recogniser that got all else right has hardly lost the one word that tells to whom it was said.
    """
    if "您" not in pattern.characters:
        return False
    heard = [(unit, at) for unit, at in zip(pattern.units, aligned.partners, strict=True) if unit and at != UNALIGNED]
    return all(unit != "您" and spoken.units[at] == unit for unit, at in heard)
