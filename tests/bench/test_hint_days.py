"""The made-up days with talk among customers: what is due is hinted at, and chatter hardly ever."""

from __future__ import annotations

import tomllib

import hints
from support.bundled import matcher

DAYS = tomllib.loads(hints.DAYS.read_text(encoding="utf-8"))["day"]


def test_what_is_due_is_hinted_at_and_chatter_hardly_ever() -> None:
    found = hints.Hints()
    hints.count_hints(DAYS[1], matcher(), found)
    assert found.due == 6
    assert len(found.given) == 6, found.missed
    assert len(found.false) <= 3, found.false
    assert found.beside == 11


def test_a_hint_that_is_begun_in_chatter_is_counted_there_and_one_that_never_comes_is_missed() -> None:
    chatter = {"kind": "staff", "after": 5, "said": ["我想取两万块钱，逗你玩的", "昨晚那个电视剧你看了没有"]}
    quick = {"kind": "visit", "after": 200, "due": ["goodbye"], "said": ["您好", "我想取两万块钱"]}
    found = hints.Hints()
    hints.count_hints({"part": [chatter, quick]}, matcher(), found)
    assert found.false[0] == "hello staff: 我想取两万块钱，逗你玩的"
    assert (found.beside, found.due) == (1, 1)
