"""The verdict on an alignment: features, the posterior, the thresholds, and the two vetoes."""

from importlib.util import find_spec
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drawn_templates import Tree, sentence, template, trees
from support.small_counter import matcher_of, said, small, timed

from counter_listener.domain import Role, Utterance
from counter_listener.matching import Candidate, Matcher, find_in_utterance, search_candidates, shares, to_syllables
from counter_listener.matching.alignment import align_all, make_stretch
from counter_listener.matching.automata import Entry, compile_automaton
from counter_listener.matching.confusion import WORDS, fitted, word_endings
from counter_listener.matching.scoring import (
    clause_edges,
    features_of,
    local_confidence,
    score,
    similarity,
    threshold,
)
from counter_listener.phrases import split_units
from models.build.language.pairs import pairs
from models.build.language.vocabulary import dictionary_file, read_counts

STAGE = """
name = "服务"
version = "1"
visit = { opens = [], closes = [] }

[[stage]]
id = "serve"
title = "服务"
[[stage.phrase]]
"""
FORM = STAGE + 'id = "form"\n'
NEGATIVE = (
    STAGE
    + """
id = "sorry"
say = ["对不起让您久等了", "不好意思让您久等了"]
[[stage.phrase]]
id = "promise"
say = ["我们不会泄露您的信息", "密码别告诉任何人"]
[[stage.phrase]]
id = "choose"
say = ["您看这样办不办理", "没有其他问题请签字"]

[[forbidden]]
id = "not-mine"
class = "推诿"
say = ["这事不归我管", "我没有时间给你解释"]
[[forbidden]]
id = "self-signed"
class = "指责"
say = ["字是你自己签的"]
"""
)


def accepted(matcher: Matcher, utterance: Utterance) -> list[str]:
    """Ids of the phrases and offences in an utterance."""
    findings = find_in_utterance(matcher, utterance)
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


def candidate(text: str, owner: str, matcher: Matcher | None = None) -> Candidate:
    """The most probable candidate of a phrase in a sentence."""
    found = search_candidates(matcher or small(), to_syllables(said(text), 0.4))
    return max((one for one in found if owner in one.owners), key=lambda one: one.posterior)


def exact(entry: Entry, utterance: Utterance) -> Candidate:
    """The verdict on the best alignment of one template."""
    syllables = to_syllables(utterance, 0.4)
    found = align_all(make_stretch(compile_automaton([entry], 0.0, 0.0), syllables, 0, len(syllables)))
    return score(max(found, key=lambda one: one.bits), frozenset(), expected=False)


ROLES: list[Role] = ["phrase", "when", "trigger", "unless", "not_in", "frame", "need"]


@settings(max_examples=100)
@given(st.tuples(trees(), st.sampled_from(ROLES)) | st.tuples(trees(slots=False), st.just("forbidden")), st.data())
def test_what_fits_to_the_letter_is_accepted_in_each_role(drawn: tuple[Tree, Role], data: st.DataObject) -> None:
    node, role = drawn
    found = exact(Entry(role, frozenset(("id",)), template(node)), said(sentence(data, node)))
    assert found.accepted
    assert found.veto is None
    assert found.similarity > 90


@pytest.mark.parametrize(
    "text", ["请问您办理什么夜务", "我里解您的心情", "这事归我管", "请问您要什么业务", "再见请慢走"]
)
def test_the_shares_of_the_features_are_the_log_odds(text: str) -> None:
    found = search_candidates(small(), to_syllables(said(text), 0.4))
    for one in [one for one in found if one.features]:
        odds = log(one.posterior / (1 - one.posterior))
        assert sum(shares(one).values()) == pytest.approx(odds, abs=0.01)
        assert 0 < threshold(one) < 1
        if one.accepted and not one.alignment.spelled:
            assert one.posterior >= threshold(one)


