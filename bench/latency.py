"""From the end of a phrase in the air to its tick on the screen and its row in the record, in real time.

    python bench/latency.py               about ten minutes: every mono fixture once, and the CPU use

A PulseAudio null sink is the microphone (Linux; .ci/run installs it), and paplay is the clerk and the customer. The
listening process is that of `listen`, under the supervisor of `listen`; the screen is the real one too, drawn into a
terminal of 80 by 24. The end of a phrase is the end of its last word by libvosk; the clock and the count of samples
give the time at which that was in the air. A phrase ticks when the frame is written in which it is marked and stays
marked until its event. The delay of the record is from the end of the utterance by libvosk, which the listener reports,
to the report of the event, which comes once SQLite has it on the disk.
"""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.live import Live

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "cli"))

from support.virtual_microphone import Sound, virtual_sound
from test_listen import room_noise

from counter_listener.audio import read_recording
from counter_listener.cli.options import monotonic_clock
from counter_listener.cli.terminal.screen import Screen
from counter_listener.domain import bundled_folder
from counter_listener.live import Config, ScreenState, Supervisor

FIXTURES: Final = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
VISITS: Final = (
    "full-marks",
    "no-greeting",
    "no-farewell",
    "forbidden",
    "forbidden-innocent",
    "request-without-please",
    "refusal-with-sorry",
    "complaint-handled",
    "complaint-unhandled",
    "telephone-alaw",
    "late-greeting",
    "everyday-talk",
)
PAUSE: Final = 8.0
"""Seconds of a quiet room between two: longer than the `idle` of short_visits(), so that each is a visit."""
CPU_SECONDS: Final = 40
TICK_MEDIAN: Final = 0.5
TICK_95: Final = 1.0
STORED: Final = 0.3


@dataclass
class Watch:
    """What the listener reported, when, and what the screen then showed."""

    state: ScreenState
    live: Live
    marked: dict[str, float] = field(default_factory=dict)
    """Since when each phrase of this visit has been ticked, by the clock."""
    ticks: list[float] = field(default_factory=list)
    stored: list[float] = field(default_factory=list)
    guesses: int = 0
    written: list[float] = field(default_factory=list)
    """When the events of this utterance were reported, by the clock."""
    zero: float = 0.0
    """Second 0 of the stream, by the clock."""

    def receive(self, message: dict[str, Any]) -> None:
        """Draws a message of the listener at once unless it is a beat, as `listen` does."""
        received = monotonic_clock()
        if "beat" in message and message["begun"]:
            self.zero = message["since"] - message["settled"]
        if message.get("guess") == "":
            self.stored += [written - message["ended"] for written in self.written]
            self.written.clear()
        self.state.apply(message)
        if "beat" in message:
            return
        self.live.update(Screen(self.state, "12:00:00"), refresh=True)
        drawn = monotonic_clock()
        ids = [phrase["id"] for stage in self.state.standard.get("stages", ()) for phrase in stage["phrases"]]
        ids += [word["id"] for word in self.state.standard.get("words", ())]
        for owner in ids:
            if self.state.mark(owner) == "open":
                self.marked.pop(owner, None)
            else:
                self.marked.setdefault(owner, drawn)
        event = message.get("event", {})
        if event.get("kind") == "phrase" and event["verdict"] == "heard" and not event["detail"].get("scenario"):
            first = self.marked.get(event["phrase"], drawn)
            self.guesses += first < drawn
            self.ticks.append(first - self.zero - event["detail"]["end"])
        if event.get("kind") in ("phrase", "forbidden", "rule") and "said_at" not in event["detail"] and event["heard"]:
            self.written.append(received)


