"""Starts `listen` for a test, watches it through its record, and stops it as a user would."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from counter_listener.record import open_record

FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass
class Listening:
    """A running `listen`."""

    process: subprocess.Popen[str]
    store: Path
    seen: tuple[object, list[Any]] = field(default=(None, []), init=False)
    """The files of the record when it was last read, and its rows."""

    def rows(self) -> list[Any]:
        """What the record holds so far; it is read again only if its files have changed."""
        files = [each for each in self.store.parent.glob(f"{self.store.name}*") if not each.name.endswith("-shm")]
        state = [(each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in files if each.exists()]
        if state != self.seen[0]:
            self.seen = (state, self._read())
        return self.seen[1]

    def _read(self) -> list[Any]:
        try:
            with open_record(self.store, create=False) as record:
                return list(record.read())
        except Exception as error:
            if isinstance(error.__cause__, sqlite3.Error) or "no record yet" in str(error) or not self.store.exists():
                return []
            raise

    def wait_for(self, condition: Callable[[list[Any]], bool], seconds: float) -> list[Any]:
        """The rows as soon as they meet the condition."""
        until = time.monotonic() + stretched(seconds)
        while not condition(rows := self.rows()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until, [(row.kind, row.phrase, row.detail) for row in rows]
            time.sleep(0.25)  # the record is opened each time, which takes a while
        return rows

    def child(self) -> psutil.Process:
        """The listening process."""
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def stop(self) -> tuple[float, str, str]:
        """Stops it; returns the seconds which that took, and what it printed."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=20)
        return time.monotonic() - began, out, err


def stretched(seconds: float) -> float:
    """A time limit for a computer with a free core, made longer if more processes want to run than there are cores."""
    wanted = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1.0
    return seconds * max(1.0, wanted / (os.cpu_count() or 1))


def begun(rows: list[Any]) -> bool:
    """Whether the first audio has come."""
    return any(row.kind == "gap" and "listening began" in row.detail for row in rows)


def closed(count: int) -> Callable[[list[Any]], bool]:
    """Whether so many visits have been closed."""
    return lambda rows: sum(row.kind == "visit_closed" for row in rows) >= count


@contextmanager
def listening(store: Path, environment: dict[str, str], *words: object) -> Iterator[Listening]:
    """Runs `listen` with the device `pulse` and without a screen; kills it if the test leaves it running."""
    command = [sys.executable, "-m", "counter_listener", "listen", "--device", "pulse", "--store", str(store)]
    process = subprocess.Popen(
        [*command, *map(str, words)],
        env={**os.environ, **environment, "XDG_DATA_HOME": str(store.parent)},
        cwd=store.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield Listening(process, store)
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children():
                child.kill()
            process.kill()
            process.communicate()
