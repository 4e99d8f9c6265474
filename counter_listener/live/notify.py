"""Tells systemd that the listener is ready, alive or stopping (sd_notify(3)); silent where systemd did not start it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

PATIENCE_SECONDS: Final = 1.0
"""For a service manager that does not read: listening must not wait for it."""


def notify(environment: Mapping[str, str], state: str) -> None:
    """Sends a state such as READY=1 to the service manager, if there is one. Failing to is no reason to stop."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE_SECONDS)
        channel.connect("\0" + address[1:] if address[0] == "@" else address)
        channel.sendall(state.encode())


def watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """How often the service manager wants to hear WATCHDOG=1: half of what it allows; None where it does not ask."""
    asked, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not asked.isdigit() or process not in ("", str(os.getpid())):
        return None
    return int(asked) / 2e6
