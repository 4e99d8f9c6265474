"""Clips at a live counter: cut from the sound in memory when the visit closed, sealed; listening waits for nothing."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.bundled import matcher
from support.clip_cases import seconds_of, tone
from support.small_counter import events, small, talk

from counter_listener.audio import playback
from counter_listener.cli.clip_keeping import NO_RECORD, clip_keeper
from counter_listener.domain import Event
from counter_listener.live import ClipKeeper, ClipPlan, ScreenState
from counter_listener.live import clips as live_clips
from counter_listener.live.clips import SoundRing
from counter_listener.record import (
    LIVE,
    ClipKeys,
    KeptClip,
    Origin,
    Record,
    clip_sound,
    clips_folder,
    kept_clips,
    make_clip_keys,
    open_record,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ORIGIN = Origin("live-1", LIVE, "3", NOON, "小柜台", "0" * 64, "m")
RUDE = ["您好", "请问您办理什么业务", "这事不归我管", "请慢走"]
TABLE = {"keep": "questioned", "before": 1.0, "after": 1.0, "days": 7, "megabytes": 10, "key": "", "send": False}


class Counter:
    """A counter with a record, and what it told the screen."""

    def __init__(self, record: Record, keys: ClipKeys) -> None:
        self.record, self.keys = record, keys
        self.told: list[dict[str, Any]] = []
        self.plan = ClipPlan("questioned", 1.0, 1.0, 7, 10_000_000, keys.public[0])

    def keep(self, found: list[Event], *, plan: ClipPlan | None = None, start: float = 0.0) -> None:
        keeper = ClipKeeper(self.record, small().phrases, plan or self.plan, lambda: NOON, self.told.append)
        for at in range(300):
            keeper.hear(start + at * 0.2, tone(0.2))
        self.record.append(found, ORIGIN, NOON)
        keeper.note(found, ORIGIN)
        keeper.close(60.0)

    def clips(self) -> list[KeptClip]:
        return kept_clips(clips_folder(self.record.path))


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with open_record(tmp_path / "events.db") as record:
        yield Counter(record, make_clip_keys(tmp_path / "clip-key.pem"))


def test_the_sound_around_an_offence_is_kept_once_the_visit_is_closed(counter: Counter) -> None:
    found = events(talk(RUDE))
    offence = next(event for event in found if event.kind == "forbidden")
    counter.keep(found)
    clip = next(each for each in counter.clips() if each.facts and each.facts.start <= offence.at <= each.facts.end)
    assert clip.facts
    assert clip.visit == "live-1-1"
    assert clip.facts.start == pytest.approx(offence.at - 1.0)
    assert clip.facts.gone_at == NOON + timedelta(days=7)
    uids = {row.uid: row.phrase for row in counter.record.read()}
    assert offence.phrase in {uids[uid] for uid in clip.facts.verdicts}
    sound = clip_sound(clip, counter.keys, NOON)
    assert seconds_of(sound) == pytest.approx(clip.facts.end - clip.facts.start, abs=0.1)
    assert counter.told == []
    assert counter.record.verify().broken is None


def test_sound_that_is_not_in_memory_any_more_is_left_out(counter: Counter) -> None:
    found = events(talk(RUDE))
    offence = next(event for event in found if event.kind == "forbidden")
    counter.keep(found, start=offence.at + 0.5)
    [clip] = counter.clips()
    assert clip.facts
    assert clip.facts.start == pytest.approx(offence.at + 0.5, abs=0.01), "a part is better than nothing"


def test_nothing_is_kept_before_a_visit_is_closed(counter: Counter) -> None:
    counter.keep(events(talk(RUDE))[:-1])
    assert counter.clips() == []
    assert not clips_folder(counter.record.path).exists()


def test_the_oldest_make_room_and_it_is_told(counter: Counter) -> None:
    counter.keep(events(talk(RUDE)), plan=replace(counter.plan, keep="all", before=0.2, after=0.2, most_bytes=1))
    assert counter.clips() == []
    [told] = counter.told
    assert "before their date, because all may take 0 MB" in told["trouble"]


def test_a_full_disk_or_a_missing_encoder_is_told_once_and_ends_nothing(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    many = [replace(event, visit=number) for number in (1, 2, 3) for event in events(talk(RUDE))]
    with monkeypatch.context() as patch:
        patch.setattr("counter_listener.record.files.os.fsync", full)
        keeper_record(counter, many)
    [told] = counter.told
    assert "No space left on device" in told["trouble"]
    assert counter.clips() == []
    with monkeypatch.context() as patch:
        patch.setattr(live_clips, "opus_of", lambda _: 1 / 0)
        keeper_record(counter, many)
    assert [each["trouble"] for each in counter.told[1:]] == ["no clip could be kept (division by zero)"]
    rows = [row.kind for row in counter.record.read()]
    assert rows.count("visit_closed") == 6, "no verdict is lost"


def keeper_record(counter: Counter, many: list[Event]) -> None:
    """Writes the events while nothing is wrong with the record itself."""
    keeper = ClipKeeper(counter.record, small().phrases, counter.plan, lambda: NOON, counter.told.append)
    for at in range(300):
        keeper.hear(at * 0.2, tone(0.2))
    origin = replace(ORIGIN, stream=f"live-{len(counter.told) + 1}")
    counter.record.append(many, origin, NOON)
    keeper.note(many, origin)
    keeper.close(60.0)


def test_listening_does_not_wait_for_the_encoder(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    going = threading.Event()
    monkeypatch.setattr(live_clips, "opus_of", lambda _: going.wait(60) and b"")
    keeper = ClipKeeper(counter.record, small().phrases, counter.plan, lambda: NOON, counter.told.append)
    for at in range(300):
        keeper.hear(at * 0.2, tone(0.2))
    found = events(talk(RUDE))
    counter.record.append(found, ORIGIN, NOON)
    keeper.note(found, ORIGIN)
    began = time.monotonic()
    keeper.close(0.2)
    assert time.monotonic() - began < 30
    [told] = counter.told
    assert "could not be written before listening stopped" in told["trouble"]
    going.set()


def test_the_ring_is_bounded_and_silent_where_sound_was_lost() -> None:
    ring = SoundRing(10.0)
    for at in range(100):
        ring.add(at * 0.2 + (5.0 if at >= 95 else 0.0), tone(0.2))
    assert ring.cut(0.0, 9.0) is None
    cut = ring.cut(18.0, 25.0)
    assert cut
    assert cut[0] == pytest.approx(18.0)
    assert len(cut[1]) == pytest.approx(7.0 * 32_000, abs=64)
    assert cut[1][2 * 32_000 : 5 * 32_000] == bytes(3 * 32_000)
    assert sum(len(block) for _, block in ring._blocks) <= 11 * 32_000  # noqa: SLF001 - what it takes of the memory


def test_the_settings_decide_and_the_screen_shows_it(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTER_LISTENER_CLIP_KEY", str(counter.record.path.with_name("own.pem")))
    phrases = matcher().phrases
    assert clip_keeper({**TABLE, "keep": "none"}, counter.record, phrases, counter.told.append) is None
    assert counter.told == []
    keeper = clip_keeper(TABLE, counter.record, phrases, counter.told.append)
    assert keeper
    keeper.close()
    assert counter.told == [{"keeping": "questioned"}]
    assert counter.record.path.with_name("own.pem").exists()
    state = ScreenState()
    state.apply(json.loads(json.dumps(counter.told[0])))
    assert state.keeping == "questioned"
    state.apply({"stopped": 0})
    assert state.keeping == ""
    assert clip_keeper(TABLE, None, phrases, counter.told.append) is None
    assert counter.told[-1] == {"trouble": f"{NO_RECORD}."}
    monkeypatch.setattr(playback.av, "open", lambda *_a, **_k: 1 / 0)
    assert clip_keeper(TABLE, counter.record, phrases, counter.told.append) is None
    assert "encoder for Opus cannot be used" in counter.told[-1]["trouble"]
