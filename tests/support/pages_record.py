"""A record for the tests of the pages: visits judged by the real chain, with sound, without, and with hostile names."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from counter_listener.domain import Event
from counter_listener.judging import load_matcher
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import Origin, Recording, open_record
from counter_listener.record.store import Record
from support.bundled import matcher
from support.pages_site import NOW
from support.small_counter import talk

FIXTURES = Path(__file__).parents[1] / "fixtures"
FULL = ("您好欢迎光临", "请问您要办理什么业务", "请出示您的身份证", "您的业务已经办理完成请收好您的证件", "再见请慢走")
UNGREETED = FULL[1:]
RUDE = (*FULL[:2], "你自己看", *FULL[3:])
HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{7*7}}"
"""A name that would run a script, or be filled in as a template, if it were not escaped."""
BANK = "银行柜面文明服务"


@cache
def events(sentences: tuple[str, ...]) -> tuple[Event, ...]:
    """The events of one visit with these sentences."""
    return tuple(judge_events(with_ticks(talk(sentences)), matcher(), one_visit=True))


def add_visit(  # noqa: PLR0913 - what a visit can differ in
    record: Record,
    path: Path,
    sentences: tuple[str, ...] = FULL,
    counter: str | None = "3",
    began: datetime | None = NOW - timedelta(hours=1),
    heard: str | None = None,
) -> str:
    """Adds a visit whose recording is the file at `path`, if there is one; returns its id."""
    content = path.read_bytes() if path.is_file() else str(path).encode("utf-8", "surrogateescape")
    sha256 = hashlib.sha256(content).hexdigest()
    found = [replace(event, heard=heard) if event.heard and heard else event for event in events(sentences)]
    origin = Origin(sha256[:12], sha256, counter, began, BANK, load_matcher("bank-counter")[1], "counter-cn")
    recording = Recording(sha256, str(path).encode("utf-8", "backslashreplace").decode(), 22.5)
    assert record.add_recording(recording, found, origin, NOW)
    return f"{origin.stream}-1"


def sound_file(path: Path, number: int = 0) -> Path:
    """A recording of its own: the words of a fixture, with a number behind them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FIXTURES / "no-greeting.wav", path)
    with path.open("ab") as file:
        file.write(b"note" + (8).to_bytes(4, "little") + number.to_bytes(8, "little"))
    return path


def fill(folder: Path) -> dict[str, str]:
    """Makes a record in `folder`, named events.db. Returns the ids of its visits by what is special about each."""
    sounds = folder / "sounds"
    visits = {}
    with open_record(folder / "events.db", key_file=folder / "key" / "key.pem") as record:
        visits["full"] = add_visit(record, sound_file(sounds / "full.wav", 1), began=NOW - timedelta(hours=5))
        visits["ungreeted"] = add_visit(record, sound_file(sounds / "ungreeted.wav", 2), UNGREETED, "4")
        visits["rude"] = add_visit(record, sound_file(sounds / "三号柜台 #1 100%.wav", 3), RUDE)
        hostile = sound_file(sounds / "a'\"onerror=alert(1) x.wav", 4)
        visits["hostile"] = add_visit(record, hostile, RUDE, HOSTILE, heard=HOSTILE)
        visits["gone"] = add_visit(record, sounds / "gone.wav", UNGREETED, began=None)
        changed = sound_file(sounds / "changed.wav", 5)
        visits["changed"] = add_visit(record, changed)
        sound_file(changed, 6)
        visits["alaw"] = add_visit(record, alaw(sounds / "telephone.wav"), counter="5")
        live = Origin(
            "live-20260116T080000-1a2b3c", "live", "3", NOW - timedelta(hours=2), BANK, "c0ffee", "counter-cn"
        )
        record.append(events(FULL), live, NOW)
        visits["live"] = f"{live.stream}-1"
    return visits


def alaw(path: Path) -> Path:
    """A recording that browsers need as Opus."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(FIXTURES / "telephone-alaw.wav", path)
    return path
