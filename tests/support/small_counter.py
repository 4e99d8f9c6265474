"""A small counter for tests: a phrase set of a few words, and utterances that are written instead of spoken.

- `matcher_of(toml)`: the matcher of a phrase set that a test writes; `small()` is that of SMALL, and
  `support.bundled.matcher(name)` that of a bundled set.
- `FRAMED`: SMALL with frames of its own, one for each thing that a frame can make of an offence.
- `said("您好", 3.0, "clerk")`: a sentence at an even pace, from second 3 on.
- `timed(("请", 0, 0.3), ("签字", 1, 2))`: an utterance of words with their own times, where a pause matters.
- `talk(["您好", "请慢走"])`: sentences with a second between them.
- `events(items)`: the events of utterances and gaps; `verdicts(events)` and `closed(events)` read them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from counter_listener.domain import Event, Gap, Speaker, Utterance, Word
from counter_listener.judging import typed_utterance
from counter_listener.matching import Matcher, prepare_matcher
from counter_listener.phrases.phrase_file import validate
from counter_listener.pipeline import judge_events, with_ticks

QUIET, IDLE = 20.0, 120.0
SMALL_FILE: Final = Path(__file__).with_name("small.toml")
SMALL: Final = SMALL_FILE.read_text(encoding="utf-8")
FRAMED: Final = (
    SMALL
    + """
[frames.lists]
who = ["他", "她"]
[[frames.frame]]
id = "reported"
title = "转述"
of = ["phrase", "forbidden"]
reach = "utterance"
before = ["{who}[上次]说"]
[[frames.frame]]
id = "condition"
title = "假设"
makes = "unknown"
before = ["要是"]
[[frames.frame]]
id = "customer-speaks"
title = "像客户的话"
makes = "shared"
before = ["你们"]
"""
)
FULL = ("您好欢迎光临", "请问您办理什么业务", "我想取两万块钱", "请出示您的身份证", "请慢走")
"""A visit with everything that is owed."""

Item = Utterance | Gap
TimedWord = tuple[str, float, float] | tuple[str, float, float, float]
"""A word, its start and end in seconds into the stream, and its confidence if that is not 1."""


@cache
def matcher_of(toml: str) -> Matcher:
    """The matcher of a phrase set that is written in TOML."""
    return prepare_matcher(validate(tomllib.loads(toml), Path("test.toml")))


def small() -> Matcher:
    """The matcher of the small counter."""
    return matcher_of(SMALL)


def said(text: str, at: float = 0.0, speaker: Speaker = "unknown") -> Utterance:
    """A sentence, its syllables of equal length, that starts `at` seconds into the stream."""
    words = ((word.text, word.start + at, word.end + at) for word in typed_utterance(text).words)
    return timed(*words, speaker=speaker)


def timed(*words: TimedWord, speaker: Speaker = "unknown") -> Utterance:
    """An utterance of words that have their own times."""
    return Utterance(words[0][1], words[-1][2], tuple(Word(*word) for word in words), speaker)


def talk(texts: Iterable[str], at: float = 0.0) -> list[Item]:
    """Sentences with a second between them, the first `at` seconds into the stream."""
    items: list[Item] = []
    for text in texts:
        items.append(said(text, end_of(items[-1]) + 1.0 if items else at))
    return items


def end_of(item: Item) -> float:
    """Seconds into the stream at which an item ends."""
    return item.start + item.seconds if isinstance(item, Gap) else item.end


def events(items: Iterable[Item], *, until: float = 0.0, one_visit: bool = False) -> list[Event]:
    """The events of utterances and gaps in a stream of at least `until` seconds, at the small counter."""
    return list(judge_events(with_ticks(items, until), small(), one_visit=one_visit))


def verdicts(recorded: Iterable[Event], visit: int = 1) -> dict[str, str]:
    """The verdict on each phrase, offence and rule of one visit, the last where there are more."""
    return {event.phrase: str(event.verdict) for event in recorded if event.visit == visit and event.phrase}


def closed(recorded: Iterable[Event]) -> list[Event]:
    """The events with which visits closed."""
    return [event for event in recorded if event.kind == "visit_closed"]
