"""Why a wording was not said, however close what was heard comes to it: that is another sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from counter_listener.alignment import NOT_HEARD, Aligned, agreeing
from counter_listener.closeness import figures
from counter_listener.contrary import contrary
from counter_listener.courtesy import polite
from counter_listener.mishearing import gone_side_by_side
from counter_listener.spoken import Spoken
from counter_listener.wordings import CONTEXTS, Pattern

Refusal = Literal["broken_off", "impolite", "contrary", "torn"]


def refusal(  # noqa: PLR0913 - what was heard of it, and where
    pattern: Pattern, aligned: Aligned, spoken: Spoken, garbled: int, *, begins: bool, ends: bool
) -> Refusal | None:
    """Why it was not said, if so.

    `garbled` is how many of its syllables are written as others, `begins` and `ends` whether a clause does so with it.
    """
    if breaks_off(pattern, aligned.partners, spoken):
        return "broken_off"
    if not polite(pattern, aligned, spoken, garbled, begins=begins):
        return "impolite"
    if pattern.role not in CONTEXTS and contrary(pattern, aligned, spoken):
        return "contrary"
    if torn(pattern, aligned, begins=begins, ends=ends):
        return "torn"
    return None


def breaks_off(pattern: Pattern, partners: Sequence[int], spoken: Spoken) -> bool:
    """Whether what was heard is, to the letter, the beginning of another phrase as well: 麻烦您 alone is no 麻烦您了.

    A last syllable may be lost, but one that is seldom stressed, or more of them, hardly happen to leave just that.
    """
    size = len(pattern.units)
    while size and partners[size - 1] == NOT_HEARD:
        size -= 1
    if size not in pattern.begins or (len(pattern.units) - size == 1 and pattern.units[-1] not in figures().light):
        return False
    return agreeing(pattern, partners, spoken, (0, size)) == size


def torn(pattern: Pattern, aligned: Aligned, *, begins: bool, ends: bool) -> bool:
    """Whether too much of it is gone amid other words, which are there to make another sentence of the rest.

    Of a short owed wording two neighbours: 我来办理 is no 我来帮您处理. Of an offence its first or last syllable where
    its clause goes on: 您不要叫外卖 is no 您不要叫了.
    """
    if pattern.threshold is not None or (begins and ends):
        return False
    if pattern.role == "phrase":
        return pattern.size < figures().torn_from and gone_side_by_side(pattern, aligned)
    first, last = aligned.partners[0], aligned.partners[-1]
    return pattern.role == "forbidden" and ((first == NOT_HEARD and not begins) or (last == NOT_HEARD and not ends))
