"""Finding templates in a stream: competition, contexts, rules, pauses, priors, the cache, and bounds."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drawn_templates import CHARACTERS, OUTSIDE, SLOTS_TOML, Tree, sentence, template, trees, written
from support.small_counter import matcher_of, said, small, timed

from counter_listener.domain import Gap, Hit, MatchedUtterance, Prior, StreamItem
from counter_listener.matching import (
    Matcher,
    find_in_utterance,
    match,
    search_candidates,
    to_syllables,
    with_cache,
)
from counter_listener.matching import matcher_of as matcher_of_owner
from counter_listener.matching.matcher import PRIOR_ORDER, RecentPhrases
from counter_listener.matching.syllables import MAX_UNITS, split_long

HEAD = """
name = "测试"
version = "1"
visit = { opens = [], closes = [] }
"""
PAUSES = (
    HEAD
    + """
[[stage]]
id = "serve"
title = "服务"
[[stage.phrase]]
id = "thanks"
say = ["谢谢"]
[[stage.phrase]]
id = "thanks-trust"
say = ["谢谢您的信任"]
[[stage.phrase]]
id = "sorry"
say = ["非常抱歉"]
[[stage.phrase]]
id = "sorry-rule"
say = ["非常抱歉没办法"]
[[stage.phrase]]
id = "wait"
say = ["请稍等[一下]"]
[[stage.phrase]]
id = "sign"
say = ["麻烦您在这里签个字"]
[[forbidden]]
id = "stop"
class = "粗鲁"
say = ["您到底办不办了"]
[[rule]]
id = "request-please"
title = "请求用请"
when = ["签个字"]
need = ["请", "麻烦"]
"""
)


def heard(text: str, matcher: Matcher | None = None) -> list[str]:
    """Ids of the phrases and offences in a sentence."""
    findings = find_in_utterance(matcher or small(), said(text))
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


def set_of(*nodes: Tree) -> Matcher:
    """A phrase set with one phrase for each template."""
    tables = (f'[[stage.phrase]]\nid = "{number}"\nsay = ["{written(node)}"]\n' for number, node in enumerate(nodes))
    return matcher_of(HEAD + SLOTS_TOML + '[[stage]]\nid = "stage"\ntitle = "stage"\n' + "".join(tables))


ALPHABETS = [CHARACTERS[:6], CHARACTERS[6:12], CHARACTERS[12:]]
SETS = st.tuples(*(trees(alphabet) for alphabet in ALPHABETS))


@settings(max_examples=60)
@given(SETS, st.data(), st.text(OUTSIDE, max_size=30), st.text(OUTSIDE, max_size=30))
def test_what_fits_a_template_to_the_letter_is_its_phrase(
    nodes: tuple[Tree, ...], data: st.DataObject, lead: str, tail: str
) -> None:
    matcher, number = set_of(*nodes), data.draw(st.integers(0, len(nodes) - 1))
    text = sentence(data, nodes[number])
    for around in (text, lead + text + tail):
        found = find_in_utterance(matcher, said(around)).phrases
        assert [hit.owner for hit in found if hit.score >= 90] == [str(number)]
        (hit,) = (hit for hit in found if hit.owner == str(number))
        assert hit.start < (around.index(text) + len(text)) / 4
        assert hit.end > around.index(text) / 4


@settings(max_examples=60)
@given(st.lists(trees(), min_size=1, max_size=5), st.data())
def test_similar_templates_do_not_hide_a_sentence(nodes: list[Tree], data: st.DataObject) -> None:
    """Another phrase may win the words, but the sentence itself is a candidate that is accepted."""
    number = data.draw(st.integers(0, len(nodes) - 1))
    text = sentence(data, nodes[number])
    found = search_candidates(set_of(*nodes), to_syllables(said(text), 0.4))
    assert any(one.accepted and one.alignment.spelled and one.owner == str(number) for one in found)


@pytest.mark.parametrize(
    ("say", "text"),
    [
        (["天地[人山]"], "天地人山"),
        (["您好[欢迎光临本行]"], "甲乙您好欢迎光甲乙甲乙"),
        (["您好[欢迎光临]"], "甲乙您好欢迎光甲乙甲乙"),
        ([*(f"我们不会{way}泄露您的信息" for way in "乱再先都也就还偷"), "感谢信任"], "我们会泄露您的信息感谢信任"),
    ],
)
def test_what_almost_fits_does_not_hide_what_fits(say: list[str], text: str) -> None:
    quoted = ", ".join(f'"{wording}"' for wording in say)
    matcher = matcher_of(HEAD + f'[[stage]]\nid = "s"\ntitle = "s"\n[[stage.phrase]]\nid = "p"\nsay = [{quoted}]\n')
    assert "p" in heard(text, matcher)


@pytest.mark.parametrize("text", ["您好", "王先生您好", "您好 欢迎 光临", "您好欢应光林"])
def test_a_similar_sound_is_a_hit(text: str) -> None:
    assert heard(text) == ["hello"]


@pytest.mark.parametrize("text", ["nin", "你好", "您", "好您", "请慢", "慢走", "谢", "再", "见再", "……！"])
def test_a_short_wording_must_be_exact_in_sound(text: str) -> None:
    assert heard(text) == []


@pytest.mark.parametrize(
    "text", ["请问您办理什么夜务", "请问您办里什么业务", "请问您嗯办理什么业务", "清问您办理什么业务"]
)
def test_a_long_wording_may_differ_in_a_syllable(text: str) -> None:
    assert heard(text) == ["ask-need"]
    assert 70 < only(text).score < 100
    assert only(text).wording == "请问您办理什么业务"
    assert only("请问您办理什么业务").score == 100
    assert heard("请问什么") == []


def test_an_offence_is_not_its_contrary() -> None:
    assert heard("这事不归我管") == ["not-mine"]
    assert heard("那事都归你管") == heard("这事归我管") == []


def test_of_two_that_overlap_the_better_candidate_stays() -> None:
    assert [hit.wording for hit in find_in_utterance(small(), said("再见请慢走")).phrases] == ["再见请慢走"]
    assert [hit.wording for hit in find_in_utterance(small(), said("请慢走再见")).phrases] == ["请慢走", "再见"]
    assert heard("您好 我 您好 你 您好") == ["hello", "hello", "hello"]


def test_several_templates_that_fit_one_place_are_one_hit() -> None:
    (hit,) = find_in_utterance(small(), said("王先生您好欢迎光临")).phrases
    assert (hit.owner, hit.wording) == ("hello", "您好欢迎光临")


def test_traditional_characters_and_full_width_letters_are_found() -> None:
    assert heard("歡迎光臨，謝謝您的配合") == ["thanks"]
    findings = find_in_utterance(
        matcher_of(PAUSES.replace("非常抱歉", "请连WIFI密码")), timed(("请连ＷｉＦｉ密码", 0, 2))
    )
    assert [hit.owner for hit in findings.phrases] == ["sorry"]


def test_one_syllable_needs_its_character_at_the_start_of_a_word_and_outside_longer_words() -> None:
    def words(text: str) -> list[str]:
        return [hit.owner for hit in find_in_utterance(small(), said(text)).words]

    assert words("请坐") == ["word-please"]
    assert words("清楚") == words("我想申请贷款") == words("我要请假") == []
    assert find_in_utterance(small(), timed(("申请", 0, 0.5), ("人", 0.5, 1))).words == ()


def test_a_courtesy_word_counts_inside_a_phrase() -> None:
    assert [hit.owner for hit in find_in_utterance(small(), said("请问您办理什么业务")).words] == ["word-please"]
    assert [hit.owner for hit in find_in_utterance(small(), said("再见请慢走")).words] == ["word-please"]


def test_a_longer_word_hides_only_what_it_contains() -> None:
    toml = PAUSES.replace('["谢谢"]', '["谢谢"]\nnot_in = ["感谢谢谢网"]')
    assert heard("感谢谢谢网", matcher_of(toml)) == []
    assert heard("谢谢感谢谢谢网", matcher_of(toml)) == heard("谢谢网", matcher_of(toml)) == ["thanks"]


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
        ("非常抱歉", "没办法", ["sorry", "sorry-rule"]),
        ("请稍等", "一下", ["wait"]),
        ("谢谢", "谢谢", ["thanks", "thanks"]),
        ("您到底", "办不办了", ["stop"]),
        ("您到底", "拌不拌了", []),
    ],
)
def test_a_template_continues_after_a_short_pause(first: str, then: str, owners: list[str]) -> None:
    def found(*items: StreamItem) -> list[str]:
        findings = [item.findings for item in matched(matcher_of(PAUSES), *items)]
        return [hit.owner for each in findings for hit in (*each.phrases, *each.offences)]

    assert found(*after(first, 0.8, then)) == owners
    whole = {"thanks-trust", "sorry-rule", "stop"}
    assert not whole & set(found(*after(first, 1.5, then)))
    head, tail = after(first, 0.8, then)
    assert not whole & set(found(head, Gap(1.5, 0.1, "lost"), tail))


def test_a_template_does_not_continue_in_the_words_of_somebody_else() -> None:
    first = said("谢谢您的", 0, "clerk")
    found = matched(matcher_of(PAUSES), first, said("信任", first.end + 0.5, "customer"))
    assert [hit.owner for item in found for hit in item.findings.phrases] == ["thanks"]


@pytest.mark.parametrize(("first", "followed"), [("麻烦您在这里", True), ("您的业务在这里", False)])
def test_a_courtesy_before_a_pause_counts_for_the_rest_of_its_phrase(first: str, *, followed: bool) -> None:
    found = [rule for item in matched(matcher_of(PAUSES), *after(first, 0.8, "签个字")) for rule in item.findings.rules]
    assert [rule.followed for rule in found] == [followed]


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


def test_a_context_of_several_owners_is_one_entry() -> None:
    toml = PAUSES.replace('say = ["您到底办不办了"]', 'say = ["您到底办不办了"]\nunless = ["对不起", "[真]抱歉"]')
    toml += '[[forbidden]]\nid = "go"\nclass = "粗鲁"\nsay = ["走走走走"]\nunless = ["对不起"]\n'
    entries = [entry for entry in matcher_of(toml).automaton.entries if entry.role == "unless"]
    assert sorted(map(sorted, (entry.owners for entry in entries))) == [["go", "stop"], ["stop"]]
    assert heard("对不起走走走走", matcher_of(toml)) == heard("对不起您到底办不办了", matcher_of(toml)) == []
    assert heard("抱歉走走走走", matcher_of(toml)) == ["go"]


def test_long_utterances_are_matched_in_parts() -> None:
    long = said("请问您办理什么业务" + TALK, 0)
    text = said(("请问您办理什么业务" + TALK) * 100)
    parts = list(split_long(text))
    assert len(parts) > 5
    assert all(len(to_syllables(part, 0.4)) <= MAX_UNITS for part in parts)
    assert [word for part in parts for word in part.words] == list(text.words)
    assert list(split_long(long)) == [long]
    found = [hit.owner for item in matched(small(), text) for hit in item.findings.phrases]
    assert found == ["ask-need"] * 100


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "text", [(TALK * 6 + "请问您办理什么业务") * 107, "谢" * 1_000, "某" * 1_000], ids=["talk", "thanks", "someone"]
)
def test_a_long_text_is_matched_in_bounded_time(text: str, times: int) -> None:
    began = time.process_time()
    assert sum(item.units for item in matched(small(), said(text * times))) == len(text) * times
    assert time.process_time() - began < 3 * times  # a bound against quadratic time (hours), not a measurement


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_gives_a_result(text: str) -> None:
    for item in matched(small(), said("啊" + text)):
        assert item.units >= 1


@settings(max_examples=100)
@given(st.text(alphabet="您好欢迎光临请问办理什么业务慢走再见谢没有了签字出示一二啊 ，", max_size=40))
def test_owed_and_forbidden_hits_never_overlap_and_lie_inside_the_utterance(text: str) -> None:
    utterance = said("啊" + text, 5)
    findings = find_in_utterance(small(), utterance)
    hits = sorted((*findings.phrases, *findings.offences), key=lambda hit: hit.start)
    assert all(earlier.end <= later.start + 1e-6 for earlier, later in pairwise(hits))
    assert all(5 <= hit.start < hit.end <= utterance.end + 1e-6 and 0 < hit.score <= 100 for hit in hits)


@pytest.mark.parametrize("prior", PRIOR_ORDER)
def test_every_template_is_found_with_any_prior(prior: Prior) -> None:
    for text, owner in {"您好": "hello", "请慢走": "goodbye", "谢谢": "thanks", "我理解您的心情": "sympathise"}.items():
        found = search_candidates(small(), to_syllables(said(text), 0.4), prior)
        assert [one.owner for one in found if one.accepted and one.role == "phrase"] == [owner]


@pytest.mark.parametrize(
    ("before", "seconds", "prior"),
    [
        ("您好", 58, "phrases"),
        ("您好", 62, "nothing"),
        ("天气真好", 5, "nothing"),
        ("没有了", 5, "nothing"),
        ("我要投诉", 5, "scenario"),
        ("我要投诉", 62, "nothing"),
        ("我理解您的心情", 5, "scenario"),
    ],
)
def test_a_phrase_is_more_likely_after_another(before: str, seconds: float, prior: Prior) -> None:
    _, second = matched(small(), *after(before, seconds, "天气真好"))
    assert second.prior == prior


def test_a_phrase_in_the_same_utterance_makes_others_likely() -> None:
    assert [item.prior for item in matched(small(), said("您好，天气真好"))] == ["phrases"]
    assert [item.prior for item in matched(small(), said("我要投诉，天气真好"))] == ["scenario"]
    assert [item.prior for item in matched(small(), said("天气真好"))] == ["nothing"]


@settings(max_examples=80)
@given(st.text(alphabet="请清问您里办理神药什么叶业务夜雾我解的心情新", min_size=2, max_size=12))
def test_where_phrases_are_likely_no_less_is_accepted(text: str) -> None:
    syllables = to_syllables(said(text), 0.4)

    def accepted(prior: Prior) -> set[tuple[str, int, int]]:
        found = search_candidates(small(), syllables, prior)
        return {(one.owner, one.first, one.last) for one in found if one.accepted and one.role == "phrase"}

    assert accepted("nothing") <= accepted("phrases") <= accepted("scenario")


def test_a_phrase_is_likely_only_in_its_scenario() -> None:
    likely = {
        owner: [prior for prior in PRIOR_ORDER if small().is_likely(owner, prior)] for owner in ("hello", "sympathise")
    }
    assert likely == {"hello": ["phrases", "scenario"], "sympathise": ["scenario"]}


def test_what_was_heard_is_likely_for_a_minute() -> None:
    recent = RecentPhrases(phrase=10.0, scenario=5.0)
    assert [recent.prior(now) for now in (20.0, 65.0, 66.0, 70.0, 71.0)] == [
        "scenario",
        "scenario",
        "phrases",
        "phrases",
        "nothing",
    ]


SENTENCES = ("您好", "请问您办理什么", "签字", "没有了", "对不起", "再见请慢走", "我要投诉", "啊")


@settings(max_examples=50)
@given(st.lists(st.sampled_from(SENTENCES), max_size=12))
def test_the_cache_changes_no_finding(texts: list[str]) -> None:
    matcher = with_cache(small())
    for text in texts:
        assert find_in_utterance(matcher, said(text)) == find_in_utterance(small(), said(text))
    assert small().cache is None


def test_a_hit_from_the_cache_has_the_times_of_its_own_utterance() -> None:
    matcher = with_cache(small())
    for at in (0.0, 300.0):
        (hit,) = find_in_utterance(matcher, said("您好", at)).phrases
        assert (hit.start, hit.end) == (at, at + 0.5)


def test_the_cache_holds_only_the_latest_utterances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counter_listener.matching.matching.MAX_CACHED_UTTERANCES", 3)
    matcher = with_cache(small())
    for text in ("您好", "签字", "再见", "您好", "没有了"):
        find_in_utterance(matcher, said(text))
    assert ["".join(map(str, key[0])) for key in matcher.cache or ()] == ["再见", "您好", "没有了"]


def test_the_matcher_of_an_owner_has_its_templates_alone_and_finds_what_hardly_resembles_them() -> None:
    alone = matcher_of_owner(small(), "none-left")
    assert {entry.role for entry in alone.automaton.entries} == {"forbidden", "unless"}
    syllables = to_syllables(said("钱都没了吧"), 0.4)
    assert {one.owner for one in search_candidates(alone, syllables) if one.role == "forbidden"} == {"none-left"}


@settings(max_examples=40)
@given(trees(slots=False), st.data())
def test_a_hit_has_the_sentence_of_the_template_as_its_wording(node: Tree, data: st.DataObject) -> None:
    text = sentence(data, node)
    (hit,) = find_in_utterance(set_of(node), said(text)).phrases
    assert hit.heard == text
    assert hit.score == 100
    assert template(node).occurs_in(tuple(hit.wording))