def test_all_weights_are_of_features() -> None:
    found = candidate("请问您办理什么夜务", "ask-need")
    for weights in fitted()["weights"].values():
        assert set(weights) == {"bias", *found.features}
    assert set(fitted()["weights"]) == set(fitted()["thresholds"]) == {"phrase", "forbidden", "other"}


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("请问您办理什么业务", "alike", 0),
        ("请问您办理什么夜务", "alike", 1),
        ("请问办理什么业务", "lost", 1),
        ("请问您办理的什么业务", "inserted", 1),
        ("请问您嗯办理什么业务", "inserted", 0),
        ("啊请问您办理什么业务吧", "open", 0),
        ("请问您办里什么业务", "open", 0),
        ("柜台请问您办里什么业务柜台", "open", 2),
    ],
)
def test_features_count_what_differs(text: str, name: str, count: int) -> None:
    found = candidate(text, "ask-need")
    assert found.features[name] == count


def test_a_clause_ends_at_a_pause_and_next_to_another_phrase() -> None:
    alignment = candidate("柜台请问您办里什么业务，柜台", "ask-need").alignment
    assert clause_edges(alignment, frozenset()) == (False, True)
    assert clause_edges(alignment, frozenset((2,))) == (True, True)
    assert features_of(alignment, frozenset((2,)), expected=False)["open"] == 0
    assert features_of(alignment, frozenset(), expected=True)["expected"] == 1


def test_the_similarity_is_the_share_of_the_full_score() -> None:
    exact_one, wrong = candidate("请问您办理什么业务", "ask-need"), candidate("请问您办理什么夜务", "ask-need")
    assert exact_one.similarity == 100
    assert 80 < wrong.similarity < 100
    assert wrong.similarity == similarity(wrong.alignment)
    assert exact_one.value > wrong.value


@pytest.mark.parametrize(("least", "found"), [(50, True), (99, False)])
def test_a_threshold_of_the_phrase_set_counts_instead_of_the_posterior(least: int, *, found: bool) -> None:
    toml = NEGATIVE.replace('id = "sorry"', f'id = "sorry"\nthreshold = {least}')
    assert accepted(matcher_of(toml), said("对不起让您就等啦")) == ["sorry"] * found
    assert accepted(matcher_of(toml), said("对不起让您久等了")) == ["sorry"]


@pytest.mark.parametrize(
    ("text", "owner", "veto"),
    [
        ("这事归我管", "not-mine", "contrary"),
        ("这事不归你管", "not-mine", "person"),
        ("这事不归我馆", "not-mine", None),
        ("我有时间给你解释", "not-mine", "contrary"),
        ("字是我自己签的", "self-signed", "person"),
        ("字是您自己签的", "self-signed", None),
        ("字不是你自己签的", "self-signed", "contrary"),
        ("我们会泄露您的信息", "promise", "contrary"),
        ("密码告诉任何人", "promise", "contrary"),
        ("有其他问题请签字", "choose", "contrary"),
        ("您看这样办理", "choose", None),
        ("对起让您久等了", "sorry", None),
        ("好意思让您久等了", "sorry", None),
    ],
)
def test_another_negation_or_person_is_a_veto(text: str, owner: str, veto: str | None) -> None:
    found = candidate(text, owner, matcher_of(NEGATIVE))
    assert found.veto == veto
    assert not (veto and found.accepted)


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("办不了", ["cannot"]),
        ("嗯办不了啊", ["cannot"]),
        ("柜台，办不了，柜台", ["cannot"]),
        ("柜台办不了", []),
        ("办不了柜台", []),
        ("柜台这里办不了柜台", ["cannot"]),
    ],
)
def test_a_short_offence_is_a_clause_of_its_own(text: str, owners: list[str]) -> None:
    toml = NEGATIVE + '[[forbidden]]\nid = "cannot"\nclass = "拒绝"\nsay = ["办不了", "这里办不了"]\n'
    assert accepted(matcher_of(toml), said(text)) == owners
    if not owners:
        assert candidate(text, "cannot", matcher_of(toml)).veto == "fragment"


