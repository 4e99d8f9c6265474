"""Shared by the tests of the record: a fixed time, small visits, and ways to change a file without the program."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from counter_listener.domain.types import Event
from counter_listener.record.rows import Origin, Recording
from counter_listener.record.store import Record

ROOT = Path(__file__).parents[2]
NOW = datetime(2024, 5, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PER_VISIT = 3


def visit_events(visit: int, heard: str = "您好") -> list[Event]:
    start = visit * 60.0
    return [
        Event("visit_opened", start, visit),
        Event("phrase", start + 1, visit, "greet", "greet", "hello", "heard", 97.5, heard, {"wording": heard}),
        Event("visit_closed", start + 30, visit, score=88.0, detail={"grade": "优"}),
    ]


def live(stream: str = "live-1", started: datetime | None = NOW) -> Origin:
    return Origin(stream, "live", "3", started, "银行柜面", "c0ffee", "counter-cn")


def recorded_as(number: int, started: datetime | None = NOW) -> tuple[Recording, Origin]:
    sha256 = f"{number:064x}"[::-1]
    origin = Origin(sha256[:12], sha256, "3", started, "银行柜面", "c0ffee", "counter-cn")
    return Recording(sha256, f"/recordings/{number}.wav", 90.0), origin


def connection_of(record: Record) -> sa.Connection:
    return record._connection  # noqa: SLF001 - to make the disk full or the wait short


def raw(path: Path, *statements: str) -> None:
    """Runs statements as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def unguard(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")


def start_child(*words: object) -> subprocess.Popen[str]:
    """Starts record_child.py with these arguments."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "support" / "record_child.py"), *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_child(*words: object) -> tuple[int, str]:
    """Runs record_child.py: its exit code and its output."""
    with start_child(*words) as child:
        output, _ = child.communicate(timeout=600)
    return child.returncode, output
