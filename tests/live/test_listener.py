"""Listening with the real recogniser and record, but audio from a file: what is written, when, and what if not."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.bundled import matcher, model

from counter_listener.audio import CaptureItem, read_recording
from counter_listener.domain import Event, Gap, MicrophoneError, RecordError
from counter_listener.live.listener import RENEWED, STARTED, STOPPED, LiveListener, PartialResults
from counter_listener.pipeline import AudioSource, judge_events
from counter_listener.record import Origin, Record, Row, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("live-test", "live", "3", None, "set", "0" * 64, "model")


@cache
def sound_of(name: str) -> bytes:
    return b"".join(part for part in read_recording(FIXTURES / f"{name}.wav") if isinstance(part, bytes))


def chunks(sound: bytes, seed: int = 0) -> Iterator[bytes]:
    """The audio in chunks of any size, as a device may deliver it."""
    rng, at = random.Random(seed), 0  # noqa: S311
    while at < len(sound):
        size = rng.choice((800, 3200, 6400, 12_800))
        yield sound[at : at + size]
        at += size


@dataclass
class Test:
    """A listener whose clock is that of the audio, and the messages that it sent."""

    __test__ = False
    record: Record | None
    messages: list[dict[str, Any]] = field(default_factory=list)
    now: float = 500.0
    wall: Callable[[], datetime] = lambda: NOON

    def __post_init__(self) -> None:
        self.live = LiveListener(
            matcher(), ORIGIN, self.record, lambda: self.now, self.wall, self.messages.append, lambda: False
        )

    def run(self, sound: Sequence[CaptureItem] | Iterator[CaptureItem]) -> None:
        self.live.run(self.timed(iter(sound)), model().recognizer())

    def timed(self, sound: Iterator[CaptureItem]) -> Iterator[CaptureItem]:
        for item in sound:
            self.now += len(item) / 32_000 if isinstance(item, bytes) else 0.25
            yield item

    def events(self) -> list[dict[str, Any]]:
        return [message["event"] for message in self.messages if "event" in message]


def plain(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    return [(e.kind, e.at, e.visit, e.phrase, e.verdict, e.score, e.heard, dict(e.detail)) for e in events]


def recorded(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    number = {row.visit: int(row.visit.rpartition("-")[2]) if row.visit else None for row in rows}
    return [
        (row.kind, row.at, number[row.visit], row.phrase, row.verdict, row.score, row.heard, json.loads(row.detail))
        for row in rows
    ]


@pytest.mark.parametrize("name", [pytest.param("forbidden", marks=pytest.mark.slow), "refusal-without-sorry"])
def test_invariant_1_live_and_batch_give_the_same_events(name: str, tmp_path: Path) -> None:
    sound = sound_of(name)
    length = len(sound) / 32_000
    stream: list[bytes | Gap] = [Gap(0.0, 0.0, STARTED), sound, Gap(length, 0.0, RENEWED)]
    batch = judge_events(AudioSource(stream, model().recognizer()), matcher())
    with open_record(tmp_path / "events.db") as record:
        test = Test(record)
        test.run(chunks(sound))
        rows = list(record.read())
    assert recorded(rows) == plain(list(batch))
    assert len(rows) > 5
    assert [one["kind"] for one in test.events()] == [row.kind for row in rows]


def test_an_event_is_sent_only_after_it_is_on_the_disk(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as record, open_record(tmp_path / "events.db") as other:
        test = Test(record)
        seen: list[tuple[int, int]] = []

        def send(message: dict[str, Any]) -> None:
            test.messages.append(message)
            if "event" in message:
                seen.append((len(test.events()), len(list(other.read()))))

        test.live.send = send
        test.run(chunks(sound_of("refusal-without-sorry")))
    assert seen
    assert all(sent <= written for sent, written in seen)


def test_setting_the_wall_clock_moves_no_event(tmp_path: Path) -> None:
    jumps = iter(range(10_000))

    def jumping() -> datetime:
        return NOON + timedelta(hours=(0, 1, -1)[next(jumps) % 3])

    def rows_with(wall: Callable[[], datetime], name: str) -> list[Row]:
        with open_record(tmp_path / name) as record:
            Test(record, wall=wall).run(chunks(sound_of("refusal-without-sorry")))
            return list(record.read())

    steady, jumped = rows_with(lambda: NOON, "steady.db"), rows_with(jumping, "jumped.db")
    assert recorded(steady) == recorded(jumped)
    assert [row.wall for row in steady] == [row.wall for row in jumped]  # read once


def test_a_record_that_fails_twice_loses_nothing(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as record:
        flaky = Flaky(record, fail=(1, 2, 5))
        test = Test(flaky)  # type: ignore[arg-type]
        test.run(chunks(sound_of("refusal-without-sorry")))
        rows = list(record.read())
        sound = Test(None)
        sound.run(chunks(sound_of("refusal-without-sorry")))
    assert [one["trouble"] for one in test.messages if "trouble" in one] == ["The disk is full."] * 3
    assert recorded(rows) == [
        (e["kind"], e["at"], e["visit"], e["phrase"], e["verdict"], e["score"], e["heard"], e["detail"])
        for e in sound.events()
    ]


@dataclass
class Flaky:
    """A record of which some writes fail."""

    record: Record
    fail: Sequence[int]
    writes: int = 0

    def append(self, events: list[Event], origin: Origin, recorded: datetime) -> int:
        self.writes += 1
        if self.writes in self.fail:
            raise RecordError("The disk is full.")
        return self.record.append(events, origin, recorded)


def test_a_record_that_keeps_failing_ends_the_listener_and_nothing_more_is_settled(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as record:
        test = Test(Flaky(record, fail=range(3, 100)))  # type: ignore[arg-type]
        with pytest.raises(RecordError, match="disk is full"):
            test.run(chunks(sound_of("refusal-without-sorry")))
        rows = list(record.read())
    assert len(rows) == len(test.events()) > 0
    last = [one for one in test.messages if "beat" in one][-1]
    assert last["settled"] < last["beat"]


def test_a_device_that_goes_ends_the_utterance_and_leaves_the_visit_open(tmp_path: Path) -> None:
    def goes() -> Iterator[CaptureItem]:
        yield from chunks(sound_of("refusal-without-sorry")[: 32_000 * 3])
        raise MicrophoneError("The microphone stopped: was it unplugged?")

    with open_record(tmp_path / "events.db") as record:
        test = Test(record)
        with pytest.raises(MicrophoneError):
            test.run(goes())
        kinds = [row.kind for row in record.read()]
    assert kinds[0] == kinds[-1] == "gap"
    assert "phrase" in kinds
    assert "visit_closed" not in kinds
    last = [one for one in test.messages if "beat" in one][-1]
    assert last["settled"] == last["beat"] == pytest.approx(3.0, abs=0.2)


def test_the_key_opens_and_closes_a_visit() -> None:
    test = Test(None)
    test.live.keys = deque()
    quiet = [b"\x01\x00" * 1600] * 100

    def sound() -> Iterator[CaptureItem]:
        for number, chunk in enumerate(quiet):
            if number in (20, 60, 80):
                test.live.keys.append("space")
            yield chunk

    test.run(sound())
    visits = [(e["kind"], round(e["at"], 1)) for e in test.events() if e["kind"].startswith("visit")]
    assert visits == [("visit_opened", 2.0), ("visit_closed", 6.0), ("visit_opened", 8.0), ("visit_closed", 10.0)]
    reasons = [one["detail"]["reason"] for one in test.events() if one["kind"] == "visit_closed"]
    assert reasons == ["hand", "end"]


def test_a_planned_restart_waits_for_the_end_of_the_visit() -> None:
    test = Test(None)
    test.live.renewing = lambda: True
    test.run(chunks(sound_of("refusal-without-sorry")))
    assert test.events() == []  # no visit was open yet
    assert test.live.at < 1
    busy = Test(None)
    busy.live.renewing = lambda: busy.live.at > 3.0
    busy.run(chunks(sound_of("refusal-without-sorry")))
    assert busy.live.at == pytest.approx(len(sound_of("refusal-without-sorry")) / 32_000)


def test_a_listener_that_stops_reports_how_much_it_did_not_hear() -> None:
    test = Test(None)

    def sound() -> Iterator[CaptureItem]:
        yield from chunks(sound_of("refusal-without-sorry")[: 32_000 * 2])
        test.now += 7.0
        test.live.stopping = lambda: True

    test.run(sound())
    last = [one for one in test.events() if one["kind"] == "gap"][-1]
    assert last["detail"] == {"reason": STOPPED, "seconds": pytest.approx(7.0, abs=0.1)}


def test_partial_results_come_while_somebody_speaks_and_change_nothing() -> None:
    partial: list[str] = []
    watched = PartialResults(model().recognizer(), partial.append, lambda: None)
    sources = [AudioSource(chunks(sound_of("refusal-without-sorry")), each) for each in (watched, model().recognizer())]
    with_partial, plain = (list(judge_events(source, matcher())) for source in sources)
    assert with_partial == plain
    assert len(partial) > 5
    assert partial[-1] == ""