NEGATED = ["这事不归我管", "我没有时间给你解释", "我们不会泄露您的信息", "密码别告诉任何人"]


@given(st.sampled_from(NEGATED), st.text("天地柜台好", max_size=4), st.text("天地柜台好", max_size=4))
def test_a_wording_without_its_negation_is_not_found(wording: str, lead: str, tail: str) -> None:
    positive = wording.translate(dict.fromkeys(map(ord, "不没别")))
    assert accepted(matcher_of(NEGATIVE), said(lead + wording + tail)) != []
    assert accepted(matcher_of(NEGATIVE), said(lead + positive + tail)) == []


@pytest.mark.parametrize("asking", ["哪", "什么", "谁", "几"])
def test_a_template_that_gains_a_question_word_is_not_found(asking: str) -> None:
    matcher = matcher_of(FORM + 'say = ["请您填好那张汇款单"]\n')
    assert accepted(matcher, said("请您填好那张红色汇款单")) != []
    assert accepted(matcher, said(f"请您填好那张{asking}汇款单")) == []


@pytest.mark.parametrize(
    ("text", "first", "found"),
    [
        ("天", True, True),
        ("天", False, False),
        ("填", True, False),
        ("是", True, True),
    ],
)
def test_a_template_of_one_syllable_needs_its_character_at_the_beginning_of_a_word(
    text: str, *, first: bool, found: bool
) -> None:
    utterance = timed((text, 0, 0.5)) if first else timed(("甲" + text, 0, 1))
    matcher = matcher_of(NEGATIVE + '[[word]]\nid = "word"\nsay = ["天", "是"]\n')
    assert [hit.owner for hit in find_in_utterance(matcher, utterance).words] == ["word"] * found


@pytest.mark.parametrize(("text", "followed"), [("请签字", True), ("情签字", False), ("天签字", False)])
def test_a_needed_courtesy_of_one_syllable_needs_its_character(text: str, *, followed: bool) -> None:
    (rule,) = find_in_utterance(small(), said(text)).rules
    assert rule.followed == followed


def test_confidence_is_that_of_the_same_clause() -> None:
    words = [("请", 1.0, 1.3), ("拿", 1.3, 1.5), ("好", 1.5, 1.9)]
    mumbled = [(text, 2.4 + 0.2 * at, 2.6 + 0.2 * at, 0.2) for at, text in enumerate("足上市十二点多")]
    joined = [(text, start - 0.5, end - 0.5, sure) for text, start, end, sure in mumbled]
    toml = NEGATIVE.replace('"对不起让您久等了"', '"请拿好"')
    for tail, sure in ((mumbled, True), (joined, False)):
        found = search_candidates(matcher_of(toml), to_syllables(timed(*words, *tail), 0.4))
        (alignment,) = [one.alignment for one in found if one.alignment.text == "请拿好"]
        assert (local_confidence(alignment) == 1) == sure


def test_low_confidence_counts_against_a_wording() -> None:
    def feature(confidence: float) -> float:
        words = [(unit, float(at), at + 1.0, confidence) for at, unit in enumerate("这事不归我馆")]
        found = search_candidates(small(), to_syllables(timed(*words), 0.4))
        return next(one.features["confidence"] for one in found if one.owner == "not-mine")

    assert feature(1.0) == 0 < feature(0.8) < feature(0.3)


def test_the_list_of_words_has_single_characters_in_order() -> None:
    known = word_endings()
    assert len(known) > 3000
    assert list(known) == sorted(known)
    for first, others in known.items():
        assert split_units(first) == (first,)
        assert others == "".join(sorted(set(others)))
    assert "行" in known["建"]


@pytest.mark.skipif(not find_spec("jieba"), reason="jieba is missing: pip install -r models/build/requirements.txt")
def test_the_list_of_words_is_what_its_program_makes_of_the_dictionary() -> None:
    assert WORDS.read_text(encoding="utf-8") == pairs(read_counts(dictionary_file()))
