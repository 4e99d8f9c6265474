"""`watch`: recordings are checked as they arrive, once each, whatever happens to the folder, the disk and the watch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command import FULL_VISIT, RUDE_VISIT, run, transcript
from support.small_counter import SMALL_FILE

FIXTURES = Path(__file__).parents[1] / "fixtures"
PATIENCE = 120.0
"""Seconds for what takes two on an idle machine."""


def words(folder: Path, *more: object) -> list[str]:
    given = ("watch", folder / "in", "--store", folder / "events.db", "--key", "none", "--phrases", SMALL_FILE)
    return [str(word) for word in (*given, "--settle", "0.1", "--log-format", "json", *more)]


def outcomes(text: str) -> list[tuple[str, str]]:
    """Event and file of each line of a log."""
    lines = [json.loads(line) for line in text.splitlines()]
    return [(line["event"], Path(line.get("path", "")).name) for line in lines]


def recorded(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "events.db") as database:
        return [Path(path).name for (path,) in database.execute("select path from recordings order by path")]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def rows(folder: Path) -> int:
    with sqlite3.connect(folder / "events.db") as database:
        return int(database.execute("select count(*) from events").fetchone()[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which `in` is watched."""
    (tmp_path / "in").mkdir()
    return tmp_path


def test_what_is_there_is_checked_moved_and_told_and_the_rest_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counter_listener.batch.arrivals.RETRIES", (1, 1, 1))  # when it is tried: test_arrivals
    transcript(folder / "in" / "a.jsonl")
    (folder / "in" / "deep").mkdir()
    transcript(folder / "in" / "deep" / "b.jsonl", RUDE_VISIT)
    (folder / "in" / "notes.txt").write_text("not sound")
    (folder / "in" / "bad.jsonl").write_text("not a transcript")
    shown = run(*words(folder, "--once", "--move-to", folder / "out"))
    assert shown.exit_code == 3, shown.output
    told = outcomes(shown.stdout + shown.stderr)
    assert {("checked", "a.jsonl"), ("checked", "b.jsonl"), ("left_out", "notes.txt"), ("failed", "bad.jsonl")} <= {
        *told
    }
    assert told.count(("again", "bad.jsonl")) == 3
    assert names(folder / "in") == ["bad.jsonl", "deep", "notes.txt"]
    assert (folder / "out" / "a.jsonl").exists()
    assert (folder / "out" / "deep" / "b.jsonl").exists()
    with sqlite3.connect(folder / "events.db") as database:
        places = {path for (path,) in database.execute("select path from recordings")}
    assert places == {str(folder / "out" / "a.jsonl"), str(folder / "out" / "deep" / "b.jsonl")}
    summary = json.loads(shown.stdout.splitlines()[-1])
    assert {name: summary[name] for name in ("checked", "failed", "left_out", "waiting", "moved")} == {
        "checked": 2,
        "failed": 1,
        "left_out": 1,
        "waiting": 0,
        "moved": 2,
    }
    assert "不归我管" not in shown.output


def test_a_recording_that_was_checked_before_adds_nothing(folder: Path) -> None:
    transcript(folder / "in" / "a.jsonl")
    assert run(*words(folder, "--once")).exit_code == 0
    before = rows(folder)
    again = run(*words(folder, "--once"))
    assert ("known", "a.jsonl") in outcomes(again.stdout)
    assert rows(folder) == before
    moved = run(*words(folder, "--once", "--move-to", folder / "out"))  # as after a kill before the move
    assert ("known", "a.jsonl") in outcomes(moved.stdout)
    assert (folder / "out" / "a.jsonl").exists()
    assert rows(folder) == before


