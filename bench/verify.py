"""How long `events verify` takes on a year of 200 counters, against a plain pass over the same rows.

    python bench/reports.py --record year.db --rounds 1    # makes the record: 1.2 million events, ten minutes
    python bench/verify.py --record year.db

The plain pass reads every row with the driver of SQLite and hashes its values: what any check of a hash chain must do.
The record is signed with a key of the bench, in a copy.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from counter_listener.record import open_record


def plain_pass(path: Path) -> int:
    """Reads and hashes all rows; returns their number."""
    rows, digest = 0, b""
    with closing(sqlite3.connect(path)) as connection:
        for table in ("events", "recordings"):
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY seq"):  # noqa: S608 - two names of ours
                digest = hashlib.sha256(digest + repr(row).encode()).digest()
                rows += 1
    return rows


def verify(path: Path) -> int:
    """Verifies the record against its own head; returns the number of rows."""
    with open_record(path, create=False) as record:
        found = record.verify(record.head(datetime.now(UTC)))
    if found.broken:
        raise SystemExit(f"the record is broken: {found.broken}")
    return found.rows


def timed(work: Callable[[Path], int], path: Path) -> tuple[float, float, int]:
    """Seconds, processor seconds and rows."""
    began, used = time.perf_counter(), time.process_time()
    rows = work(path)
    return time.perf_counter() - began, time.process_time() - used, rows


def main() -> None:
    """Times both, alternately."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(options.record, folder))
        with open_record(path, key_file=path.with_name("key.pem")) as record:
            record.head(datetime.now(UTC))
        runs = [(timed(plain_pass, path), timed(verify, path)) for _ in range(options.rounds)]
    for name, of in (("plain pass", [run[0] for run in runs]), ("verify", [run[1] for run in runs])):
        seconds, cpu = [one[0] for one in of], statistics.median(one[1] for one in of)
        least, most = min(seconds), max(seconds)
        print(
            f"{name}: {of[0][2]} rows, median {statistics.median(seconds):.1f} s ({least:.1f}-{most:.1f}),"
            f" {cpu:.1f} s of CPU"
        )
    ratio = statistics.median(run[1][1] / run[0][1] for run in runs)
    print(f"ratio of CPU: {ratio:.2f}")


if __name__ == "__main__":
    main()
