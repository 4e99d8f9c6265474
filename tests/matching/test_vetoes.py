"""Vetoes: sentences that sound like a wording and say something else. sentences.tsv has more of them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.bundled import matcher
from support.small_counter import said

from counter_listener.matching import Pattern, find_in_utterance
from counter_listener.matching.confusion import parameters
from counter_listener.matching.matcher import PRIOR_ORDER
from counter_listener.matching.patterns import courtesy_spans, innermost, negation_positions

FIXED = [
    pattern for pattern in matcher().patterns if None not in pattern.units and pattern.role in {"phrase", "forbidden"}
]
REQUESTS = [
    pattern
    for pattern in FIXED
    if pattern.role == "phrase" and [last - first for first, last in pattern.courtesies] == [1]
]
"""Wordings with 请 as their only courtesy."""


def wordings(text: str) -> list[str]:
    """The wordings found in a sentence, with each prior."""
    every = (find_in_utterance(matcher().for_prior(prior), said(text)) for prior in PRIOR_ORDER)
    return [hit.wording for findings in every for hit in (*findings.phrases, *findings.offences)]


@given(st.sampled_from([pattern for pattern in FIXED if pattern.negations]), st.data())
def test_a_wording_without_its_negation_is_not_found(pattern: Pattern, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(pattern.negations))
    units = [str(unit) for unit in pattern.units]
    assert pattern.wording not in wordings("".join(units[:at] + units[at + 1 :]))


@given(st.sampled_from([pattern for pattern in FIXED if pattern.persons and not pattern.contained]), st.data())
def test_a_wording_about_another_person_is_not_found(pattern: Pattern, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(pattern.persons))
    units, persons = [str(unit) for unit in pattern.units], parameters().persons
    units[at] = "他" if persons[units[at]] != persons["他"] else "我"
    assert pattern.wording not in wordings("".join(units))


@given(st.sampled_from(REQUESTS))
@example(next(pattern for pattern in REQUESTS if pattern.wording == "请您清点一下自己的物品"))
def test_a_request_without_please_is_not_found(pattern: Pattern) -> None:
    (first, last), units = pattern.courtesies[0], [str(unit) for unit in pattern.units]
    findings = find_in_utterance(matcher(), said("".join(units[:first] + units[last:])))
    assert pattern.wording not in [hit.wording for hit in findings.phrases]


@pytest.mark.parametrize("text", ["系统好了现在能办", "公告栏上写着今天能办", "现在是营业时间吧"])
def test_a_sentence_about_what_is_possible_is_not_a_refusal(text: str) -> None:
    def broken(sentence: str) -> list[str]:
        return [rule.owner for rule in find_in_utterance(matcher(), said(sentence)).rules if not rule.followed]

    assert broken("对不起，" + text) == broken(text) == []
    assert broken("现在不能办") == ["refusal-sorry"]


@pytest.mark.parametrize("text", ["麻烦您", "麻凡您", "马烦您", "请出示一下您的"])
def test_a_sentence_that_breaks_off_is_not_a_shorter_phrase(text: str) -> None:
    assert not find_in_utterance(matcher().for_prior("scenario"), said(text)).phrases


@pytest.mark.parametrize(
    ("wording", "positions"),
    [
        ("对不起请您排队", []),
        ("请您看一下对不对", []),
        ("要问别人去", []),
        ("不要把密码告诉别人", [0]),
        ("没办法", [0]),
    ],
)
def test_only_characters_that_negate_are_negations(wording: str, positions: list[int]) -> None:
    assert list(negation_positions(tuple(wording))) == positions


def test_of_courtesies_inside_one_another_the_innermost_must_be_heard() -> None:
    courtesies = {("请",), ("请", "您"), ("麻", "烦"), ("您", "请")}
    assert innermost(courtesy_spans(tuple("麻烦您请坐"), courtesies)) == ((0, 2), (3, 4))
    assert innermost(courtesy_spans(tuple("请您坐"), courtesies)) == ((0, 1),)
    assert courtesy_spans(tuple("请问您是谁"), courtesies) == [(0, 2)]
