"""Programs for the tests of the record: to be killed, or to write at the same time."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from counter_listener.record.reviews import ReviewRequest, review
from counter_listener.record.store import open_record
from support.record_cases import DAY, NOW, PER_VISIT, connection_of, live, visit_events


def append(path: str, stream: str, visits: str) -> None:
    """Writes visits one by one after a line of input."""
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    with open_record(path) as record:
        for visit in range(1, int(visits) + 1):
            record.append(visit_events(visit), live(stream), NOW)
            time.sleep(0.003)  # SQLite has no queue: without a pause the busiest writer wins


def kill_rounds(path: str, rounds: str) -> None:
    """Kills writers one after the other; prints the number of acknowledged events of each, by stream."""
    moment = random.Random(5)  # noqa: S311
    acknowledged = {}
    for number in range(int(rounds)):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _append_for_ever(path, f"live-{number}", writing)
        os.close(writing)
        first = os.read(reading, 1) if number % 2 else b""  # every second one is killed at any moment after its start
        time.sleep(moment.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as pipe:
            acknowledged[f"live-{number}"] = len(first + pipe.read()) * PER_VISIT
    print(json.dumps(acknowledged))  # noqa: T201


def die_in_purge(path: str, at: str) -> None:
    """Purges, and is killed when SQLite is about to run the statement that starts with `at`."""

    def watch(statement: str) -> None:
        if statement.startswith(at):
            os.kill(os.getpid(), signal.SIGKILL)

    with open_record(path) as record:
        connection = connection_of(record)
        with connection.begin():
            connection.exec_driver_sql("PRAGMA cache_size = 2")  # pages reach the file before the commit
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(watch)
        record.purge(NOW + DAY, NOW)


def die_at_statement(path: str, number: str) -> None:
    """Purges, and is killed when SQLite is about to run the statement with this number; prints how many there were."""
    seen = itertools.count(1)

    def watch(_statement: str) -> None:
        if next(seen) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    with open_record(path, key_file=Path(path).with_name("key.pem")) as record:
        driver = connection_of(record).connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(watch)
        record.purge(NOW, NOW + 2 * DAY)
    print(next(seen) - 1)  # noqa: T201


def die_at_statements(path: str, *numbers: str) -> None:
    """Purges a copy for each number, killed before the statement with it; prints how each process ended.

    They are forks of this process: to start a program for each took half a minute.
    """
    ended = []
    for number in numbers:
        copy = str(shutil.copy(path, Path(path).with_name(f"{number}.db")))
        child = os.fork()
        if child == 0:
            die_at_statement(copy, number)
            os._exit(0)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(ended))  # noqa: T201


def kill_reviewers(path: str, key: str, rounds: str, *visits: str) -> None:
    """Kills reviewers one after the other; prints the uids of the reviews that they acknowledged."""
    from support.review_cases import sets  # only this needs phrase sets, which take long: once, before the forks

    sets()
    moment = random.Random(7)  # noqa: S311
    acknowledged: list[str] = []
    for number in range(int(rounds)):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _review_for_ever(path, key, visits[number % len(visits)], writing)
        os.close(writing)
        first = os.read(reading, 1)
        time.sleep(moment.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as pipe:
            acknowledged += (first + pipe.read()).decode().split("\n")[:-1]
    print(json.dumps(acknowledged))  # noqa: T201


def _review_for_ever(path: str, key: str, visit: str, writing: int) -> None:
    from support.review_cases import history_of, row_with, sets

    with open_record(path, key_file=Path(key)) as record:
        while True:
            row = row_with(record, visit, "forbidden")
            request = ReviewRequest(visit, "uphold", "anna", history_of(record, visit).last, row.uid)
            os.write(writing, f"{review(record, request, NOW, sets()).uid}\n".encode())


def modules(path: str) -> None:
    """Prints which of the heavy modules are needed to open a record and write to it."""
    with open_record(path) as record:
        record.append(visit_events(1), live(), NOW)
    print(json.dumps([name for name in ("sqlalchemy", "alembic") if name in sys.modules]))  # noqa: T201


def _append_for_ever(path: str, stream: str, writing: int) -> None:
    with open_record(path) as record:
        for visit in itertools.count(1):
            record.append(visit_events(visit), live(stream), NOW)
            os.write(writing, b".")


if __name__ == "__main__":
    WAYS = (append, kill_rounds, kill_reviewers, die_in_purge, die_at_statement, die_at_statements, modules)
    {each.__name__: each for each in WAYS}[sys.argv[1]](*sys.argv[2:])
    assert "://" in sys.argv[2] or Path(sys.argv[2]).exists()
