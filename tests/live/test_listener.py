"""Listening with the real engine and the real record, but sound from a file: what is written, when, and what if not."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter as Count
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.bundled import ears, matcher

from counter_listener.asr.recognizer import VoskRecognizer
from counter_listener.audio.capture import CaptureItem
from counter_listener.audio.recording import read_recording
from counter_listener.domain.errors import MicrophoneError, RecordError
from counter_listener.domain.types import Event, Gap
from counter_listener.live.listener import RENEWED, STARTED, STOPPED, LiveListener, PartialResults
from counter_listener.pipeline import listen
from counter_listener.record.rows import Origin, Row
from counter_listener.record.store import Record, open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("live-test", "live", "3", None, "set", "0" * 64, "model")


@cache
def sound_of(name: str) -> bytes:
    return b"".join(part for part in read_recording(FIXTURES / f"{name}.wav") if isinstance(part, bytes))


def chunks(sound: bytes, seed: int = 0) -> Iterator[bytes]:
    """The sound cut as a device may cut it, which passes real time."""
    rng, at = random.Random(seed), 0  # noqa: S311
    while at < len(sound):
        size = rng.choice((800, 3200, 6400, 12_800))
        yield sound[at : at + size]
        at += size


@dataclass
class Test:
    """A listener whose time is that of the sound, and what it told."""

    __test__ = False
    store: Record | None
    told: list[dict[str, Any]] = field(default_factory=list)
    now: float = 500.0
    wall: Callable[[], datetime] = lambda: NOON

    def __post_init__(self) -> None:
        self.live = LiveListener(
            matcher(), ORIGIN, self.store, lambda: self.now, self.wall, self.told.append, lambda: False
        )

    def run(self, sound: Sequence[CaptureItem] | Iterator[CaptureItem]) -> None:
        self.live.run(self.timed(iter(sound)), VoskRecognizer(ears().model))

    def timed(self, sound: Iterator[CaptureItem]) -> Iterator[CaptureItem]:
        for item in sound:
            self.now += len(item) / 32_000 if isinstance(item, bytes) else 0.25
            yield item

    def events(self) -> list[dict[str, Any]]:
        return [message["event"] for message in self.told if "event" in message]


def plain(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    return [
        (one.kind, one.at, one.visit, one.phrase, one.verdict, one.score, one.heard, dict(one.detail)) for one in events
    ]


def recorded(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    number = {row.visit: int(row.visit.rpartition("-")[2]) if row.visit else None for row in rows}
    return [
        (row.kind, row.at, number[row.visit], row.phrase, row.verdict, row.score, row.heard, json.loads(row.detail))
        for row in rows
    ]


@pytest.mark.parametrize("name", ["forbidden", "customer-courtesy"])
def test_invariant_1_live_and_batch_give_the_same_events(name: str, tmp_path: Path) -> None:
    sound = sound_of(name)
    length = len(sound) / 32_000
    batch = listen([Gap(0.0, 0.0, STARTED), sound, Gap(length, 0.0, RENEWED)], VoskRecognizer(ears().model), matcher())
    with open_record(tmp_path / "events.db") as store:
        test = Test(store)
        test.run(chunks(sound))
        rows = list(store.read())
    assert recorded(rows) == plain(list(batch))
    assert len(rows) > 5
    assert [one["kind"] for one in test.events()] == [row.kind for row in rows]


def test_an_event_is_told_only_after_it_is_on_the_disk(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as store, open_record(tmp_path / "events.db") as other:
        test = Test(store)
        seen: list[tuple[int, int]] = []

        def tell(message: dict[str, Any]) -> None:
            test.told.append(message)
            if "event" in message:
                seen.append((len(test.events()), len(list(other.read()))))

        test.live.tell = tell
        test.run(chunks(sound_of("customer-courtesy")))
    assert seen
    assert all(told <= there for told, there in seen)


def test_setting_the_wall_clock_moves_no_event(tmp_path: Path) -> None:
    jumps = iter(range(10_000))

    def jumping() -> datetime:
        return NOON + timedelta(hours=(0, 1, -1)[next(jumps) % 3])

    def rows_with(wall: Callable[[], datetime], name: str) -> list[Row]:
        with open_record(tmp_path / name) as store:
            Test(store, wall=wall).run(chunks(sound_of("customer-courtesy")))
            return list(store.read())

    steady, jumped = rows_with(lambda: NOON, "steady.db"), rows_with(jumping, "jumped.db")
    assert recorded(steady) == recorded(jumped)
    assert [row.wall for row in steady] == [row.wall for row in jumped]  # read once


def test_a_record_that_fails_twice_loses_nothing(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as store:
        flaky = Flaky(store, fail=(1, 2, 5))
        test = Test(flaky)  # type: ignore[arg-type]
        test.run(chunks(sound_of("customer-courtesy")))
        rows = list(store.read())
        sure = Test(None)
        sure.run(chunks(sound_of("customer-courtesy")))
    assert [one["trouble"] for one in test.told if "trouble" in one] == ["The disk is full."] * 3
    assert recorded(rows) == [
        (e["kind"], e["at"], e["visit"], e["phrase"], e["verdict"], e["score"], e["heard"], e["detail"])
        for e in sure.events()
    ]


@dataclass
class Flaky:
    """A record some of whose writes fail."""

    store: Record
    fail: Sequence[int]
    writes: int = 0

    def append(self, events: list[Event], origin: Origin, recorded: datetime) -> int:
        self.writes += 1
        if self.writes in self.fail:
            raise RecordError("The disk is full.")
        return self.store.append(events, origin, recorded)


def test_a_record_that_fails_on_ends_the_listener_and_is_not_called_settled(tmp_path: Path) -> None:
    with open_record(tmp_path / "events.db") as store:
        test = Test(Flaky(store, fail=range(3, 100)))  # type: ignore[arg-type]
        with pytest.raises(RecordError, match="disk is full"):
            test.run(chunks(sound_of("customer-courtesy")))
        rows = list(store.read())
    assert len(rows) == len(test.events()) > 0
    last = [one for one in test.told if "beat" in one][-1]
    assert last["settled"] < last["beat"]


def test_a_device_that_goes_ends_the_sentence_and_leaves_the_visit_open(tmp_path: Path) -> None:
    def goes() -> Iterator[CaptureItem]:
        yield from chunks(sound_of("customer-courtesy")[: 32_000 * 3])
        raise MicrophoneError("The microphone stopped: was it unplugged?")

    with open_record(tmp_path / "events.db") as store:
        test = Test(store)
        with pytest.raises(MicrophoneError):
            test.run(goes())
        kinds = [row.kind for row in store.read()]
    assert kinds[0] == kinds[-1] == "gap"
    assert "phrase" in kinds
    assert "visit_closed" not in kinds
    last = [one for one in test.told if "beat" in one][-1]
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
    told = [(one["kind"], round(one["at"], 1)) for one in test.events() if one["kind"].startswith("visit")]
    assert told == [("visit_opened", 2.0), ("visit_closed", 6.0), ("visit_opened", 8.0), ("visit_closed", 10.0)]
    reasons = [one["detail"]["reason"] for one in test.events() if one["kind"] == "visit_closed"]
    assert reasons == ["hand", "end"]


def test_a_planned_end_waits_for_the_visit_to_be_over() -> None:
    test = Test(None)
    test.live.renewing = lambda: True
    test.run(chunks(sound_of("customer-courtesy")))
    assert test.events() == []  # nobody was there yet
    assert test.live.at < 1
    busy = Test(None)
    busy.live.renewing = lambda: busy.live.at > 3.0
    busy.run(chunks(sound_of("customer-courtesy")))
    assert busy.live.at == pytest.approx(len(sound_of("customer-courtesy")) / 32_000)


def test_a_start_that_is_told_to_stop_tells_how_much_it_did_not_hear() -> None:
    test = Test(None)

    def sound() -> Iterator[CaptureItem]:
        yield from chunks(sound_of("customer-courtesy")[: 32_000 * 2])
        test.now += 7.0
        test.live.stopping = lambda: True

    test.run(sound())
    last = [one for one in test.events() if one["kind"] == "gap"][-1]
    assert last["detail"] == {"reason": STOPPED, "seconds": pytest.approx(7.0, abs=0.1)}


def test_guesses_are_told_while_somebody_speaks_and_change_nothing() -> None:
    guesses: list[str] = []
    overheard = PartialResults(VoskRecognizer(ears().model), guesses.append, lambda: None)
    with_guesses = list(listen(chunks(sound_of("customer-courtesy")), overheard, matcher()))
    assert with_guesses == list(listen(chunks(sound_of("customer-courtesy")), VoskRecognizer(ears().model), matcher()))
    assert len(guesses) > 5
    assert guesses[-1] == ""


def test_invariant_4_nothing_that_was_told_is_lost_in_a_hundred_kills(tmp_path: Path) -> None:
    """Child processes of one listener, each killed at a random moment; the next goes on with the visit."""
    path = tmp_path / "events.db"
    child = Path(__file__).parents[1] / "support" / "live_child.py"
    shown = subprocess.run(
        [sys.executable, child, path, "100"], capture_output=True, encoding="utf-8", check=False, timeout=900
    )
    assert shown.returncode == 0, shown.stderr
    told = [event for line in shown.stdout.splitlines() for event in json.loads(line)]
    with open_record(path, create=False) as store:
        rows = list(store.read())
        assert store.verify().broken is None
    there = Count((row.kind, row.at, row.phrase) for row in rows)
    assert not Count((one["kind"], one["at"], one["phrase"]) for one in told) - there
    assert len(told) > 20
    judged = Count((row.visit, row.phrase) for row in rows if row.kind == "phrase" and '"scenario"' not in row.detail)
    assert not [one for one, times in judged.items() if times > 1]
    assert not [row for row in rows if row.verdict == "not_heard"]
    opened = {row.visit for row in rows if row.kind == "visit_opened"}
    assert opened == {row.visit for row in rows if row.kind == "visit_closed"}