def test_lines_for_people_say_what_became_of_each_file(folder: Path) -> None:
    transcript(folder / "in" / "a.jsonl", RUDE_VISIT)
    given = [word for word in words(folder, "--once") if word not in ("--log-format", "json")]
    shown = run(*given)
    assert "a.jsonl: 0:08, 1 visit, lowest score" in shown.stdout
    assert "1 checked, 0 given up, 0 left out, 0 waiting, 0 moved; visits: 1" in shown.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--move-to", "{folder}/in"), "is watched itself"),
        (("--store", "none"), "is not a record"),
        (("{folder}/nowhere",), "is no folder"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(folder: Path, more: tuple[str, ...], said: str) -> None:
    given = words(folder, "--once")
    for word in more:
        if word == "--store":
            given = [one for one in given if one not in ("--store", str(folder / "events.db"))]
    shown = run(*given, *(word.format(folder=folder) for word in more))
    assert shown.exit_code == 2
    assert said in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


@contextmanager
def watching(
    folder: Path, *more: object, env: dict[str, str] | None = None, limit: Callable[[], None] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The program, watching, with its log in `log`."""
    log = (folder / "log").open("a", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "counter_listener", *words(folder, *more)],
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
        preexec_fn=limit,  # noqa: PLW1509 - this process has no threads then
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def wait_for(folder: Path, event: str, name: str = "", *, count: int = 1) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        text = (folder / "log").read_text(encoding="utf-8")
        if outcomes(text[: text.rfind("\n") + 1]).count((event, name)) >= count:
            return
        time.sleep(0.05)
    pytest.fail(f"no {event} {name} in {text}")


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits that can be lifted")
def test_what_cannot_be_recorded_is_tried_again_and_never_moved(folder: Path) -> None:
    """A limit on the size of files stands for a full disk; it is lifted while the watch runs."""
    import resource

    transcript(folder / "a.jsonl")
    assert run("check", folder / "a.jsonl", *words(folder)[2:8]).exit_code == 0
    size = (folder / "events.db").stat().st_size
    hours = [(start + 100.0 * n, end + 100.0 * n, text) for n in range(40) for start, end, text in FULL_VISIT]
    transcript(folder / "in" / "b.jsonl", hours)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with watching(folder, "--move-to", folder / "out", limit=limit) as process:
        wait_for(folder, "unrecorded", "b.jsonl")
        assert names(folder / "in") == ["b.jsonl"]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(folder, "checked", "b.jsonl")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert recorded(folder) == ["a.jsonl", "b.jsonl"]
    assert names(folder / "out") == ["b.jsonl"]


@pytest.mark.parametrize(
    "more", [(), pytest.param(("--poll",), marks=pytest.mark.slow)], ids=["told by the system", "looking"]
)
def test_a_file_that_arrives_slowly_is_checked_once_when_it_is_whole(folder: Path, more: tuple[str, ...]) -> None:
    """A real recording, written in pieces; then the folder goes away and comes back with another one."""
    sound = (FIXTURES / "refusal-with-sorry.wav").read_bytes()
    with watching(folder, *more) as process:
        wait_for(folder, "watching")
        with (folder / "in" / "a.wav").open("wb") as file:
            for start in range(0, len(sound), len(sound) // 3 + 1):
                file.write(sound[start : start + len(sound) // 3 + 1])
                file.flush()
                time.sleep(0.3)
        wait_for(folder, "checked", "a.wav")
        shutil.rmtree(folder / "in")
        wait_for(folder, "missing", "in")
        (folder / "in").mkdir()
        transcript(folder / "in" / "b.jsonl")
        wait_for(folder, "checked", "b.jsonl")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    told = outcomes((folder / "log").read_text(encoding="utf-8"))
    assert told[-1] == ("summary", "")
    assert [event for event, name in told if name == "a.wav" and event != "again"] == ["checked"]
    assert recorded(folder) == ["a.wav", "b.jsonl"]


def test_a_watch_that_is_killed_again_and_again_checks_everything_once(folder: Path) -> None:
    for n in range(12):
        transcript(folder / "in" / f"{n}.jsonl", [(0.0, 2.0, f"您好{n}号"), *FULL_VISIT[1:]])
    for kill in range(2):
        with watching(folder, "--move-to", folder / "out") as process:
            wait_for(folder, "watching", count=kill + 1)
            time.sleep(0.1 * kill)
            process.send_signal(signal.SIGKILL)
            process.wait()
    shown = run(*words(folder, "--once", "--move-to", folder / "out"))
    assert shown.exit_code == 0, shown.output
    assert names(folder / "in") == []
    assert len(names(folder / "out")) == 12
    assert len(recorded(folder)) == 12
    once = rows(folder)
    shutil.copytree(folder / "out", folder / "in", dirs_exist_ok=True)
    assert run(*words(folder, "--once")).exit_code == 0
    assert rows(folder) == once


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs a socket of systemd")
def test_a_service_manager_is_told_when_the_watch_is_ready(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(PATIENCE)
        with watching(folder, env={"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "200000"}) as process:
            assert manager.recv(100) == b"READY=1"
            assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            process.send_signal(signal.SIGTERM)
            assert any(manager.recv(100) == b"STOPPING=1" for _ in range(50))
            assert process.wait(PATIENCE) == 0
