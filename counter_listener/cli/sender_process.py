"""`send` beside a listener: a process of its own at the lowest priority, which ends with the one that started it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from counter_listener.domain import N_

EVERY: Final = 60
"""Seconds between two looks for new rows."""
RESTART_SECONDS: Final = 60.0
"""Seconds after which one that died is started again."""
LOOK_SECONDS: Final = 10.0
STOP_SECONDS: Final = 2.0
UNSENT: Final = N_("the record cannot be sent to the server now; listening goes on, and it is tried again")


@dataclass
class SetWatch:
    """Tells when another phrase set has come into force beside the record, so that the listener takes it."""

    location: str
    name: str
    changed: Callable[[], None]
    _seen: int | None = None
    _looked: float = float("-inf")

    def look(self, now: float) -> None:
        """Looks every LOOK_SECONDS; `now` is seconds by a clock that never goes back."""
        if now - self._looked < LOOK_SECONDS:
            return
        first, self._looked = self._looked == float("-inf"), now
        before, self._seen = self._seen, self._stamp()
        if not first and before != self._seen:
            self.changed()

    def _stamp(self) -> int | None:
        from counter_listener.phrases import sets_folder
        from counter_listener.record import record_file

        try:
            return (sets_folder(record_file(self.location)) / f"{self.name}.toml").stat().st_mtime_ns
        except (OSError, ValueError):
            return None


@dataclass
class SenderProcess:
    """Sends the record at a location, if it is enrolled at a server. Whatever becomes of it, listening goes on."""

    location: str
    clips: bool = False
    """Whether clips are sent that a reviewer asks for."""
    failed: Callable[[], None] = lambda: None
    """Called when it died; it is started again."""
    _process: subprocess.Popen[bytes] | None = None
    _started: float = float("-inf")
    _told: bool = False
    """Whether it was told that this process died."""

    def keep(self, now: float) -> None:
        """Starts it, also again; `now` is seconds by a clock that never goes back. To be called often."""
        code = self._process.poll() if self._process else None
        if code and not self._told:
            self._told = True
            self.failed()
        if now - self._started < RESTART_SECONDS or (self._process and code is None):
            return
        self._told = False
        self._started = now
        if self._is_enrolled():
            command = [sys.executable, "-m", "counter_listener", "send", "--every", str(EVERY), "--until-eof"]
            command += ["--clips"] if self.clips else []
            nothing = subprocess.DEVNULL
            with suppress(OSError):
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [*command, "--store", self.location], stdin=subprocess.PIPE, stdout=nothing, stderr=nothing
                )

    def stop(self) -> None:
        """Ends it; what it was sending is sent the next time."""
        if self._process is None:
            return
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_enrolled(self) -> bool:
        from counter_listener.record import record_file, server_file

        return server_file(record_file(self.location)).exists()
