"""A verdict that is marked as wrong at the counter: an appeal, at once on the disk, taken back within ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.record_cases import NOW
from support.small_counter import events, talk

from counter_listener.domain import Event
from counter_listener.live.marking import NOTHING, TOO_LATE, UNDO_SECONDS, UNRECORDED, Marks
from counter_listener.record import (
    LIVE,
    MARKED,
    Appeal,
    Decision,
    Origin,
    Record,
    appeals_of,
    decide_appeal,
    open_record,
    visit_history,
)

ORIGIN = Origin("live-1", LIVE, "3", NOW, "小柜台", "0" * 64, "m")
VISIT = "live-1-1"
RUDE = ["您好", "请问您办理什么业务", "这事不归我管", "请慢走"]


@dataclass
class Counter:
    """A counter with a record and a clock that a test moves."""

    record: Record
    marks: Marks = field(init=False)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.marks = Marks(self.record, lambda: self.now, lambda: NOW)

    def write(self, written: list[Event]) -> None:
        """As the listener does it."""
        self.record.append(written, ORIGIN, NOW)
        self.marks.add(written)

    def press(self, key: str) -> dict[str, Any]:
        return self.marks.press(key, ORIGIN)

    def appeals(self) -> list[Appeal]:
        return appeals_of(self.record.query(partial(visit_history, visit=VISIT)))


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with open_record(tmp_path / "events.db") as record:
        yield Counter(record)


def test_a_mark_in_the_open_visit_is_an_appeal_of_the_counter(counter: Counter) -> None:
    found = events(talk(RUDE))
    counter.write([event for event in found if event.kind != "visit_closed"])
    assert counter.press("wrong") == {"marked": "这事不归我管", "for": UNDO_SECONDS}
    [appeal] = counter.appeals()
    assert (appeal.state, appeal.by, appeal.note, appeal.at_counter) == ("open", "counter 3", MARKED, True)
    assert (appeal.phrase, appeal.counter) == ("not-mine", "3")
    assert counter.record.verify().broken is None
    assert counter.press("wrong") == {"trouble": NOTHING}


def test_a_supervisor_decides_on_it_once_the_visit_is_closed(counter: Counter) -> None:
    found = events(talk(RUDE))
    counter.write(found[:-1])
    counter.press("wrong")
    counter.write(found[-1:])
    [appeal] = counter.appeals()
    decide_appeal(counter.record, Decision(VISIT, appeal.uid, "anna", "overturned", 99, "客户说的", "not_heard"), NOW)
    assert counter.appeals()[0].state == "overturned"


def test_a_mark_is_taken_back_within_ten_seconds(counter: Counter) -> None:
    counter.write(events(talk(RUDE)))
    counter.press("wrong")
    counter.now = UNDO_SECONDS
    assert counter.press("undo") == {"marked": ""}
    assert [appeal.state for appeal in counter.appeals()] == ["withdrawn"]
    counter.press("wrong")
    assert [appeal.state for appeal in counter.appeals()] == ["withdrawn", "open"]
    counter.now = 2 * UNDO_SECONDS + 0.1
    assert counter.press("undo") == {"trouble": TOO_LATE}
    assert [appeal.state for appeal in counter.appeals()] == ["withdrawn", "open"]


def test_each_press_marks_the_verdict_before(counter: Counter) -> None:
    counter.write(events(talk(["您好", "这事不归我管"]), until=300))
    marked = [counter.press("wrong").get("marked") for _ in range(4)]
    assert marked == ["请慢走", "请问您办理什么业务", "这事不归我管", None]


def test_without_a_record_or_a_verdict_nothing_is_marked(counter: Counter) -> None:
    assert counter.press("undo") == {"trouble": NOTHING}
    assert Marks(None, lambda: 0.0, lambda: NOW).press("wrong", ORIGIN) == {"trouble": UNRECORDED}
