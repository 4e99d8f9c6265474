"""`listen` whose counter lives several times as fast as the computer's clock: for bench/whole_day.py.

    COUNTER_SPEED=10 COUNTER_SINCE=... COUNTER_SEEN=seen.jsonl python bench/fast_listen.py listen --device pulse ...

It is the real command, with its real processes. Only the two things are replaced that tell the time in the listening
process: the clocks that are passed into it, and the sample rate at which the sound card is opened, whose samples it
takes for 16 kHz. What concerns the computer and not the counter keeps its real seconds: restarts, hangs, how far audio
may lag behind the clock, and how much may wait while a model is loaded. What the screen would show is written to a
file, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any, Final

import counter_listener.live
from counter_listener.cli.options import monotonic_clock
from counter_listener.live import ScreenState, Supervisor

SPEED: Final = "COUNTER_SPEED"
SINCE: Final = "COUNTER_SINCE"
"""The monotonic clock and the wall clock at which the fast clocks began, in seconds, divided by a space."""
SEEN: Final = "COUNTER_SEEN"
LISTENER: Final = "--listening-process"


def fast_clock(speed: float, since: float, clock: Callable[[], float] = monotonic_clock) -> Callable[[], float]:
    """A clock that was right at `since` and runs `speed` times as fast."""
    return lambda: since + (clock() - since) * speed


def fast_datetime(speed: float, since: float) -> type[datetime]:
    """The class datetime with a wall clock that was right at `since` (POSIX seconds) and runs `speed` times as fast."""

    class FastDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            began = datetime.fromtimestamp(since, UTC)
            return (began + (datetime.now(UTC) - began) * speed).astimezone(tz)

    return FastDatetime


class SeenSupervisor(Supervisor):
    """Writes what happens on the screen to a file: hints that come and go, starts and restarts, memory."""

    def run(self) -> str | None:
        """Supervises, as the supervisor does."""
        show = self.on_message
        with Path(os.environ[SEEN]).open("a", encoding="utf-8") as file:
            seen = Seen(file)

            def show_and_note(message: dict[str, Any]) -> None:
                show(message)
                seen.note(message)

            self.on_message = show_and_note
            return super().run()


class Seen:
    """What a screen shows, as lines; its state is the screen's own."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.state = ScreenState()
        self.hint: str | None = None
        self.stream = ""

    def note(self, message: dict[str, Any]) -> None:
        """Applies a message, and writes what changed."""
        self.state.apply(message)
        self.stream = message.get("begun") if "started" in message else self.stream  # type: ignore[assignment]
        if "started" in message or "restarting" in message or "stopped" in message:
            self._write({key: message.get(key) for key in ("begun", "started", "restarting", "stopped")})
        if "megabytes" in message:
            self._write({"megabytes": message["megabytes"], "waited": message["waited"]})
        hint = self.state.hint()
        shown = hint.phrase if hint else None
        if shown != self.hint:
            self.hint = shown
            opened = self.state.visit.opened if self.state.visit else None
            self._write({"hint": shown, "opened": opened})

    def _write(self, facts: dict[str, Any]) -> None:
        line = {"clock": monotonic_clock(), "stream": self.stream, "at": self.state.at, **facts}
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()


def open_fast(speed: float) -> None:
    """Makes every microphone deliver `speed` times as many samples a second as it is asked for."""
    import sounddevice

    from counter_listener.audio import capture

    opened, checked = sounddevice.RawInputStream, sounddevice.check_input_settings

    def stream(**asked: Any) -> Any:  # noqa: ANN401 - it has no types
        return opened(**{**asked, "samplerate": round(asked["samplerate"] * speed)})

    def check(**asked: Any) -> Any:  # noqa: ANN401
        return checked(**{**asked, "samplerate": round(asked["samplerate"] * speed)})

    sounddevice.RawInputStream, sounddevice.check_input_settings = stream, check
    for name in ("JUMP_SECONDS", "STALL_SECONDS", "QUEUE_SECONDS"):  # of the computer: a process that had no turn
        setattr(capture, name, getattr(capture, name) * speed)


def listening_process(speed: float, since: float, wall: float) -> None:
    """The listening process, with fast clocks and a fast microphone."""
    from counter_listener.cli import listener_process

    open_fast(speed)
    fast = {"monotonic_clock": fast_clock(speed, since), "datetime": fast_datetime(speed, wall)}
    for name, clock in fast.items():
        setattr(listener_process, name, clock)
    listener_process.main()


def main() -> None:
    """Runs a command line with a fast counter, or the process that it starts."""
    speed = float(os.environ[SPEED])
    since, wall = map(float, os.environ[SINCE].split())
    if sys.argv[1:] == [LISTENER]:
        listening_process(speed, since, wall)
        return
    from counter_listener.cli.app import main as command_line

    class FastSupervisor(SeenSupervisor):
        def __init__(self, _command: object, *others: Any, **named: Any) -> None:  # noqa: ANN401
            super().__init__([sys.executable, __file__, LISTENER], *others, **named)

    counter_listener.live.Supervisor = FastSupervisor  # type: ignore[misc, assignment]
    command_line()


if __name__ == "__main__":
    main()
