"""Tells a service manager how the program is, and that it goes on (sd_notify(3)); nothing happens without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sdnotify import SystemdNotifier

NOTIFY_SECONDS: Final = 1.0
"""Time limit for a message to a service manager that does not read: listening must not wait for it."""


def notify(state: str) -> None:
    """Sends a state such as READY=1 to systemd, if systemd started this program. Never raises."""
    if os.environ.get("NOTIFY_SOCKET"):
        notifier = SystemdNotifier()
        if notifier.socket:
            with notifier.socket:
                notifier.socket.settimeout(NOTIFY_SECONDS)
                notifier.notify(state)


def watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """How often systemd must receive WATCHDOG=1: half of what it allows; None where it does not ask."""
    asked, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    return int(asked) / 2e6 if asked.isdigit() and process in ("", str(os.getpid())) else None


@dataclass(slots=True)
class Watchdog:
    """Called often by the loop that must never stand still; tells the service manager as often as that one asks."""

    clock: Callable[[], float]
    """Seconds by a clock that never goes back."""
    interval: float | None = field(default_factory=lambda: watchdog_seconds(os.environ))
    _told: float = float("-inf")

    def __call__(self) -> float:
        """Shows that the loop goes on; returns the time, so that it can stand in for the clock that the loop reads."""
        now = self.clock()
        if self.interval is not None and now - self._told >= self.interval:
            self._told = now
            notify("WATCHDOG=1")
        return now
