"""A small counter for tests: a phrase set of a few words, and visits written down instead of spoken."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from counter_listener.domain.types import Event, Gap, Speaker, Tick, Utterance, Word
from counter_listener.judging.examples import typed_utterance
from counter_listener.judging.visit import judge
from counter_listener.matching.matcher import Matcher, prepare_matcher
from counter_listener.matching.matching import match
from counter_listener.phrases.phrase_file import validate

QUIET, IDLE = 20.0, 120.0
SMALL = """
name = "小柜台"
version = "1"

[visit]
opens = ["hello"]
closes = ["goodbye"]
quiet = 20
idle = 120
opening_syllables = 6

[slots]
doc = {min = 1, max = 6}
title = {min = 1, max = 3}

[[step]]
id = "greeting"
title = "问候"
stage = "greet"

[[stage]]
id = "greet"
title = "迎接"
[[stage.phrase]]
id = "hello"
step = "greeting"
say = ["您好", "您好欢迎光临", "{title}您好"]
required = true
within = 15
weight = 2

[[stage]]
id = "serve"
title = "满足"
[[stage.phrase]]
id = "ask-need"
say = ["请问您办理什么业务"]
required = true
[[stage.phrase]]
id = "thanks"
say = ["谢谢您的配合"]
shared = ["谢谢"]

[[stage]]
id = "farewell"
title = "送别"
[[stage.phrase]]
id = "goodbye"
say = ["请慢走", "再见请慢走"]
shared = ["再见"]
required = true

[[word]]
id = "word-please"
say = ["请"]
not_in = ["申请", "请假"]

[[forbidden]]
id = "none-left"
class = "敷衍"
say = ["钱没有了"]
shared = ["没有了"]
unless = ["对不起"]

[[forbidden]]
id = "not-mine"
class = "推诿"
severity = "grave"
say = ["这事不归我管"]

[[rule]]
id = "request-please"
title = "请求用请"
when = ["出示{doc}", "签字"]
need = ["请", "麻烦"]
not_in = ["申请"]

[[rule]]
id = "refusal-sorry"
title = "拒绝用对不起"
when = ["办不了"]
need = ["对不起"]
scope = 4.0

[[scenario]]
id = "complaint"
title = "投诉"
when = ["我要投诉"]
[[scenario.stage]]
id = "sympathy"
title = "共情"
[[scenario.stage.phrase]]
id = "sympathise"
say = ["我理解您的心情"]
required = true
"""
FULL = ("您好欢迎光临", "请问您办理什么业务", "我想取两万块钱", "请出示您的身份证", "请慢走")
SECONDS_BETWEEN = 3.0

Item = Utterance | Gap | Tick


@cache
def small() -> Matcher:
    """The small counter's phrase set, ready for matching."""
    return prepare_matcher(validate(tomllib.loads(SMALL), Path("small.toml")))


def said(text: str, at: float, speaker: Speaker = "unknown") -> Utterance:
    """A sentence spoken at a time, in seconds."""
    spoken = typed_utterance(text, speaker)
    words = tuple(Word(word.text, word.start + at, word.end + at) for word in spoken.words)
    return Utterance(words[0].start, words[-1].end, words, speaker)


def talk(texts: Iterable[str], at: float = 0.0) -> list[Item]:
    """Sentences one after the other, with a short pause between them."""
    items: list[Item] = []
    for text in texts:
        items.append(said(text, at))
        at = items[-1].end + 1.0 if isinstance(items[-1], Utterance) else at
    return items


def with_ticks(items: Iterable[Item], until: float | None = None) -> Iterator[Item]:
    """The items with time passing between them, and after them up to `until` seconds."""
    over = 0.0
    for item in items:
        start = item.at if isinstance(item, Tick) else item.start
        yield Tick(start, start)
        yield item
        over = end_of(item)
    yield Tick(max(over, until or 0.0), max(over, until or 0.0))


def end_of(item: Item) -> float:
    """Seconds into the stream at which an item is over."""
    if isinstance(item, Tick):
        return item.at
    return item.start + item.seconds if isinstance(item, Gap) else item.end


def events(items: Iterable[Item], *, until: float | None = None, one_visit: bool = False) -> list[Event]:
    """The events of a written-down stream."""
    return list(judge(match(with_ticks(items, until), small()), small().phrases, one_visit=one_visit))


def verdicts(told: Iterable[Event], visit: int = 1) -> dict[str, str]:
    """The verdict on each phrase, offence and rule of one visit, the last where there are more."""
    return {event.phrase: str(event.verdict) for event in told if event.visit == visit and event.phrase}


def closed(told: Iterable[Event]) -> list[Event]:
    """How each visit closed."""
    return [event for event in told if event.kind == "visit_closed"]
