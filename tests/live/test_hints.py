"""What the screen hints at: in time, one thing at once, gone when it is said or overtaken, and not in the record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import matcher
from support.small_counter import SMALL, matcher_of, said, small

from counter_listener.cli.listener_process import describe_standard
from counter_listener.domain import Event, MatchedUtterance, Tick, VisitToggle
from counter_listener.judging import advance, counted_findings, initial_state, typed_utterance
from counter_listener.live.hints import Moments, hint_at, hint_rules
from counter_listener.live.listener import guess_message
from counter_listener.live.screen_state import ScreenState
from counter_listener.matching import Matcher, find_in_utterance

TICK = 0.2
SENTENCES = (
    "您好",
    "你好",
    "我想取两万块钱",
    "请问您要办理什么业务",
    "请出示您的身份证",
    "请您在这里签字",
    "请收好您的证件",
    "谢谢",
    "谢谢您的配合",
    "再见",
    "请慢走",
    "我要投诉",
    "您请讲我在认真听",
    "我理解您的心情",
    "今天天气不错我们走吧",
)


class Counter:
    """A counter at which sentences are said: its events, and its screen after every tick."""

    def __init__(self, words: Matcher) -> None:
        self.words, self.state, self.at = words, initial_state(words.phrases), 0.0
        self.screen = ScreenState()
        self.screen.apply({"standard": describe_standard(words), "device": "", "model": "", "day": None})
        self.screen.apply({"begun": "live-1", "started": None})
        self.events: list[Event] = []
        self.hinted: list[tuple[float, str | None]] = []

    def say(self, text: str) -> None:
        """Somebody says a sentence, from now on: partial results, then the utterance."""
        utterance = said(text, self.at)
        self.screen.apply({"guess": text[:1], "ids": []})
        self.wait(utterance.end - utterance.start)
        self.screen.apply(guess_message(utterance, self.words))
        self._take(MatchedUtterance(utterance, find_in_utterance(self.words, utterance), len(text)))
        self.screen.apply({"guess": "", "ids": []})
        self._note()

    def wait(self, seconds: float) -> None:
        """Nobody speaks."""
        until = self.at + seconds
        while self.at < until:
            self.at = round(self.at + TICK, 3)
            self._take(Tick(self.at, self.at))
            self.screen.apply({"beat": self.at, "level": -20.0, "begun": True, "open": True})
            self._note()

    def _take(self, item: Any) -> None:
        self.state, new = advance(self.state, item)
        self.events += new
        for event in new:
            self.screen.apply({"event": asdict(event)})

    def _note(self) -> None:
        hint = self.screen.hint()
        self.hinted.append((self.at, hint.phrase if hint else None))
        if hint:
            assert self.screen.visit is not None
            assert hint.phrase not in self.screen.visit.heard
            assert hint.phrase not in self.screen.guessed
            assert any(event.kind == "visit_opened" for event in self.events)

    @property
    def hint(self) -> str | None:
        """What is hinted at now."""
        return self.hinted[-1][1]

    def first(self, phrase: str) -> float:
        """When a phrase was hinted at first."""
        return next(at for at, hint in self.hinted if hint == phrase)


def at_counter(*steps: str | float, name: str = "bank-counter") -> Counter:
    """A counter after sentences, and seconds of quiet."""
    counter = Counter(matcher(name))
    for step in steps:
        counter.say(step) if isinstance(step, str) else counter.wait(step)
    return counter


def test_the_greeting_is_hinted_at_while_there_is_time_to_say_it() -> None:
    counter = at_counter(3.0, "我想取两万块钱", 10.0)
    opened = counter.events[0].at
    assert counter.first("hello") <= opened + 5.0 + 0.5
    assert counter.hint == "hello"
    counter.say("您好")
    assert counter.hint is None


@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        (("您好", 5.0), None),
        (("您好", 7.0), "ask-need"),
        (("您好", 7.0, "请问您要办理什么业务"), None),
        (("您好", 7.0, "请您输入密码"), None),
        (("您好", "请问您要办理什么业务", "请您在这里签字", 9.0), "hand-back"),
        (("您好", "请问您要办理什么业务", "请收好您的证件", 3.0), None),
        (("您好", "请问您要办理什么业务", "请收好您的证件", 5.0), "goodbye"),
        (("您好", "请问您要办理什么业务", "请收好您的证件", 5.0, "请慢走"), None),
        (("您好", "请问您要办理什么业务", "谢谢", 5.0), "goodbye"),
        (("您好", "请问您要办理什么业务", "谢谢", 2.0, "请您输入密码", 9.0), None),
        (("您好", "请问您要办理什么业务", 39.0), None),
        (("您好", "请问您要办理什么业务", 42.0), "goodbye"),
        (("我想取两万块钱", 6.0, "请问您要办理什么业务", 2.0), None),
        (("您好", "请慢走", 15.0), None),
        (("您好", "请慢走", 25.0), None),
        (("您好", "我要投诉", 5.0), "complaint-listen"),
        (("您好", "我要投诉", 5.0, "您请讲我在认真听", 5.0), "complaint-sympathise"),
        (("您好", "我要投诉", "您请讲我在认真听", 2.0, "请收好您的证件", 5.0), "complaint-sympathise"),
    ],
    ids=str,
)
def test_what_is_due_is_hinted_at_and_what_is_said_or_overtaken_is_not(
    steps: tuple[str | float, ...], hint: str | None
) -> None:
    assert at_counter(*steps).hint == hint


def test_words_that_customers_say_too_answer_a_hint_and_do_not_prevent_it() -> None:
    counter = at_counter("你好", "我想取两万块钱", 8.0)
    assert counter.hint == "hello"
    counter.say("你好")
    assert counter.hint is None


def test_who_telephones_is_not_disturbed() -> None:
    counter = at_counter("我想取两万块钱", 2.0, "喂妈", "晚上回来再说好不好", 8.0)
    assert counter.hint is None
    counter.say("请出示您的身份证")
    assert counter.hint is None
    assert at_counter("今天天气不错我们走吧", "谢谢", 4.9).hint != "goodbye"


@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        (("昨晚那个电视剧你看了没有", 20.0), None),
        (("昨晚那个电视剧你看了没有", 20.0, "我想取两万块钱", 3.0), None),
        (("昨晚那个电视剧你看了没有", 20.0, "我想取两万块钱", 6.0), "hello"),
        (("昨晚那个电视剧你看了没有", 20.0, "你好", "我这事情挺急的", 6.0), "hello"),
        (("昨晚那个电视剧你看了没有", 20.0, "我要投诉", 6.0), "complaint-listen"),
    ],
    ids=str,
)
def test_talk_that_is_no_service_has_no_hint_until_somebody_comes(
    steps: tuple[str | float, ...], hint: str | None
) -> None:
    assert at_counter(*steps).hint == hint


def test_no_farewell_is_hinted_at_where_hardly_anything_of_a_service_was_heard() -> None:
    counter = at_counter("昨晚那个电视剧你看了没有", "您别着急", "谢谢", 50.0)
    assert "goodbye" not in {hint for _, hint in counter.hinted}
    counter = at_counter("我想取两万块钱", "您别着急", "谢谢", 50.0)
    assert "goodbye" in {hint for _, hint in counter.hinted}


def test_who_opens_a_visit_by_hand_says_that_somebody_is_there() -> None:
    counter = at_counter(1.0)
    counter._take(VisitToggle(counter.at))  # noqa: SLF001 - what the space key does
    counter.wait(6.0)
    assert counter.hint == "hello"


def test_a_set_that_names_no_errand_hints_at_any_speech() -> None:
    counter = Counter(small())
    counter.say("昨晚那个电视剧你看了没有")
    counter.wait(6.0)
    assert counter.hint == "hello"


def test_a_hint_goes_with_the_visit() -> None:
    counter = at_counter("您好", "我想取两万块钱", 200.0)
    assert counter.screen.visit is None
    assert counter.hint is None


def test_an_own_phrase_set_has_hints_without_a_word_about_them() -> None:
    rules = {rule.phrase: rule for rule in hint_rules(small().phrases, {"hello": "您好"})}
    assert set(rules) == {"hello", "ask-need", "goodbye", "sympathise"}
    assert (rules["hello"].after, rules["hello"].wait, rules["hello"].say) == (("opened",), 5.0, "您好")
    assert (rules["ask-need"].after, rules["ask-need"].until) == (("hello",), ("thanks", "goodbye"))
    assert rules["goodbye"].quiet == 40.0
    assert rules["sympathise"].after == ("complaint",)


def test_a_phrase_set_says_when_and_how() -> None:
    own = 'id = "goodbye"\nhint = { after = ["serve"], wait = 9, quiet = 0, until = ["greet"], say = "慢走啊" }'
    rules = {rule.phrase: rule for rule in hint_rules(matcher_of(SMALL.replace('id = "goodbye"', own)).phrases, {})}
    goodbye = rules["goodbye"]
    assert (goodbye.after, goodbye.wait, goodbye.quiet) == (("ask-need", "thanks"), 9.0, 0.0)
    assert (goodbye.until, goodbye.say) == (("hello",), "慢走啊")
    silent = SMALL.replace('id = "goodbye"', 'id = "goodbye"\nhint = { show = false }')
    assert "goodbye" not in {rule.phrase for rule in hint_rules(matcher_of(silent).phrases, {})}


def test_what_became_due_last_comes_first_and_a_scenario_before_all_else() -> None:
    rules = hint_rules(small().phrases, {})
    moments = Moments(0.0, {"thanks": 10.0, "hello": 9.0, "ask-need": 9.5}, {}, 10.0)
    hint = hint_at(rules, moments, 60.0)
    assert hint is not None
    assert hint.phrase == "goodbye"
    angry = Moments(0.0, {**moments.said, "complaint": 11.0}, {}, 11.0)
    hint = hint_at(rules, angry, 60.0)
    assert hint is not None
    assert hint.phrase == "sympathise"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(SENTENCES), st.floats(0.4, 30.0)), min_size=1, max_size=12))
def test_at_any_moment_there_is_at_most_one_hint_and_none_outlives_its_phrase_or_the_visit(
    steps: list[str | float],
) -> None:
    with_hints = at_counter(*steps)  # which checks every tick
    bare = initial_state(matcher().phrases)
    plain: list[Event] = []
    at = 0.0
    for step in steps:
        if isinstance(step, str):
            utterance = said(step, at)
            at = _ticked(at, utterance.end - utterance.start)
            bare, new = advance(bare, Tick(at, at))
            plain += new
            bare, new = advance(bare, MatchedUtterance(utterance, find_in_utterance(matcher(), utterance), len(step)))
        else:
            at = _ticked(at, step)
            bare, new = advance(bare, Tick(at, at))
        plain += new
    assert [asdict(event) for event in with_hints.events] == [asdict(event) for event in plain]


def _ticked(at: float, seconds: float) -> float:
    until = at + seconds
    while at < until:
        at = round(at + TICK, 3)
    return at


@pytest.mark.parametrize("name", ["bank-counter", "service-desk-en"])
def test_what_a_bundled_set_suggests_counts_as_that_phrase(name: str) -> None:
    words = matcher(name)
    for rule in describe_standard(words)["hints"]:
        assert ("phrase", rule["phrase"]) in {each[:2] for each in _found(words, rule["say"])}, rule["say"]


@pytest.mark.parametrize("name", ["bank-counter", "service-desk-en"])
def test_every_offence_has_a_better_wording_and_none_of_these_is_an_offence(name: str) -> None:
    words = matcher(name)
    better = describe_standard(words)["better"]
    phrases = words.phrases
    offences = {entry.id for entry in phrases.forbidden} | {rule.id for rule in phrases.rule}
    assert set(better) == offences | {entry.id for entry in phrases.manner}
    for say in set(better.values()):
        assert say
        assert not [each for each in _found(words, say) if each[0] == "offence" or each[2] is False], say


def _found(words: Matcher, text: str) -> list[tuple[str, str, bool | None]]:
    utterance = typed_utterance(text, "clerk")
    matched = MatchedUtterance(utterance, find_in_utterance(words, utterance), 0)
    return [(kind, hit.owner, hit.followed) for kind, hit in counted_findings(matched)]
