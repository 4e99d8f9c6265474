"""Real listening processes that die, abort, hang, leak and give up, and the parent that restarts them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from counter_listener.live import NO_MICROPHONE, Supervisor, notify, watchdog_seconds
from counter_listener.live.supervisor import (
    DIED,
    GONE,
    GREW,
    HUNG,
    LONGEST_DELAY,
    LONGEST_DEVICE_DELAY,
    Child,
    resume_point,
)

ODD = Path(__file__).parents[1] / "support" / "odd_listener.py"


@dataclass
class Watch:
    """A supervisor over odd_listener.py, stopped after so many starts of it."""

    folder: Path
    modes: tuple[str, ...]
    starts: int
    speed: float = 1.0
    """How much faster than real time the clock runs."""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> str | None:
        command = [sys.executable, str(ODD), str(self.folder), *self.modes]
        self.supervisor = Supervisor(
            command, {"counter": "3"}, 200.0, lambda: time.monotonic() * self.speed, self.receive
        )
        return self.supervisor.run()

    def receive(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message.get("beat", 0) > 1 and self.supervisor.starts >= self.starts:
            self.supervisor.inbox.put(("order", "stop"))

    @property
    def restarts(self) -> list[tuple[str, float]]:
        return [(one["restarting"], one["in"]) for one in self.messages if "restarting" in one]

    def resumes(self) -> list[Any]:
        """The stream that each listener was started to continue."""
        return [json.loads(file.read_text())["resume"] for file in sorted(self.folder.glob("start-*"))]


@pytest.mark.parametrize(
    ("mode", "reason", "speed"),
    [
        ("dies", DIED, 1),
        pytest.param("aborts", DIED, 1, marks=pytest.mark.slow),
        pytest.param("raises", DIED, 1, marks=pytest.mark.slow),
        ("hangs", HUNG, 6),
        pytest.param("leaks", GREW, 1, marks=pytest.mark.slow),
        ("bursts", GREW, 1),
    ],
)
def test_the_listener_is_restarted_whatever_went_wrong(mode: str, reason: str, speed: float, tmp_path: Path) -> None:
    watch = Watch(tmp_path, (mode, "works"), starts=2, speed=speed)
    watch.run()
    [(shown, _)] = watch.restarts
    assert shown.startswith(reason)
    first, second = watch.resumes()
    assert first is None
    assert second["stream"] == "live-odd"
    assert second["reason"] == reason
    assert second["since"] == 100.0
    assert second["at"] >= -1
    assert watch.messages[-1] == {"stopped": True}


def test_the_cause_of_a_death_is_shown_without_a_traceback(tmp_path: Path) -> None:
    watch = Watch(tmp_path, ("aborts", "raises", "works"), starts=3)
    watch.run()
    assert "SIGABRT" in watch.restarts[0][0]
    assert "ValueError: beat" in watch.restarts[1][0]


def test_the_delay_of_restarts_doubles_up_to_a_minute() -> None:
    supervisor = Supervisor([], {}, 1, time.monotonic, lambda _message: None)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        child = Child(1, process, supervisor.clock())

    def delay(code: int) -> float:
        supervisor.code = code
        return supervisor._delay(child)  # noqa: SLF001 - the rule alone, not minutes of waiting

    delays = [delay(-9) for _ in range(12)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY == 60.0
    assert delay(NO_MICROPHONE) == LONGEST_DEVICE_DELAY < 10
    assert delay(0) == 0


def test_a_pause_of_the_supervisor_itself_is_no_hang_of_the_listener() -> None:
    times = [0.0]
    supervisor = Supervisor([], {}, 1, lambda: times[0], lambda _message: None)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        child = Child(1, process, 0.0, beat=0.0)

        def check(*moments: float) -> str:
            for times[0] in moments:
                supervisor._check_limits(child)  # noqa: SLF001 - the rule alone, with a clock of the test
            return child.killed

        assert check(0.2, 0.4, 3600.4, 3601.0) == "", "the computer was suspended for an hour"
        assert check(*(3601.0 + second for second in range(11))) == HUNG


def test_a_second_death_before_anything_was_settled_continues_where_the_first_one_did() -> None:
    begun = {"begun": "live-1", "started": "2026-01-15T12:00:00+00:00"}
    beat = {"beat": 700.2, "settled": 698.0, "since": 1698.0, "begun": True}
    first = resume_point(None, begun, 1000.0)
    assert first == {"stream": "live-1", "at": 0.0, "since": 1000.0, "reason": DIED}
    settled = resume_point(first, beat, 1700.3)
    assert settled == {"stream": "live-1", "at": 698.0, "since": 1698.0, "reason": DIED}
    assert resume_point(settled, begun, 1720.0) == settled
    assert resume_point(settled, {**begun, "begun": "live-2"}, 1720.0) == {**first, "stream": "live-2", "since": 1720.0}
    assert resume_point(settled, {**beat, "begun": False, "since": 5.0}, 1721.0) == settled


def test_a_microphone_that_is_away_is_looked_for_until_it_is_back(tmp_path: Path) -> None:
    watch = Watch(tmp_path, ("works", "deaf", "deaf", "works"), starts=4, speed=1)

    def receive(message: dict[str, Any]) -> None:
        watch.messages.append(message)
        if message.get("beat", 0) > 1 and watch.supervisor.starts == 1:
            watch.supervisor.inbox.put(("order", "renew"))
        elif message.get("beat", 0) > 1:
            watch.supervisor.inbox.put(("order", "stop"))

    watch.receive = receive  # type: ignore[method-assign]
    assert watch.run() is None
    assert [delay for _, delay in watch.restarts] == [0.0, 0.5, 1.0]
    assert watch.resumes()[-1]["reason"] == GONE


@pytest.mark.parametrize(("mode", "error", "code"), [("deaf", "no microphone", 75), ("broken", "phrase set", 2)])
def test_a_listener_that_never_worked_is_not_restarted(mode: str, error: str, code: int, tmp_path: Path) -> None:
    watch = Watch(tmp_path, (mode,), starts=1)
    assert error in (watch.run() or "")
    assert watch.supervisor.code == code
    assert len(watch.resumes()) == 1


def test_a_listener_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    began = time.monotonic()
    watch = Watch(tmp_path, ("stubborn",), starts=1)
    assert "did not stop" in (watch.run() or "")
    assert watch.supervisor.code == -signal.SIGKILL
    assert time.monotonic() - began < 2 + 5  # two seconds, and Python's start


def test_the_parent_imports_neither_vosk_nor_the_sound_card() -> None:
    code = (
        "import sys; from counter_listener.cli.commands import listen;"
        "from counter_listener.cli.terminal import screen; from counter_listener.live import Supervisor, notify;"
        "from counter_listener.record import lock_counter;"
        "print(*({'vosk', 'sounddevice', 'av', 'numpy', 'pypinyin'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert shown.stdout.strip() == ""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from counter_listener.live import Supervisor;"
        f"Supervisor([sys.executable, {str(ODD)!r}, {str(tmp_path)!r}, 'works'], {{}}, 1e9, time.monotonic,"
        " lambda message: 'beat' in message and print('beat', flush=True)).run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"beat\n"
    (child,) = psutil.Process(parent.pid).children()
    parent.kill()
    parent.stdout.close()
    parent.wait()
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert (len(gone), len(alive)) == (1, 0)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is for Linux")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # sdnotify leaves one that cannot connect
def test_systemd_is_notified_where_it_started_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_notified_twice_in_its_time(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environment) == seconds