def main() -> None:
    """Prints one line a figure."""
    with tempfile.TemporaryDirectory() as folder, virtual_sound() as sound:
        sound.plug_in("bench")
        os.environ.update(sound.hearing("bench"))
        terminal, screen = pty.openpty()
        threading.Thread(target=_discard_output, args=(terminal,), daemon=True).start()
        console = Console(file=os.fdopen(screen, "w"), force_terminal=True, width=80, height=24, highlight=False)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            watch = Watch(ScreenState(counter="1"), live)
            config = Config(
                device="pulse",
                counter="1",
                phrases=str(short_visits(Path(folder))),
                model="counter-cn",
                store=str(Path(folder) / "events.db"),
            )
            command = [sys.executable, "-m", "counter_listener.cli.listener_process"]
            supervisor = Supervisor(command, config.model_dump(), 4000.0, monotonic_clock, watch.receive)
            threading.Thread(target=supervisor.run, daemon=True).start()
            while not supervisor.worked:
                time.sleep(0.1)
            lines = _played(sound, supervisor, Path(folder))
            supervisor.inbox.put(("order", "stop"))
            time.sleep(2)
    lines += [
        _line("tick on the screen after the end of the phrase", watch.ticks, f"median {TICK_MEDIAN}, 95th {TICK_95}"),
        f"of these ticked before the utterance was over: {watch.guesses}",
        _line("row in the record after libvosk's end of the utterance", watch.stored, f"most {STORED}"),
    ]
    print("\n".join(lines))


def _played(sound: Sound, supervisor: Supervisor, folder: Path) -> list[str]:
    (child,) = psutil.Process().children(recursive=False)[-1:]
    me = psutil.Process()
    lines = []
    files = {"quiet room": _wav(folder / "quiet.wav", room_noise(CPU_SECONDS))}
    for name in VISITS:
        spoken = b"".join(part for part in read_recording(FIXTURES / f"{name}.wav") if isinstance(part, bytes))
        files[name] = _wav(folder / f"{name}.wav", spoken + room_noise(PAUSE))
    spoken_seconds = spoken_cpu = 0.0
    for name, file in files.items():
        before, began, mine = _cpu(child), monotonic_clock(), _cpu(me)
        subprocess.run(["paplay", "--device=bench", str(file)], env=sound.environment, check=True)
        used, seconds, shown = _cpu(child) - before, monotonic_clock() - began, _cpu(me) - mine
        if name == "quiet room":
            listener, screen = used / seconds, shown / seconds
            lines.append(f"share of one core in a quiet room: listener {listener:.3f}, parent and screen {screen:.3f}")
        else:
            spoken_seconds += seconds
            spoken_cpu += used
    lines.append(f"share of one core while visits are spoken, pauses included: {spoken_cpu / spoken_seconds:.3f}")
    before, began = _cpu(child), monotonic_clock()
    time.sleep(CPU_SECONDS)
    lines.append(
        f"share of one core in exact silence: listener {(_cpu(child) - before) / (monotonic_clock() - began):.3f}"
    )
    lines.append(f"restarts: {supervisor.starts - 1}")
    return lines


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _line(what: str, seconds: list[float], bound: str) -> str:
    ranked = sorted(seconds)
    high = ranked[int(0.95 * (len(ranked) - 1))]
    middle = statistics.median(ranked)
    figures = f"median {middle:.2f} s, 95th percentile {high:.2f} s, most {ranked[-1]:.2f} s, of {len(ranked)}"
    return f"{what}: {figures} (bound: {bound})"


def short_visits(folder: Path) -> Path:
    """The bank counter's phrase set, with visits that close after 3 and 6 seconds."""
    text = (bundled_folder("phrase_sets") / "bank-counter.toml").read_text(encoding="utf-8")
    file = folder / "short_visits.toml"
    changed = text.replace("\nquiet = 20\n", "\nquiet = 3\n").replace("\nidle = 120\n", "\nidle = 6\n")
    file.write_text(changed, encoding="utf-8")
    return file


def _wav(file: Path, sound: bytes) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(sound)
    return file


def _discard_output(terminal: int) -> None:
    """Reads what is drawn, as a terminal does."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return


if __name__ == "__main__":
    main()
