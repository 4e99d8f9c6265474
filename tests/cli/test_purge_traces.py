"""A purge leaves no byte of what it removes, whatever date the user means: the folder is searched byte by byte."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from support.command import run, transcript
from support.record_cases import live, visit_events

from counter_listener.audio import parse_time
from counter_listener.record import open_record

DATE = "2026-06-01"
"""Of the purge; the recordings are checked later."""
PARTS = ("甲", "乙", "丙", "丁", "戊", "己")
NEXT_VISIT = 1000.0
"""Seconds after which a second visit begins in a recording."""


class Traces:
    """A record in a folder of its own, with recordings that can be told apart by every byte that tells of them."""

    def __init__(self, folder: Path) -> None:
        self.sources, self.folder = folder / "recordings", folder / "record"
        self.sources.mkdir()
        self.store = self.folder / "events.db"

    def talk(self, name: str, part: int) -> str:
        """Words that nobody says but the customers of one visit of one recording."""
        digest = hashlib.sha256(f"{name}{part}".encode()).digest()
        return "说" + "".join(chr(0x4E00 + byte * 80) for byte in digest[:6]) + PARTS[part]

    def check(self, name: str, *options: object) -> None:
        """Checks a recording of two visits, with its transcript kept."""
        lines = []
        for part, begin in enumerate((0.0, NEXT_VISIT)):
            texts = ("您好", "请问您办理什么业务", self.talk(name, part), "请慢走")
            lines += [(begin + 5 * at, begin + 5 * at + 2, text) for at, text in enumerate(texts)]
        file = transcript(self.sources / f"{name}.jsonl", lines)
        words = ("--counter", f"counter-{name}", "--store", self.store, "--keep-transcripts", "--quiet")
        assert run("check", file, *words, *options).exit_code == 0

    def purge(self, date: str) -> str:
        result = run("purge", "--before", date, "--store", self.store, "--yes")
        assert result.exit_code == 0
        with open_record(self.store, create=False) as record:
            assert record.verify().broken is None
        return result.stdout

    def found(self, name: str) -> set[str]:
        """The traces of a recording that are in some file: its name, counter, content, and words of each visit."""
        content = b"".join(file.read_bytes() for file in sorted(self.folder.rglob("*")) if file.is_file())
        sha256 = hashlib.sha256((self.sources / f"{name}.jsonl").read_bytes()).hexdigest()
        traces = {"name": f"{name}.jsonl", "counter": f"counter-{name}", "content": sha256, "stream": sha256[:12]}
        traces |= {"first words": " ".join(self.talk(name, 0)), "second words": " ".join(self.talk(name, 1))}
        return {what for what, text in traces.items() if text.encode() in content}


ALL = {"name", "counter", "content", "stream", "first words", "second words"}


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    return Traces(tmp_path)


def test_what_was_made_before_the_date_goes_whenever_it_was_checked(traces: Traces) -> None:
    traces.check("made-before", "--started", "2024-05-01 09:30")
    traces.check("made-after", "--started", "2026-06-01 00:00")
    traces.check("made-anytime")
    assert traces.found("made-before") == ALL
    assert "1 kept transcript" in traces.purge(DATE)
    assert traces.found("made-before") == set()
    assert traces.found("made-after") == traces.found("made-anytime") == ALL
    assert "0 rows removed." in traces.purge(DATE)


def test_what_was_judged_again_goes_with_its_history(traces: Traces) -> None:
    traces.check("again", "--started", "2024-05-01 09:30")
    traces.check("again", "--again", "--one-visit")
    traces.check("dated-later")
    traces.check("dated-later", "--again", "--one-visit", "--started", "2024-05-01 09:30")
    traces.purge(DATE)
    assert traces.found("again") == set()
    assert traces.found("dated-later") == set()


def test_of_a_recording_that_lasts_past_the_date_the_earlier_visits_go(traces: Traces) -> None:
    traces.check("midnight", "--started", "2026-05-31 23:50")
    traces.check("almost-over", "--started", "2026-05-31 23:43:13")
    traces.check("dated-later")
    traces.check("dated-later", "--again", "--phrases", "service-desk-en", "--started", "2026-05-31 23:50")
    assert "3 kept transcripts" in traces.purge(DATE)
    assert traces.found("midnight") == traces.found("dated-later") == ALL - {"first words"}
    assert traces.found("almost-over") == ALL - {"first words"}
    result = run("rejudge", "--phrases", "bank-counter", "--store", traces.store)
    assert result.exit_code == 0
    traces.purge("2026-06-02")
    assert traces.found("midnight") == set()
    assert not traces.folder.joinpath("events.db.transcripts").exists()


def test_what_was_checked_before_the_date_goes_whatever_the_clock_of_the_recorder_said(traces: Traces) -> None:
    traces.check("clock-ahead", "--started", "2099-01-01 09:30")
    traces.check("no-clock")
    traces.purge(DATE)
    assert traces.found("clock-ahead") == traces.found("no-clock") == ALL
    traces.purge("2098-01-01")
    assert traces.found("clock-ahead") == traces.found("no-clock") == set()


def test_visits_heard_live_go_once_they_ended_before_the_date(traces: Traces) -> None:
    words = ("一句早些说的话", "一句晚些说的话")
    with open_record(traces.store) as record:
        for begun, said in zip(("2026-05-31 23:00", "2026-05-31 23:58:45"), words, strict=True):
            moment = parse_time(begun, None)
            record.append(visit_events(1, said), live(f"live-{said}", moment), moment + timedelta(seconds=91))
    traces.purge(DATE)
    content = traces.store.read_bytes()
    assert [said.encode() in content for said in words] == [False, True]
