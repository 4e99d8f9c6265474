"""Finding wordings by sound: what is a hit, what is not, and which of two wins."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher as bank
from support.small_counter import said, small

from counter_listener.domain.findings import MatchedUtterance, Prior
from counter_listener.domain.types import Hit, Utterance, Word
from counter_listener.matching.alignment import align
from counter_listener.matching.matcher import with_cache
from counter_listener.matching.matching import find_in_utterance, match
from counter_listener.matching.mishearing import extended_allowance
from counter_listener.matching.patterns import Pattern, with_likely_threshold
from counter_listener.matching.prior import PRIOR_ORDER
from counter_listener.matching.scoring import Candidate, score_alignment
from counter_listener.matching.syllables import MAX_UNITS, split_long, to_syllables


def heard(text: str) -> list[str]:
    """Ids of the phrases and offences in a sentence."""
    findings = find_in_utterance(small(), said(text, 0))
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


def rules(text: str) -> dict[str, bool]:
    return {rule.owner: rule.kept for rule in find_in_utterance(small(), said(text, 0)).rules}


def only(text: str) -> Hit:
    (hit,) = find_in_utterance(small(), said(text, 0)).phrases
    return hit


@pytest.mark.parametrize("text", ["您好", "您号", "nin", "王先生您好", "您好 欢迎 光临", "您好欢应光林"])
def test_the_same_sound_is_a_hit(text: str) -> None:
    assert heard(text) == ([] if text == "nin" else ["hello"])


@pytest.mark.parametrize("text", ["你好", "您", "好您", "请慢", "慢走", "谢", "再", "见再"])
def test_a_short_wording_must_be_exact_in_sound(text: str) -> None:
    assert heard(text) == []


def test_a_long_wording_forgives_a_syllable_or_two() -> None:
    assert heard("请问您要什么业务") == ["ask-need"]  # 办理 lost one syllable and changed another
    assert only("请问您办理什么业务").score == 100
    assert 70 < only("请问您要什么业务").score < 100
    assert heard("请问什么") == []


def test_an_accusation_needs_more_than_praise() -> None:
    assert heard("这事不归我管") == ["not-mine"]
    assert heard("那事都归你管") == []


def test_of_two_that_overlap_the_better_explanation_stays() -> None:
    assert [hit.wording for hit in find_in_utterance(small(), said("再见请慢走", 0)).phrases] == ["再见请慢走"]
    assert [hit.wording for hit in find_in_utterance(small(), said("请慢走再见", 0)).phrases] == ["请慢走", "再见"]


def test_one_syllable_needs_its_character_at_the_start_of_a_word_and_outside_longer_words() -> None:
    def words(text: str) -> list[str]:
        return [hit.owner for hit in find_in_utterance(small(), said(text, 0)).words]

    assert words("请坐") == ["word-please"]
    assert words("清楚") == []
    assert words("我想申请贷款") == []
    assert words("我要请假") == []
    inside = Utterance(0, 1, (Word("申请", 0, 0.5), Word("人", 0.5, 1)))
    assert find_in_utterance(small(), inside).words == ()


def test_a_request_needs_please_in_the_same_clause() -> None:
    assert rules("请出示您的身份证") == {"request-please": True}
    assert rules("出示您的身份证") == {"request-please": False}
    assert rules("请坐，出示您的身份证") == {"request-please": False}
    assert rules("我申请贷款要签字") == {"request-please": False}
    assert rules("麻烦您签字") == {"request-please": True}


@pytest.mark.parametrize(
    ("first", "then", "told"),
    [
        ("谢谢您的", "信任", ["thanks", "thanks-trust"]),
        ("非常抱歉", "根据规定不能为您办理", ["complaint-apologise", "sorry-rule"]),
        ("请稍等", "一下", ["wait"]),
        ("您好", "您好", ["hello", "hello"]),
    ],
)
def test_a_phrase_may_be_the_beginning_of_another_that_a_pause_cuts(first: str, then: str, told: list[str]) -> None:
    def owners(pause: float) -> list[str]:
        items = (said(first, 0), said(then, 0.25 * len(first) + pause))
        return [
            hit.owner
            for item in match(items, bank())
            if isinstance(item, MatchedUtterance)
            for hit in item.findings.phrases
        ]

    assert owners(0.8) == told
    assert "thanks-trust" not in owners(1.5)


def test_a_courtesy_before_a_pause_counts_for_the_rest_of_its_phrase() -> None:
    def kept(first: str, then: str) -> list[bool]:
        items = (said(first, 0), said(then, 0.25 * len(first) + 0.8))
        rules = [
            rule for item in match(items, bank()) if isinstance(item, MatchedUtterance) for rule in item.findings.rules
        ]
        return [rule.kept for rule in rules if rule.owner == "request-please"]

    assert kept("麻烦您", "签个字") == [True]
    assert kept("请您", "签个字") == [True]
    assert kept("您的业务", "签个字") == [False]


def test_a_pause_ends_a_clause() -> None:
    flowing = Utterance(0, 2, (Word("请", 0, 0.3), Word("签字", 0.5, 1)))
    halting = Utterance(0, 2, (Word("请", 0, 0.3), Word("签字", 0.9, 1.4)))
    assert [rule.kept for rule in find_in_utterance(small(), flowing).rules] == [True]
    assert [rule.kept for rule in find_in_utterance(small(), halting).rules] == [False]


def test_a_scope_in_seconds_reaches_into_the_utterance_before() -> None:
    def kept(pause: float) -> bool:
        apology, refusal = said("对不起", 0), said("这个办不了", 0.75 + pause)
        *_, last = match([apology, refusal], small())
        assert isinstance(last, MatchedUtterance)
        return last.findings.rules[0].kept

    assert kept(2.0)
    assert not kept(6.0)


def test_a_context_shortly_before_excuses_and_one_long_ago_does_not() -> None:
    def offences(pause: float, first: str = "") -> int:
        *_, last = match([said("对不起", 0), said(first + "钱没有了", 0.75 + pause)], small())
        assert isinstance(last, MatchedUtterance)
        return len(last.findings.offences)

    assert offences(1.0) == 0
    assert offences(30.0) == 1
    assert offences(1.0, "他说明天早上再去一趟银行看看") == 1, "late in the utterance"
    assert heard("对不起钱没有了") == []
    assert heard("钱没有了") == ["none-left"]
    assert heard("钱没有了" + "他说明天早上再去一趟银行看看" * 2 + "对不起") == ["none-left"], "one clause, six seconds"


def test_a_customers_apology_is_not_the_clerks() -> None:
    *_, last = match([said("对不起", 0, "customer"), said("钱没有了", 2, "clerk")], small())
    assert isinstance(last, MatchedUtterance)
    assert [hit.owner for hit in last.findings.offences] == ["none-left"]


def test_a_slot_takes_a_short_run_and_is_never_written_down() -> None:
    assert only("王经理您好").heard == "您好"
    assert rules("出示") == {}
    assert rules("出示身份证") == {"request-please": False}


def test_where_and_when_come_from_the_words() -> None:
    words = (Word("那个", 1.0, 1.4), Word("您好", 2.0, 2.6), Word("啊", 3.0, 3.1))
    (hit,) = find_in_utterance(small(), Utterance(1.0, 3.1, words)).phrases
    assert (hit.start, hit.end, hit.heard) == (2.0, 2.6, "您好")


def test_every_hit_of_a_phrase_is_found() -> None:
    assert heard("您好 我 您好 你 您好") == ["hello", "hello", "hello"]


def test_overlong_utterances_are_matched_in_parts() -> None:
    long = said("您好" * 1000, 0)
    assert all(len(to_syllables(part, 0.4)) <= MAX_UNITS for part in split_long(long))
    assert sum(len(find_in_utterance(small(), part).phrases) for part in split_long(long)) == 1000


def test_a_hundred_thousand_characters_are_matched_in_bounded_time() -> None:
    began = time.process_time()
    list(match([said("请问您办理什么" * 14_000, 0)], small()))
    assert time.process_time() - began < 30  # a bound against blow-up (quadratic is hours), not a measurement


def test_an_utterance_without_any_sound_holds_nothing() -> None:
    assert heard("……！") == []


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="您好欢迎光临请问办理什么业务慢走再见谢没有了签字出示一二啊 ，", max_size=40))
def test_owed_and_forbidden_hits_never_overlap_and_lie_inside_the_utterance(text: str) -> None:
    if not text.strip(" ，"):
        return
    utterance = said("啊" + text, 5)
    findings = find_in_utterance(small(), utterance)
    hits = sorted((*findings.phrases, *findings.offences), key=lambda hit: hit.start)
    assert all(earlier.end <= later.start + 1e-6 for earlier, later in pairwise(hits))
    assert all(5 <= hit.start < hit.end <= utterance.end + 1e-6 and 0 < hit.score <= 100 for hit in hits)


BESIDE = {
    "a greeting after a slot's end": ("请五号客户到这边办理你好", ["请{number}号客户到这边办理", "你好"]),
    "the end of a longer wording that the first has taken": ("请核对一下您收好", ["请核对一下", "您收好"]),
    "one misheard beside one misheard": ("请您签字您拿号", ["请您签字", "您拿好"]),
    "one that lacks its end between two": ("请您填写印下那个单据请你看屏", ["请您填写一下单据", "请您看屏幕"]),
    "one too short to be sure of in the midst of other words": (
        "谢衔广这请拿好您的格证件吧",
        ["谢谢光临", "请拿好您的证件"],
    ),
    "two that are worth more together than one misheard": ("请拿好您慢走", ["请拿好", "您慢走"]),
    "the same, of which the one would be longer": ("请拿好您再见", ["请拿好", "您再见"]),
}


@pytest.mark.parametrize("expected", PRIOR_ORDER)
def test_every_owed_wording_of_the_bank_is_heard_to_the_letter(expected: Prior) -> None:
    ready = bank().when(expected)
    for pattern in ready.patterns:
        if pattern.role == "phrase" and None not in pattern.units:
            found = find_in_utterance(ready, said("".join(filter(None, pattern.units)), 0)).phrases
            assert found, pattern.wording
            assert all(hit.score == 100 for hit in found), pattern.wording


@pytest.mark.parametrize(("text", "wordings"), BESIDE.values(), ids=BESIDE)
def test_what_stands_beside_a_better_explanation_is_found_in_what_that_leaves(text: str, wordings: list[str]) -> None:
    assert [hit.wording for hit in find_in_utterance(bank(), said(text, 0)).phrases] == wordings


@pytest.mark.parametrize(
    ("before", "seconds", "found"),
    [("您好", 58, True), ("您好", 62, False), ("天气真好", 5, False), ("没有了", 5, False)],
    ids=["within a minute", "later", "other talk", "an offence"],
)
def test_a_phrase_is_likelier_where_another_was_just_heard(before: str, seconds: float, *, found: bool) -> None:
    garbled = said("请问您办理神药", said(before, 0).end + seconds)
    first, second = match([said(before, 0), garbled], small())
    assert isinstance(first, MatchedUtterance)
    assert isinstance(second, MatchedUtterance)
    assert first.expected == ("phrases" if before == "您好" else "nothing")
    assert second.expected == ("phrases" if found else "nothing")
    assert [hit.owner for hit in second.findings.phrases] == ["ask-need"] * found


def test_a_phrase_is_likelier_beside_another_in_the_same_utterance() -> None:
    (item,) = match([said("您好，请问您办理神药", 0)], small())
    assert isinstance(item, MatchedUtterance)
    assert [hit.owner for hit in item.findings.phrases] == ["hello", "ask-need"]


@pytest.mark.parametrize("text", ["给我您的身份证", "出示您的证件", "摄像头"])
def test_no_likelihood_makes_up_for_the_courtesy_that_a_rule_needs(text: str) -> None:
    first, second = match([said("您好", 0), said(text, 5)], bank())
    assert isinstance(first, MatchedUtterance)
    assert isinstance(second, MatchedUtterance)
    assert second.expected == "phrases"
    assert second.findings.phrases == ()


@given(st.sampled_from([pattern for pattern in bank().patterns if pattern.role == "phrase"]))
def test_where_phrases_are_likely_no_less_is_forgiven(pattern: Pattern) -> None:
    likely = with_likely_threshold(pattern)
    assert all(more >= less for more, less in zip(likely.allowed, pattern.allowed, strict=True))
    assert likely._replace(**{name: getattr(pattern, name) for name in BY_LINE}) == pattern


BY_LINE = ("most", "allowed", "relieved", "bound", "forgiving", "fewest")
SENTENCES = ("您好", "请问您办理什么", "签字", "没有了", "对不起", "再见请慢走", "我要投诉", "啊")


@given(st.lists(st.tuples(st.sampled_from(SENTENCES), st.integers(0, 900)), max_size=12))
def test_what_is_remembered_changes_no_finding(lines: list[tuple[str, int]]) -> None:
    matcher = with_cache(small())
    for text, at in lines:
        assert find_in_utterance(matcher, said(text, at)) == find_in_utterance(small(), said(text, at))
    assert small().known is None


def test_no_more_is_remembered_than_was_said_of_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counter_listener.search.REMEMBERED", 3)
    matcher = with_cache(small())
    for text in ("您好", "签字", "再见", "您好", "没有了"):
        find_in_utterance(matcher, said(text, 0))
    assert ["".join(map(str, same[0])) for same in matcher.known or ()] == ["再见", "您好", "没有了"]


FORGIVEN = {
    "alone, its first syllable lost": ("祝您愉快", "您愉快"),
    "alone, another unit for its last": ("欢迎再来", "欢迎再反"),
    "syllables put in": ("麻烦您抬一下头", "麻期烦亭您抬一下头"),
    "evidence to spare": ("请您对我的服务进行评价", "请您对我的服天进行评里"),
    "你 for 您 in a wording of three": ("劳您久等", "劳你久等"),
}
OTHER_WORDS = {
    "two gone side by side": ("我们为您优先办理", "能为您办理"),
    "one that is cheap to lose beside it": ("请您说慢一点", "请慢一点"),
    "the courtesy that a rule needs not heard": ("请您出示一下身份证", "出示一下身份证"),
    "a wording in its own right": ("麻烦您了", "麻烦您"),
    "two clauses": ("请您在这里签字", "请您坐，在这里签字"),
    "a negation": ("您的业务办好了", "这个业务办不了"),
    "in the midst of other words": ("祝您愉快", "我觉得您愉快就行了"),
}


@pytest.mark.parametrize(("wording", "text"), FORGIVEN.values(), ids=FORGIVEN)
def test_a_mishearing_of_a_phrase_is_forgiven(wording: str, text: str) -> None:
    assert [hit.wording for hit in find_in_utterance(bank(), said(text, 0)).phrases] == [wording]


@pytest.mark.parametrize(("wording", "text"), OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_other_words_are_not(wording: str, text: str) -> None:
    assert wording not in {hit.wording for hit in find_in_utterance(bank(), said(text, 0)).phrases}


def expected_and_found(text: str, before: str) -> tuple[Prior, list[str]]:
    _, item = match([said(before, 0), said(text, said(before, 0).end + 5)], bank())
    assert isinstance(item, MatchedUtterance)
    return item.expected, [hit.owner for hit in item.findings.phrases]


@pytest.mark.parametrize(
    ("before", "expected"), [("您好", "phrases"), ("我要投诉", "scenario"), ("我非常理解您的心情", "scenario")]
)
def test_what_a_scenario_asks_for_is_likelier_only_in_one(before: str, expected: Prior) -> None:
    misheard = "今天您说的我都获贼去了反正"
    assert expected_and_found(misheard, before) == (expected, ["complaint-listen"] * (expected == "scenario"))
    assert expected_and_found("您说的我都听进去了", before) == ("scenario", ["complaint-listen"])


@pytest.mark.parametrize("text", ["麻烦您", "麻凡您", "马烦您", "请出示一下您的"])
def test_what_breaks_off_is_no_shorter_phrase(text: str) -> None:
    assert not find_in_utterance(bank().when("scenario"), said(text, 0)).phrases


@pytest.mark.parametrize(("text", "told"), [("不归我们管", True), ("不贵我们管", True), ("不贵我还管得起", False)])
def test_amid_other_words_nobody_is_accused_by_what_was_not_heard_at_all(text: str, *, told: bool) -> None:
    assert bool(find_in_utterance(bank(), said(text, 0)).offences) == told


OWED = [pattern for pattern in bank().patterns if pattern.role == "phrase" and None not in pattern.units]


@given(st.sampled_from(OWED), st.data())
def test_nothing_is_heard_better_than_the_wording_itself(pattern: Pattern, data: st.DataObject) -> None:
    right = [str(unit) for unit in pattern.units]
    wrong = [data.draw(st.sampled_from([unit, unit, *"贼获反里您", ""])) for unit in right]
    exact, other = laid_along(pattern, "".join(right)), laid_along(pattern, "".join(wrong))
    assert exact is not None
    assert exact.heard
    if other is not None:
        assert (exact.cost, -exact.value) <= (other.cost, -other.value)


@given(st.sampled_from(OWED), st.integers(0, 20), st.floats(0, 100))
def test_more_evidence_never_forgives_less(pattern: Pattern, garbled: int, spare: float) -> None:
    allowed = pattern.allowed[min(garbled, len(pattern.allowed) - 1)]
    amid, alone = (extended_allowance(pattern, garbled, spare, alone=one) for one in (False, True))
    if pattern.forgiven:
        assert allowed <= amid <= alone <= pattern.allowed[-1]
        assert amid <= extended_allowance(pattern, garbled, spare + 1, alone=False)
    else:
        assert pattern.size < 4


def laid_along(pattern: Pattern, text: str) -> Candidate | None:
    """A wording at the best place of a sentence; None where nothing of it is there."""
    if not text:
        return None
    spoken = to_syllables(said(text, 0), 0.4)
    aligned = align(pattern, spoken, 0, len(spoken), {})
    return score_alignment(pattern, aligned, spoken) if aligned is not None and aligned.first < aligned.last else None


def test_what_is_mumbled_beyond_a_pause_does_not_discredit_a_phrase() -> None:
    sure = [Word("请", 1.0, 1.3), Word("拿", 1.3, 1.5), Word("好", 1.5, 1.9)]
    mumbled = [Word(text, 2.4 + 0.2 * at, 2.6 + 0.2 * at, 0.2) for at, text in enumerate("足上市十二点多")]
    (hit,) = find_in_utterance(bank(), Utterance(1.0, 4.0, (*sure, *mumbled))).phrases
    assert hit.owner == "hand-back"
    run_on = [replace(word, start=word.start - 0.5, end=word.end - 0.5) for word in mumbled]
    assert find_in_utterance(bank(), Utterance(1.0, 3.5, (*sure, *run_on))).phrases == ()
