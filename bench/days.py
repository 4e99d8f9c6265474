"""What counts as a visit in made-up days of a counter: customers, talk among staff, telephone calls, and the door.

    python bench/days.py [--phrases NAME] [--half tuning|reporting|later] [--show]

The days are text with times (days.toml). A part that is no visit and overlaps one that counts is a false visit; a
visit that no counted one overlaps is missed, and one that several overlap is divided.
"""

import argparse
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from counter_listener.domain import Event, Utterance, Word
from counter_listener.judging import load_matcher, typed_utterance
from counter_listener.matching import Matcher
from counter_listener.pipeline import judge_events, with_ticks

DAYS: Final = Path(__file__).with_name("days.toml")
Table = dict[str, Any]
PAUSE: Final = 1.5
"""Seconds between two sentences where the day says nothing."""
AFTER: Final = 200.0
"""Seconds of quiet at the end of a day: the last visit closes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a day, in seconds."""

    kind: str
    start: float
    end: float
    first: str


@dataclass(slots=True)
class Count:
    """What a day became."""

    visits: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    divided: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


def day_items(day: Table) -> tuple[list[Utterance], list[Part]]:
    """The utterances of a day, and its parts."""
    items: list[Utterance] = []
    parts: list[Part] = []
    at = 0.0
    for part in day["part"]:
        at += part["after"]
        start, pause = at, 0.0
        for said in part["said"]:
            if not isinstance(said, str):
                pause = float(said)
                continue
            at += pause
            typed = typed_utterance(said)
            words = tuple(Word(word.text, word.start + at, word.end + at) for word in typed.words)
            items.append(Utterance(words[0].start, words[-1].end, words))
            at, pause = words[-1].end, PAUSE
        parts.append(Part(part["kind"], start, at, str(part["said"][0])))
    return items, parts


def counted(events: list[Event]) -> Iterator[tuple[float, float]]:
    """Start and end of each visit that counts."""
    for event in events:
        if event.kind == "visit_closed" and event.detail["outcome"] != "no_service":
            opened, seconds = float(str(event.detail["opened"])), float(str(event.detail["seconds"]))
            yield opened, opened + seconds


def count_day(day: Table, matcher: Matcher) -> Count:
    """What becomes of a day."""
    items, parts = day_items(day)
    spans = list(counted(list(judge_events(with_ticks(items, items[-1].end + AFTER), matcher))))
    count = Count()
    used: set[tuple[float, float]] = set()
    for part in (one for one in parts if one.kind == "visit"):
        found = [span for span in spans if span[0] < part.end and part.start < span[1]]
        count.visits += 1
        count.found += bool(found)
        used |= set(found)
        if not found:
            count.missed.append(part.first)
        if len(found) > 1:
            count.divided.append(part.first)
    for span in spans:
        if span not in used:
            told = (f"{one.kind}: {one.first}" for one in parts if span[0] < one.end and one.start < span[1])
            count.false.append(next(told, "?"))
    return count


def main() -> None:
    """Prints the figures of each day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--half", choices=("tuning", "reporting", "later"))
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    matcher, _ = load_matcher(asked.phrases, proven=False)
    days = tomllib.loads(DAYS.read_text(encoding="utf-8"))["day"]
    for day in (one for one in days if asked.half in (None, one["half"])):
        count = count_day(day, matcher)
        others = sum(part["kind"] != "visit" for part in day["part"])
        print(
            f"{day['name']} ({day['half']}): {count.found} of {count.visits} visits found,"
            f" {len(count.divided)} divided,"
            f" {len(count.false)} of {others} other parts counted as visits"
        )
        if asked.show:
            for name in ("missed", "divided", "false"):
                for text in getattr(count, name):
                    print(f"  {name}: {text}")


if __name__ == "__main__":
    main()
