"""Plays a day into a virtual microphone at which `listen` listens, with kills and a lost microphone. Linux alone."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import psutil
from numpy.typing import NDArray
from support.virtual_microphone import Sound

from counter_listener.cli.options import monotonic_clock

Kind = Literal["listener", "program", "lose", "return"]
RATE: Final = 16_000
SINK: Final = "day"
LATENCY_MS: Final = 2000
"""Of the player: so much that a busy computer leaves no holes in the sound."""
BEHIND_SECONDS: Final = 1.0
"""By so much the player may fall behind the clock before it starts anew where the day is by now."""
CHUNK_SECONDS: Final = 0.05
SAMPLE_SECONDS: Final = 5.0
"""How often memory and processor time are measured."""
START_SECONDS: Final = 300.0
AN_HOUR: Final[dict[Kind, float]] = {"listener": 0.75, "program": 0.25, "lose": 0.375}
"""Disturbances an hour, at least one of each: a kill of the listening process, of the program; a lost microphone."""
LOST_SECONDS: Final = (60.0, 400.0)
"""How long a microphone is lost."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What is done, and when in the day."""

    at: float
    kind: Kind


def disturbances(spans: list[tuple[float, float]], hours: float, seed: int) -> list[Disturbance]:
    """What is done on a day with these visits: every other disturbance falls into a visit."""
    rng = random.Random(f"disturbances {seed}")
    end = hours * 3600
    kinds = [kind for kind, rate in AN_HOUR.items() for _ in range(max(1, round(rate * hours)))]
    planned: list[Disturbance] = []
    for number, kind in enumerate(kinds):
        first, last = rng.choice(spans) if number % 2 == 0 and spans else (0.05 * end, 0.95 * end)
        at = rng.uniform(first, last)
        planned.append(Disturbance(at, kind))
        if kind == "lose":
            longest = min(LOST_SECONDS[1], end / 8)
            planned.append(Disturbance(at + rng.uniform(min(LOST_SECONDS[0], longest), longest), "return"))
    return sorted(planned, key=lambda one: one.at)


@dataclass
class DayClock:
    """When it is in the day: its second 0 is when the player began."""

    speed: float
    played: float

    def now(self) -> float:
        """Seconds into the day."""
        return (monotonic_clock() - self.played) * self.speed


