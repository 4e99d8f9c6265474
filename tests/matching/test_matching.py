"""Finding wordings by sound: hits and misses, competition, contexts and rules, pauses, priors, the cache."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher as bank
from support.small_counter import said, small, timed

from counter_listener.domain import Hit, MatchedUtterance, Prior, StreamItem
from counter_listener.matching import (
    Candidate,
    Matcher,
    Pattern,
    align,
    find_in_utterance,
    match,
    score_alignment,
    to_syllables,
    with_cache,
)
from counter_listener.matching.matcher import PRIOR_ORDER
from counter_listener.matching.patterns import with_likely_threshold
from counter_listener.matching.syllables import MAX_UNITS, split_long

OWED = [pattern for pattern in bank().patterns if pattern.role == "phrase" and None not in pattern.units]


def heard(text: str) -> list[str]:
    """Ids of the phrases and offences in a sentence."""
    findings = find_in_utterance(small(), said(text))
    return [hit.owner for hit in (*findings.phrases, *findings.offences)]


def rules(text: str) -> dict[str, bool | None]:
    """Whether each rule that applies in a sentence was followed."""
    return {rule.owner: rule.followed for rule in find_in_utterance(small(), said(text)).rules}


def only(text: str) -> Hit:
    """The only phrase in a sentence."""
    (hit,) = find_in_utterance(small(), said(text)).phrases
    return hit


def matched(matcher: Matcher, *items: StreamItem) -> list[MatchedUtterance]:
    """The utterances of a stream with their findings."""
    return [item for item in match(items, matcher) if isinstance(item, MatchedUtterance)]


def after(text: str, pause: float, then: str) -> list[StreamItem]:
    """Two sentences with a pause in seconds between them."""
    first = said(text)
    return [first, said(then, first.end + pause)]


@pytest.mark.parametrize("text", ["您好", "您号", "王先生您好", "您好 欢迎 光临", "您好欢应光林"])
def test_a_similar_sound_is_a_hit(text: str) -> None:
    assert heard(text) == ["hello"]


@pytest.mark.parametrize("text", ["nin", "你好", "您", "好您", "请慢", "慢走", "谢", "再", "见再", "……！"])
def test_a_short_wording_must_be_exact_in_sound(text: str) -> None:
    assert heard(text) == []


def test_a_long_wording_may_differ_in_a_syllable_or_two() -> None:
    assert heard("请问您要什么业务") == ["ask-need"]  # 办理 lost one syllable and changed another
    assert only("请问您办理什么业务").score == 100
    assert 70 < only("请问您要什么业务").score < 100
    assert heard("请问什么") == []


def test_an_offence_needs_more_than_a_phrase() -> None:
    assert heard("这事不归我管") == ["not-mine"]
    assert heard("那事都归你管") == []


def test_of_two_that_overlap_the_better_candidate_stays() -> None:
    assert [hit.wording for hit in find_in_utterance(small(), said("再见请慢走")).phrases] == ["再见请慢走"]
    assert [hit.wording for hit in find_in_utterance(small(), said("请慢走再见")).phrases] == ["请慢走", "再见"]
    assert heard("您好 我 您好 你 您好") == ["hello", "hello", "hello"]


def test_one_syllable_needs_its_character_at_the_start_of_a_word_and_outside_longer_words() -> None:
    def words(text: str) -> list[str]:
        return [hit.owner for hit in find_in_utterance(small(), said(text)).words]

    assert words("请坐") == ["word-please"]
    assert words("清楚") == words("我想申请贷款") == words("我要请假") == []
    assert find_in_utterance(small(), timed(("申请", 0, 0.5), ("人", 0.5, 1))).words == ()


def test_a_request_needs_please_in_the_same_clause() -> None:
    assert rules("请出示您的身份证") == {"request-please": True}
    assert rules("出示您的身份证") == {"request-please": False}
    assert rules("请坐，出示您的身份证") == {"request-please": False}
    assert rules("我申请贷款要签字") == {"request-please": False}
    assert rules("麻烦您签字") == {"request-please": True}


def test_a_slot_takes_a_few_syllables_and_is_not_written_down() -> None:
    assert only("王经理您好").heard == "您好"
    assert rules("出示") == {}
    assert rules("出示身份证") == {"request-please": False}


def test_a_hit_has_the_times_of_its_words() -> None:
    utterance = timed(("那个", 1.0, 1.4), ("您好", 2.0, 2.6), ("啊", 3.0, 3.1))
    (hit,) = find_in_utterance(small(), utterance).phrases
    assert (hit.start, hit.end, hit.heard) == (2.0, 2.6, "您好")


@pytest.mark.parametrize(
    ("first", "then", "owners"),
    [
        ("谢谢您的", "信任", ["thanks", "thanks-trust"]),
        ("非常抱歉", "根据规定不能为您办理", ["complaint-apologise", "sorry-rule"]),
        ("请稍等", "一下", ["wait"]),
        ("您好", "您好", ["hello", "hello"]),
    ],
)
def test_a_phrase_may_be_the_beginning_of_another_that_a_pause_divides(
    first: str, then: str, owners: list[str]
) -> None:
    def found(pause: float) -> list[str]:
        return [hit.owner for item in matched(bank(), *after(first, pause, then)) for hit in item.findings.phrases]

    assert found(0.8) == owners
    assert "thanks-trust" not in found(1.5)


@pytest.mark.parametrize(("first", "followed"), [("麻烦您", True), ("请您", True), ("您的业务", False)])
def test_a_courtesy_before_a_pause_counts_for_the_rest_of_its_phrase(first: str, *, followed: bool) -> None:
    found = [rule for item in matched(bank(), *after(first, 0.8, "签个字")) for rule in item.findings.rules]
    assert [rule.followed for rule in found if rule.owner == "request-please"] == [followed]


@pytest.mark.parametrize(("start", "followed"), [(0.5, True), (0.9, False)])
def test_a_pause_ends_a_clause(start: float, *, followed: bool) -> None:
    (rule,) = find_in_utterance(small(), timed(("请", 0, 0.3), ("签字", start, start + 0.5))).rules
    assert rule.followed == followed


@pytest.mark.parametrize(("pause", "followed"), [(2.0, True), (6.0, False)])
def test_a_scope_in_seconds_reaches_into_the_previous_utterance(pause: float, *, followed: bool) -> None:
    _, last = matched(small(), *after("对不起", pause, "这个办不了"))
    assert last.findings.rules[0].followed == followed


TALK = "他说明天早上再去一趟银行看看"


@pytest.mark.parametrize(
    ("pause", "then", "offences"),
    [(1.0, "钱没有了", 0), (30.0, "钱没有了", 1), (1.0, TALK + "钱没有了", 1)],
    ids=["shortly before", "long ago", "late in the utterance"],
)
def test_a_context_excuses_an_offence_shortly_after_it(pause: float, then: str, offences: int) -> None:
    _, last = matched(small(), *after("对不起", pause, then))
    assert len(last.findings.offences) == offences


def test_a_context_in_the_same_utterance_excuses_an_offence_near_it() -> None:
    assert heard("对不起钱没有了") == []
    assert heard("钱没有了") == ["none-left"]
    assert heard("钱没有了" + TALK * 2 + "对不起") == ["none-left"], "one clause, six seconds"


def test_a_customers_apology_is_not_the_clerks() -> None:
    _, last = matched(small(), said("对不起", 0, "customer"), said("钱没有了", 2, "clerk"))
    assert [hit.owner for hit in last.findings.offences] == ["none-left"]


def test_long_utterances_are_matched_in_parts() -> None:
    long = said("您好" * 1000)
    assert all(len(to_syllables(part, 0.4)) <= MAX_UNITS for part in split_long(long))
    assert sum(len(find_in_utterance(small(), part).phrases) for part in split_long(long)) == 1000


def test_a_hundred_thousand_characters_are_matched_in_bounded_time() -> None:
    began = time.process_time()
    matched(small(), said("请问您办理什么" * 14_000))
    assert time.process_time() - began < 30  # a bound against quadratic time (hours), not a measurement


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="您好欢迎光临请问办理什么业务慢走再见谢没有了签字出示一二啊 ，", max_size=40))
def test_owed_and_forbidden_hits_never_overlap_and_lie_inside_the_utterance(text: str) -> None:
    utterance = said("啊" + text, 5)
    findings = find_in_utterance(small(), utterance)
    hits = sorted((*findings.phrases, *findings.offences), key=lambda hit: hit.start)
    assert all(earlier.end <= later.start + 1e-6 for earlier, later in pairwise(hits))
    assert all(5 <= hit.start < hit.end <= utterance.end + 1e-6 and 0 < hit.score <= 100 for hit in hits)


@pytest.mark.parametrize("prior", PRIOR_ORDER)
def test_every_owed_wording_of_the_bank_is_found_when_it_is_exact(prior: Prior) -> None:
    for pattern in OWED:
        found = find_in_utterance(bank().for_prior(prior), said("".join(filter(None, pattern.units)))).phrases
        assert found, pattern.wording
        assert all(hit.score == 100 for hit in found), pattern.wording


@pytest.mark.parametrize(
    ("before", "seconds", "found"),
    [("您好", 58, True), ("您好", 62, False), ("天气真好", 5, False), ("没有了", 5, False)],
    ids=["within a minute", "later", "other talk", "an offence"],
)
def test_a_phrase_is_more_likely_after_another(before: str, seconds: float, *, found: bool) -> None:
    first, second = matched(small(), *after(before, seconds, "请问您办理神药"))
    assert first.prior == ("phrases" if before == "您好" else "nothing")
    assert second.prior == ("phrases" if found else "nothing")
    assert [hit.owner for hit in second.findings.phrases] == ["ask-need"] * found


def test_a_phrase_is_more_likely_with_another_in_the_same_utterance() -> None:
    (item,) = matched(small(), said("您好，请问您办理神药"))
    assert [hit.owner for hit in item.findings.phrases] == ["hello", "ask-need"]


@pytest.mark.parametrize("text", ["给我您的身份证", "出示您的证件", "摄像头"])
def test_no_prior_makes_up_for_the_courtesy_that_a_rule_needs(text: str) -> None:
    _, second = matched(bank(), *after("您好", 4.5, text))
    assert second.prior == "phrases"
    assert second.findings.phrases == ()


@pytest.mark.parametrize(
    ("before", "prior"), [("您好", "phrases"), ("我要投诉", "scenario"), ("我非常理解您的心情", "scenario")]
)
def test_what_a_scenario_asks_for_is_more_likely_only_in_one(before: str, prior: Prior) -> None:
    def prior_and_phrases(text: str) -> tuple[Prior, list[str]]:
        _, item = matched(bank(), *after(before, 5, text))
        return item.prior, [hit.owner for hit in item.findings.phrases]

    listened = ["complaint-listen"]
    assert prior_and_phrases("今天您说的我都获贼去了反正") == (prior, listened if prior == "scenario" else [])
    assert prior_and_phrases("您说的我都听进去了") == ("scenario", listened)


THRESHOLD_FIELDS = (
    "allowed", "extended_allowed", "max_alignment_cost", "tolerates_edits", "min_units", "max_missing",
)  # fmt: skip


@given(st.sampled_from([pattern for pattern in bank().patterns if pattern.role == "phrase"]))
def test_where_phrases_are_likely_no_less_is_allowed(pattern: Pattern) -> None:
    likely = with_likely_threshold(pattern)
    assert all(more >= less for more, less in zip(likely.allowed, pattern.allowed, strict=True))
    assert likely._replace(**{name: getattr(pattern, name) for name in THRESHOLD_FIELDS}) == pattern


SENTENCES = ("您好", "请问您办理什么", "签字", "没有了", "对不起", "再见请慢走", "我要投诉", "啊")


@given(st.lists(st.tuples(st.sampled_from(SENTENCES), st.integers(0, 900)), max_size=12))
def test_the_cache_changes_no_finding(lines: list[tuple[str, int]]) -> None:
    matcher = with_cache(small())
    for text, at in lines:
        assert find_in_utterance(matcher, said(text, at)) == find_in_utterance(small(), said(text, at))
    assert small().cache is None


def test_the_cache_holds_only_the_latest_utterances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counter_listener.matching.search.MAX_CACHED_UTTERANCES", 3)
    matcher = with_cache(small())
    for text in ("您好", "签字", "再见", "您好", "没有了"):
        find_in_utterance(matcher, said(text))
    assert ["".join(map(str, key[0])) for key in matcher.cache or ()] == ["再见", "您好", "没有了"]


@given(st.sampled_from(OWED), st.data())
def test_nothing_is_a_better_candidate_than_the_wording_itself(pattern: Pattern, data: st.DataObject) -> None:
    right = [str(unit) for unit in pattern.units]
    wrong = [data.draw(st.sampled_from([unit, unit, *"贼获反里您", ""])) for unit in right]
    exact, other = best_candidate(pattern, "".join(right)), best_candidate(pattern, "".join(wrong))
    assert exact is not None
    assert exact.accepted
    if other is not None:
        assert (exact.cost, -exact.value) <= (other.cost, -other.value)


def best_candidate(pattern: Pattern, text: str) -> Candidate | None:
    """The best alignment of a wording with a sentence, scored; None where nothing of it is there."""
    if not text:
        return None
    syllables = to_syllables(said(text), 0.4)
    aligned = align(pattern, syllables, 0, len(syllables), {})
    return score_alignment(aligned) if aligned is not None and aligned.first < aligned.last else None


@pytest.mark.parametrize(("start", "owners"), [(2.4, ["hand-back"]), (1.9, [])])
def test_low_confidence_beyond_a_pause_does_not_count_against_a_phrase(start: float, owners: list[str]) -> None:
    clear = (("请", 1.0, 1.3), ("拿", 1.3, 1.5), ("好", 1.5, 1.9))
    mumbled = ((text, start + 0.2 * at, start + 0.2 * (at + 1), 0.2) for at, text in enumerate("足上市十二点多"))
    assert [hit.owner for hit in find_in_utterance(bank(), timed(*clear, *mumbled)).phrases] == owners
