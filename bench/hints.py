"""Hints in made-up days of a counter: those begun in talk that is no service, and those that were due, and how late.

    python bench/hints.py [--days FILE] [--half NAME] [--phrases NAME] [--show]

The days are text with times (hint_days.toml; those of days.py have no `due`). A sentence is a partial result without
any finding from its beginning and with all at its end: what is measured is the rules alone and not recognition. A part
goes on until the next begins. A hint that is begun in a part that is no visit is false. `due` are the phrases that
nobody says in a visit: each should be hinted at in it; lateness is from the beginning of the visit.
"""

import argparse
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from days import AFTER, Part, Table, day_items

from counter_listener.cli.listener_process import describe_standard
from counter_listener.domain import MatchedItem, MatchedUtterance, Tick, Utterance
from counter_listener.judging import advance, initial_state, load_matcher
from counter_listener.live import ScreenState
from counter_listener.live.listener import guess_message
from counter_listener.matching import Matcher, match

DAYS: Final = Path(__file__).with_name("hint_days.toml")
TICK: Final = 0.2
"""Seconds between two looks at the screen."""


@dataclass(slots=True)
class Hints:
    """What was hinted at in some days."""

    hours: float = 0.0
    beside: int = 0
    """Parts that are no visit."""
    false: list[str] = field(default_factory=list)
    """What was hinted at in them, as `phrase: first sentence`."""
    due: int = 0
    given: list[float] = field(default_factory=list)
    """Of what was due, the seconds after which each was hinted at."""
    missed: list[str] = field(default_factory=list)


def shown_hints(items: Sequence[Utterance], matcher: Matcher) -> Iterator[tuple[float, str]]:
    """What is hinted at, every TICK seconds: the time, and the phrase, empty for none."""
    screen, state, at = ScreenState(), initial_state(matcher.phrases), 0.0
    screen.apply({"standard": describe_standard(matcher), "device": "", "model": "", "day": None})
    screen.apply({"begun": "live-1", "started": None})
    end = items[-1].end + AFTER
    said = [one for one in match(iter(items), matcher) if isinstance(one, MatchedUtterance)]
    while at < end:
        at = round(at + TICK, 3)
        if said and said[0].utterance.start <= at and not screen.guess:
            screen.apply({"guess": said[0].utterance.words[0].text, "ids": []})
        ready = [said.pop(0)] if said and said[0].utterance.end <= at else []
        for matched in ready:
            screen.apply(guess_message(matched.utterance, matcher))
        passed: list[MatchedItem] = [Tick(at, min(at, said[0].utterance.start) if said else at), *ready]
        for item in passed:
            state, events = advance(state, item)
            for event in events:
                screen.apply({"event": asdict(event)})
        screen.apply({"beat": at, "level": -20.0, "begun": True, "open": True})
        hint = screen.hint()
        yield at, hint.phrase if hint else ""
        if ready:
            screen.apply({"guess": "", "ids": []})


def count_hints(day: Table, matcher: Matcher, hints: Hints) -> None:
    """Adds what was hinted at in a day."""
    items, parts = day_items(day)
    ends = [*(part.start for part in parts[1:]), items[-1].end + AFTER]
    shown = list(shown_hints(items, matcher))
    hints.hours += ends[-1] / 3600
    begun = [(at, phrase) for (_, before), (at, phrase) in pairwise(shown) if phrase not in ("", before)]
    for part, end, table in zip(parts, ends, day["part"], strict=True):
        if part.kind == "visit":
            _count_due(part, [each for each in shown if part.start <= each[0] < end], table.get("due", []), hints)
        else:
            hints.beside += 1
            hints.false += [f"{phrase} {part.kind}: {part.first}" for at, phrase in begun if part.start <= at < end]


def _count_due(part: Part, within: list[tuple[float, str]], due: list[str], hints: Hints) -> None:
    first = {phrase: at for at, phrase in reversed(within)}
    hints.due += len(due)
    hints.given += [first[phrase] - part.start for phrase in due if phrase in first]
    hints.missed += [f"{phrase}: {part.first}" for phrase in due if phrase not in first]


def told(hints: Hints) -> str:
    """The figures in a line."""
    kinds = ", ".join(f"{phrase} {count}" for phrase, count in Counter(each.split()[0] for each in hints.false).items())
    late = f", after {median(hints.given):.1f} s (most {max(hints.given):.1f})" if hints.given else ""
    return (
        f"{len(hints.false)} begun in {hints.beside} parts that are no visit, {len(hints.false) / hints.hours:.1f} an"
        f" hour ({kinds or 'none'}); {len(hints.given)} of {hints.due} that were due were given{late}"
    )


def main() -> None:
    """Prints the figures of each day, and of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=Path, default=DAYS)
    parser.add_argument("--half")
    parser.add_argument("--phrases", default="bank-counter")
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    matcher, _ = load_matcher(asked.phrases, proven=False)
    days = tomllib.loads(asked.days.read_text(encoding="utf-8"))["day"]
    halves: dict[str, Hints] = {}
    for day in (one for one in days if asked.half in (None, one["half"])):
        count_hints(day, matcher, halves.setdefault(day["half"], Hints()))
    for half, hints in halves.items():
        print(f"{half}: {told(hints)}")
        for text in (*hints.false, *(f"missed {one}" for one in hints.missed)) if asked.show else ():
            print(f"  {text}")


if __name__ == "__main__":
    main()