@dataclass
class Player:
    """Plays the day into the sink while there is one; always where the day is by the clock."""

    sound: Sound
    pcm: NDArray[np.int16]
    clock: DayClock
    note: Callable[[dict[str, Any]], None]
    plugged: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Plays until the day is over."""
        while not self.over.is_set():
            if not self.plugged.wait(0.1):
                continue
            first = round(self.clock.now() * RATE)
            if first >= len(self.pcm):
                return
            player = self._start()
            try:
                self._feed(player, first)
            finally:
                player.kill()
                player.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        rate = round(RATE * self.clock.speed)
        words = ["--playback", f"--device={SINK}", f"--rate={rate}", "--format=s16le", "--channels=1"]
        command = ["pacat", *words, f"--latency-msec={LATENCY_MS}"]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.sound.environment, bufsize=0
        )

    def _feed(self, player: subprocess.Popen[bytes], first: int) -> None:
        """Writes from sample `first` on; returns when the sink is gone, the day over, or the player far behind."""
        size = round(RATE * self.clock.speed * CHUNK_SECONDS)
        assert player.stdin  # noqa: S101 - it has a pipe
        while self.plugged.is_set() and not self.over.is_set() and first < len(self.pcm):
            try:
                player.stdin.write(self.pcm[first : first + size].tobytes())
            except OSError:
                return
            first += size
            behind = self.clock.now() - first / RATE
            if behind > BEHIND_SECONDS * self.clock.speed:
                self.note({"done": "player fell behind", "day": self.clock.now(), "seconds": behind})
                return


@dataclass
class Listen:
    """The program that listens, which is started again when it is gone, as a service manager does."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; its log goes to a file."""
        with (self.folder / "listen.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def processes(self) -> list[psutil.Process]:
        """The program and its listening process."""
        if self.process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            mine = psutil.Process(self.process.pid)
            return [mine, *mine.children()]
        return []

    def kill(self, *, whole: bool) -> None:
        """Kills the listening process, or the program with it at once, as a power cut does."""
        for process in self.processes()[0 if whole else 1 :]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if whole and self.process:
            self.process.wait()
            self.start()

    def stop(self) -> None:
        """Stops it as a user does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill(whole=False)
                self.process.kill()


@dataclass
class Usage:
    """Memory and processor time of the listening processes, sampled."""

    listen: Listen
    clock: DayClock
    file: Path
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Samples until the run is over."""
        with self.file.open("a", encoding="utf-8") as out:
            while not self.over.wait(SAMPLE_SECONDS):
                for process in self.listen.processes():
                    with suppress(psutil.Error):
                        times = process.cpu_times()
                        line = {"day": self.clock.now(), "pid": process.pid, "cpu": times.user + times.system}
                        out.write(json.dumps({**line, "megabytes": process.memory_info().rss / 1e6}) + "\n")
                        out.flush()


@dataclass
class DayRunner:
    """One run of a day."""

    sound: Sound
    pcm: NDArray[np.int16]
    speed: float
    folder: Path
    listen: Listen
    module: str = ""

    def plug_in(self) -> None:
        """The microphone: a sink with the sample rate of the fast counter."""
        words = (f"sink_name={SINK}", f"rate={round(RATE * self.speed)}", "channels=1")
        self.module = self.sound.pactl("load-module", "module-null-sink", *words)

    def note(self, facts: dict[str, Any]) -> None:
        """Writes what was done."""
        with (self.folder / "done.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"clock": monotonic_clock(), **facts}) + "\n")

    def run(self, planned: list[Disturbance], began: dict[str, float]) -> None:
        """Plays the day and does what is planned. What `began` holds is written for the report, with the start."""
        self.plug_in()
        self.listen.start()
        self._wait_for_listener()
        clock = DayClock(self.speed, monotonic_clock())
        facts = {**began, "played": clock.played, "speed": self.speed, "seconds": len(self.pcm) / RATE}
        (self.folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
        player = Player(self.sound, self.pcm, clock, self.note)
        usage = Usage(self.listen, clock, self.folder / "usage.jsonl")
        player.plugged.set()
        with _thread(player.run, player.over), _thread(usage.run, usage.over):
            for one in planned:
                self._wait(clock, one.at)
                self._disturb(one, player)
                self.note({"done": one.kind, "day": clock.now()})
            self._wait(clock, len(self.pcm) / RATE)
        self.listen.stop()

    def _wait_for_listener(self) -> None:
        until = time.monotonic() + START_SECONDS
        seen = self.folder / "seen.jsonl"
        while '"begun"' not in (seen.read_text(encoding="utf-8") if seen.exists() else ""):
            if time.monotonic() > until or (self.listen.process and self.listen.process.poll() is not None):
                raise TimeoutError((self.folder / "listen.log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.2)

    def _wait(self, clock: DayClock, until: float) -> None:
        while clock.now() < until:
            if self.listen.process and self.listen.process.poll() is not None:
                self.note({"done": "ended by itself", "day": clock.now(), "code": self.listen.process.returncode})
                self.listen.start()
            time.sleep(0.02)

    def _disturb(self, one: Disturbance, player: Player) -> None:
        if one.kind == "lose":
            player.plugged.clear()
            self.sound.unplug(self.module)
        elif one.kind == "return":
            self.plug_in()
            player.plugged.set()
        else:
            self.listen.kill(whole=one.kind == "program")


@contextmanager
def _thread(run: Callable[[], None], over: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def fast_command(store: Path, phrases: str) -> list[str]:
    """The command line of a fast `listen`."""
    words = ["listen", "--device", "pulse", "--counter", "1", "--no-screen", "--phrases", phrases]
    return [sys.executable, str(Path(__file__).with_name("fast_listen.py")), *words, "--store", str(store)]


def fast_environment(sound: Sound, folder: Path, speed: float, began: dict[str, float]) -> dict[str, str]:
    """The environment of a fast `listen`: its microphone, clocks and folders."""
    top = Path(__file__).resolve().parent.parent
    return {
        **os.environ,
        **sound.hearing(SINK),
        "PYTHONPATH": f"{top}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "COUNTER_SPEED": str(speed),
        "COUNTER_SINCE": f"{began['since']!r} {began['wall']!r}",
        "COUNTER_SEEN": str(folder / "seen.jsonl"),
    }
