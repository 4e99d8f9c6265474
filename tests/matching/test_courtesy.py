"""The courtesy that makes an owed wording polite: heard, misheard, or left out."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.bundled import matcher as bank
from support.small_counter import said

from counter_listener.matching.matching import find_in_utterance
from counter_listener.matching.patterns import Courtesies, Pattern, courtesy_spans, shortest


def phrases(text: str) -> list[str]:
    return [hit.owner for hit in find_in_utterance(bank(), said(text, 0)).phrases]


REQUESTS = [
    pattern
    for pattern in bank().patterns
    if pattern.role == "phrase"
    and [last - first for first, last in pattern.courtesies] == [1]
    and None not in pattern.units
]
"""Wordings whose only courtesy is their 请."""


@given(st.sampled_from(REQUESTS))
@example(next(one for one in REQUESTS if one.wording == "请您清点一下自己的物品"))
def test_who_asks_without_please_is_not_praised_for_that_wording(pattern: Pattern) -> None:
    (at, end), units = pattern.courtesies[0], [str(unit) for unit in pattern.units]
    found = find_in_utterance(bank(), said("".join(units[:at] + units[end:]), 0)).phrases
    assert pattern.wording not in [hit.wording for hit in found]


@pytest.mark.parametrize("word", "那嗯好来让帮就等劝")
def test_a_word_that_stands_there_of_itself_is_no_please(word: str) -> None:
    assert phrases("请您填写汇款单") == ["fill-form"]
    assert phrases(f"{word}您填写汇款单") == []


@pytest.mark.parametrize(
    "text", ["清您填写汇款单", "惩您出示一下身份证", "请肿示您的小票", "对不起，惩您出示一下身份证"]
)
def test_a_syllable_that_nobody_says_there_was_please(text: str) -> None:
    assert phrases(text)[-1:] in (["fill-form"], ["ask-ticket"], ["ask-id-card"])


@pytest.mark.parametrize(
    "text",
    ["再见您填写汇款单", "出示一下您的身份证", "输入密码时注意遮挡", "这是您的身份证收好", "申请排队"],
)
def test_what_belongs_to_the_words_beside_it_is_no_please(text: str) -> None:
    assert [one for one in phrases(text) if one != "goodbye"] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("麻烦您填写汇款单", ["fill-form"]),
        ("烦您填写汇款单", ["fill-form"]),
        ("麻您填写汇款单", ["fill-form"]),
        ("麻严您填写汇款单", ["fill-form"]),
        ("您填写汇款单", []),
        ("那您填写汇款单", []),
        ("宝贝等妈妈签个字", []),
        ("问您取多少钱", ["ask-withdrawal"]),
        ("问您的账号是多少", ["ask-card"]),
        ("对方的账号是多少", []),
        ("歉我接一下电话", ["phone-excuse"]),
        ("我接一下电话", []),
        ("钱没有零钱了", []),
        ("不好意思不符合办理条件", ["sorry-rule"]),
        ("部意思不符合办理条件", ["sorry-rule"]),
        ("部起这项业务必须由本人办理", ["self-only"]),
        ("意见不符合办理条件", []),
    ],
)
def test_half_of_a_courtesy_is_left_where_the_rest_was_swallowed(text: str, told: list[str]) -> None:
    assert phrases(text) == told


def test_where_the_rest_was_misheard_too_please_may_have_been_lost() -> None:
    assert phrases("您核队后再这里千名") == ["ask-sign"]
    assert phrases("您核对后在这里签名") == []


def test_an_apology_is_one_without_the_please_at_its_end() -> None:
    assert phrases("对不起系统有点慢请您稍等") == ["system-down"]
    assert phrases("对不起系统有点慢您稍等") == ["system-down"]
    assert "system-down" not in phrases("系统有点慢请您稍等")


def test_of_courtesies_within_one_another_the_shortest_is_what_matters() -> None:
    polite: Courtesies = {"请": [("请",), ("请", "您")], "麻": [("麻", "烦")], "您": [("您", "请")]}
    assert shortest(courtesy_spans("麻烦您请坐", polite)) == ((0, 2), (3, 4))
    assert shortest(courtesy_spans("请您坐", polite)) == ((0, 1),)
    assert courtesy_spans("请问您是谁", polite) == ((0, 2),)
