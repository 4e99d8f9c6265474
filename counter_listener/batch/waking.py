"""Waits until something changes in folders. The only module with watchfiles."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

TICK: Final = 0.5
"""Seconds between two looks at the clock while nothing happens."""
POLL: Final = 2.0
"""Seconds between two looks at a network drive, which tells nobody of its changes."""


class Waker:
    """Tells when something changes below folders, also after one of them disappeared and came back."""

    def __init__(self, folders: Sequence[Path], *, poll: bool) -> None:
        self.folders, self.poll = list(folders), poll
        self._watched: list[tuple[int, int] | None] = []
        self._changes: Generator[Any, None, None] | None = None

    def tick(self) -> bool:
        """Waits for TICK at most; whether something may have changed."""
        present = [_identity(folder) for folder in self.folders]
        if present != self._watched:  # folders came or went: what is watched is another folder now
            self.close()
            self._watched = present
            self._changes = self._watch()
            return True
        if self._changes is None:
            time.sleep(TICK)
            return False
        try:
            return bool(next(self._changes))
        except (OSError, RuntimeError, StopIteration):  # the system watches no more folders, or one has just gone
            self._changes = None
            return True

    def close(self) -> None:
        """Watches no longer."""
        if self._changes is not None:
            with suppress(OSError, RuntimeError, ValueError):
                self._changes.close()
            self._changes = None

    def _watch(self) -> Generator[Any, None, None] | None:
        from watchfiles import watch

        present = [folder for folder, seen in zip(self.folders, self._watched, strict=True) if seen]
        if not present:
            return None
        milliseconds = int(TICK * 1000)
        return watch(
            *present,
            watch_filter=None,
            debounce=milliseconds,
            step=milliseconds // 10,
            rust_timeout=milliseconds,
            yield_on_timeout=True,
            raise_interrupt=True,
            force_polling=self.poll,
            poll_delay_ms=int(POLL * 1000),
            ignore_permission_denied=True,
        )


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder stands at this path; None for none."""
    try:
        seen = os.stat(folder)  # noqa: PTH116 - a path of any bytes
    except (OSError, ValueError):
        return None
    return seen.st_dev, seen.st_ino
