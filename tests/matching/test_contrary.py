"""What sounds like a wording and says the contrary, says it of somebody else, or is part of another sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundled import found
from support.bundled import matcher as bank
from support.small_counter import said

from counter_listener.matching.confusion import parameters
from counter_listener.matching.matching import find_in_utterance
from counter_listener.matching.patterns import Pattern, negation_positions
from counter_listener.matching.prior import PRIOR_ORDER

FIXED = [one for one in bank().patterns if None not in one.units and one.role in {"phrase", "forbidden"}]


def wordings(text: str) -> list[str]:
    """What is found on its own and where other phrases were just heard."""
    every = (find_in_utterance(bank().when(expected), said(text, 0)) for expected in PRIOR_ORDER)
    return [hit.wording for one in every for hit in (*one.phrases, *one.offences)]


def broken(text: str) -> list[str]:
    return [rule.hit.owner for rule in find_in_utterance(bank(), said(text, 0)).rules if not rule.kept]


@given(st.sampled_from([one for one in FIXED if one.negations]), st.data())
def test_a_wording_without_its_negation_is_not_found(pattern: Pattern, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(pattern.negations))
    units = [str(unit) for unit in pattern.units]
    assert pattern.wording not in wordings("".join(units[:at] + units[at + 1 :]))


@given(st.sampled_from([one for one in FIXED if one.persons and not one.holds]), st.data())
def test_a_wording_of_somebody_else_is_not_found(pattern: Pattern, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(pattern.persons))
    units = [str(unit) for unit in pattern.units]
    units[at] = "他" if parameters().persons[units[at]] != parameters().persons["他"] else "我"
    assert pattern.wording not in wordings("".join(units))


@pytest.mark.parametrize("text", ["系统好了现在能办", "公告栏上写着今天能办", "现在是营业时间吧"])
def test_what_can_be_done_is_no_refusal(text: str) -> None:
    assert broken("对不起，" + text) == broken(text) == []
    assert broken("现在不能办") == ["refusal-sorry"]


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ("这不是我们的责任", ["not-our-duty"]),
        ("这波是我们的责任", ["not-our-duty"]),
        ("这是我们的责任", []),
        ("这就是我们的责任", []),
        ("字是你自己签的", ["you-signed"]),
        ("字是您自己签的", ["you-signed"]),
        ("字是我自己签的", []),
        ("您怎么还不明白", ["still-not-clear"]),
        ("我怎么还不明白", []),
        ("没看见我在忙啊", ["busy"]),
        ("我没看见您在忙", []),
        ("我能理解您", ["complaint-sympathise"]),
        ("我不能理解您", []),
        ("您说的我都听进去了", ["complaint-listen"]),
        ("您说的我没听进去", []),
    ],
)
def test_a_negation_or_another_person_makes_another_sentence(heard: str, told: list[str]) -> None:
    assert found(heard) == told


@pytest.mark.parametrize(
    ("wording", "kept"),
    [
        ("对不起请您排队", []),
        ("请您看一下对不对", []),
        ("要问别人去", []),
        ("不要把密码告诉别人", [0]),
        ("没办法", [0]),
    ],
)
def test_what_negates_nothing_need_not_be_heard(wording: str, kept: list[int]) -> None:
    assert list(negation_positions(tuple(wording))) == kept


@pytest.mark.parametrize(
    ("alone", "told", "amid"),
    [
        ("您不要叫", ["stop-shouting"], "您不要叫外卖"),
        ("明天再来", ["off-duty"], "明天再来取存折"),
        ("早就没有", ["none-left"], "我早就没有贷款"),
        ("已经办好了", ["hand-back"], "我昨天已经办好了那张"),
        ("有什么可以", ["ask-need"], "有什么可以退的"),
        ("业务办好了", ["hand-back"], "业务办好了我就走"),
        ("您业务办好了", ["hand-back"], "他业务办好了就走"),
        ("把资料给我", ["hand-over"], "把资料寄给我儿子"),
        ("请您拿好", ["hand-back"], "请您那个再看看"),
    ],
)
def test_what_is_left_of_a_wording_amid_other_words_is_theirs(alone: str, told: list[str], amid: str) -> None:
    assert found(alone) == told
    assert found(amid) == []


@pytest.mark.parametrize("text", ["我来整理一下存折", "我还来办理存款"])
def test_what_begins_like_a_phrase_and_goes_on_otherwise_is_none(text: str) -> None:
    assert found(text) == []
