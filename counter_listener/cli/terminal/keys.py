"""Keys pressed in the terminal, one at a time, without waiting for a line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

LOOK_SECONDS: Final = 0.2
"""How often to look whether to stop."""


@contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Calls `pressed` with each key, from a thread of its own; the terminal is as it was afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    over = threading.Event()
    with _unbuffered():
        reader = threading.Thread(target=_read, args=(pressed, over), daemon=True)
        reader.start()
        try:
            yield
        finally:
            over.set()
            reader.join(2 * LOOK_SECONDS)


def _read(pressed: Callable[[str], None], over: threading.Event) -> None:
    while not over.is_set():
        key = _key()
        if key is None:
            return
        if key:
            pressed(key)


if sys.platform == "win32":
    import msvcrt
    import time

    @contextmanager
    def _unbuffered() -> Iterator[None]:
        yield

    def _key() -> str | None:
        if msvcrt.kbhit():
            return msvcrt.getwch()
        time.sleep(LOOK_SECONDS)
        return ""

else:
    import os
    import select
    import termios
    import tty

    @contextmanager
    def _unbuffered() -> Iterator[None]:
        """Ctrl-C still interrupts, and lines are still printed as lines."""
        kept = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, kept)

    def _key() -> str | None:
        """The key, "" where none was pressed for a moment, None where the terminal has gone."""
        ready, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if not ready:
            return ""
        read = os.read(sys.stdin.fileno(), 1)
        return read.decode("ascii", "ignore") if read else None
