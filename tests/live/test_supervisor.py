"""Real listener processes that die, abort, hang, leak and give up, and the parent that starts them again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from counter_listener.live import supervisor as supervise
from counter_listener.live.supervisor import DIED, GONE, GREW, HUNG, Supervisor

ODD = Path(__file__).parents[1] / "support" / "odd_listener.py"


@dataclass
class Watch:
    """A supervisor over an odd listener, stopped once the listener has been told to start so often."""

    folder: Path
    modes: tuple[str, ...]
    starts: int
    speed: float = 1.0
    """How much faster than real time the clock runs."""
    told: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> str | None:
        command = [sys.executable, str(ODD), str(self.folder), *self.modes]
        self.supervisor = Supervisor(command, {"counter": "3"}, 200.0, lambda: time.monotonic() * self.speed, self.tell)
        return self.supervisor.run()

    def tell(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        if message.get("beat", 0) > 1 and self.supervisor.starts >= self.starts:
            self.supervisor.inbox.put(("order", "stop"))

    @property
    def restarts(self) -> list[tuple[str, float]]:
        return [(one["restarting"], one["in"]) for one in self.told if "restarting" in one]

    def resumes(self) -> list[Any]:
        """What each listener was told of the stream that it goes on with."""
        return [json.loads(file.read_text())["resume"] for file in sorted(self.folder.glob("start-*"))]


@pytest.mark.parametrize(
    ("mode", "reason", "speed"),
    [
        ("dies", DIED, 1),
        ("aborts", DIED, 1),
        ("raises", DIED, 1),
        ("hangs", HUNG, 6),
        ("leaks", GREW, 1),
        ("bursts", GREW, 1),
    ],
)
def test_whatever_goes_wrong_the_listener_comes_back(mode: str, reason: str, speed: float, tmp_path: Path) -> None:
    watch = Watch(tmp_path, (mode, "works"), starts=2, speed=speed)
    watch.run()
    [(said, _)] = watch.restarts
    assert said.startswith(reason)
    first, second = watch.resumes()
    assert first is None
    assert second["stream"] == "live-odd"
    assert second["reason"] == reason
    assert second["since"] == 100.0
    assert second["at"] >= -1
    assert watch.told[-1] == {"stopped": True}


def test_how_it_died_is_told_without_a_traceback(tmp_path: Path) -> None:
    watch = Watch(tmp_path, ("aborts", "raises", "works"), starts=3)
    watch.run()
    assert ["SIGABRT" in watch.restarts[0][0], "ValueError: beat" in watch.restarts[1][0]] == [True, True]


def test_one_that_dies_again_and_again_is_started_ever_later_up_to_a_minute(tmp_path: Path) -> None:
    watch = Watch(tmp_path, ("dies",) * 9 + ("works",), starts=10, speed=300)
    watch.supervisor = Supervisor([], {}, 1, time.monotonic, watch.tell)
    child = _dead(watch.supervisor, -9)
    delays = [watch.supervisor._delay(child) for _ in range(12)]  # noqa: SLF001 - the rule alone, not minutes of waiting
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == supervise.LONGEST_DELAY == 60.0
    away = _dead(watch.supervisor, supervise.NO_MICROPHONE)
    assert watch.supervisor._delay(away) == supervise.LONGEST_DEVICE_DELAY < 10  # noqa: SLF001
    assert watch.supervisor._delay(_dead(watch.supervisor, 0)) == 0  # noqa: SLF001


def _dead(supervisor: Supervisor, code: int) -> supervise.Child:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    process.returncode = code
    return supervise.Child(1, process, supervisor.clock())


def test_a_microphone_that_is_away_is_looked_for_until_it_is_back(tmp_path: Path) -> None:
    watch = Watch(tmp_path, ("works", "deaf", "deaf", "works"), starts=4, speed=1)

    def tell(message: dict[str, Any]) -> None:
        watch.told.append(message)
        if message.get("beat", 0) > 1 and watch.supervisor.starts == 1:
            watch.supervisor.inbox.put(("order", "renew"))
        elif message.get("beat", 0) > 1:
            watch.supervisor.inbox.put(("order", "stop"))

    watch.tell = tell  # type: ignore[method-assign]
    assert watch.run() is None
    assert [delay for _, delay in watch.restarts] == [0.0, 0.5, 1.0]
    assert watch.resumes()[-1]["reason"] == GONE


@pytest.mark.parametrize(("mode", "said", "code"), [("deaf", "no microphone", 75), ("broken", "phrase set", 2)])
def test_what_never_worked_is_not_tried_again(mode: str, said: str, code: int, tmp_path: Path) -> None:
    watch = Watch(tmp_path, (mode,), starts=1)
    assert said in (watch.run() or "")
    assert watch.supervisor.code == code
    assert len(watch.resumes()) == 1


def test_it_stops_at_once_and_ends_a_listener_that_will_not(tmp_path: Path) -> None:
    began = time.monotonic()
    watch = Watch(tmp_path, ("stubborn",), starts=1)
    assert "did not stop" in (watch.run() or "")
    assert watch.supervisor.code == -signal.SIGKILL
    assert time.monotonic() - began < 2 + 5  # two seconds, and Python's start


def test_the_parent_imports_neither_vosk_nor_the_sound_card() -> None:
    code = (
        "import sys; from counter_listener import cli_listen, supervise, board, screen, logline, keys, notify, lock;"
        "import rich.live; print(*(m for m in ('vosk', 'sounddevice', 'av', 'sqlalchemy') if m in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert shown.stdout.strip() == ""


def test_a_child_whose_parent_is_killed_does_not_stay(tmp_path: Path) -> None:
    code = (
        "import sys, time; from counter_listener.supervise import Supervisor;"
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
