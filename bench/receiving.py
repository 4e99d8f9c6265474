"""How fast a server receives: counters that each send a month of visits, a day at a time, into one record.

    python bench/receiving.py                                    # 200 counters x 100 visits x 30 days
    python bench/receiving.py --counters 4 --visits 20 --days 2  # a try
    python bench/receiving.py --into postgresql://HOST/DATABASE  # into an empty database

The time of the server alone is counted: parsing a batch, following its chain, writing and signing it. The bytes of a
visit are those by which the record grew from an empty one.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from counter_listener.domain import Event
from counter_listener.record import Origin, Record, open_record, read_batch, receive, send_record
from counter_listener.record.sync.wire import Answer, Batch, batch_json

BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
PHRASES = 14
"""Verdicts of a visit; with its opening and its close it has two rows more."""


def visit_events(number: int) -> list[Event]:
    """A visit of two minutes."""
    start = number * 240.0
    detail = {"title": "a phrase of usual length", "required": True, "wording": "您好，欢迎光临", "closeness": 97.5}
    verdicts = [
        Event("phrase", start + 5 * at, number, "greet", "greet", f"phrase-{at}", "heard", 97.5, "您好", detail)
        for at in range(PHRASES)
    ]
    counts = {"heard": PHRASES, "not_heard": 0, "unknown": 0, "forbidden": 0, "broken": 0, "doubtful": 0}
    close = {"opened": start, "seconds": 120.0, "passed": True, "grade": "优", "counts": counts, "outcome": "complete"}
    return [
        Event("visit_opened", start, number),
        *verdicts,
        Event("visit_closed", start + 120, number, score=95.0, detail=close),
    ]


class Server:
    """Takes batches as JSON, and counts the time."""

    def __init__(self, record: Record) -> None:
        self.record, self.seconds, self.rows = record, 0.0, 0

    def __call__(self, batch: Batch) -> Answer:
        """What is answered."""
        sent = batch_json(batch)
        begun = perf_counter()
        answer = receive(self.record, read_batch(json.loads(sent)), None, BEGAN)
        self.seconds += perf_counter() - begun
        self.rows += answer.added
        return answer


def main() -> None:
    """Prints the rows, the time and the rows a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("counters", 200), ("visits", 100), ("days", 30)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--into", help="the record of the server, empty  [default: a file]")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        server = Server(
            stack.enter_context(open_record(asked.into or folder / "server.db", key_file=folder / "key.pem"))
        )
        empty = server.record.size()
        day_of = [event for number in range(1, asked.visits + 1) for event in visit_events(number)]
        origin = Origin("live", "live", None, BEGAN, "bank", "c0ffee", "counter-cn")
        for day in range(asked.days):
            now = BEGAN + timedelta(days=day)
            for counter in range(asked.counters):
                with open_record(folder / f"{counter}.db", key_file=folder / f"{counter}.pem") as record:
                    named = replace(origin, stream=f"live-{counter}-{day}", counter=f"{counter}", started=now)
                    record.append(day_of, named, now)
                    send_record(record, server)
            size = server.record.size() / 1e6
            print(f"day {day + 1}: {server.rows} rows in {server.seconds:.1f} s, {size:.0f} MB", flush=True)
        print(f"{server.rows} rows, {server.seconds:.1f} s, {server.rows / server.seconds:.0f} rows a second")
        visits = asked.counters * asked.visits * asked.days
        print(f"a visit: {server.rows / visits:.1f} rows, {(server.record.size() - empty) / visits:.0f} bytes", end="")
        with open_record(folder / "0.db") as first, open_record(folder / "none.db") as none:
            print(f"; at a counter {(first.size() - none.size()) / asked.visits / asked.days:.0f} bytes")


if __name__ == "__main__":
    main()
