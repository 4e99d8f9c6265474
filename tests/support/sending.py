"""A counter and a server in one process: batches go through JSON, as over the network, and answers may be lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counter_listener.domain import SendError
from counter_listener.record import Counter, Record, add_counter, enrol, open_record, send_record
from counter_listener.record.chain import START, link
from counter_listener.record.received import RECEIVED, Run, originals
from counter_listener.record.sync.receive import receive
from counter_listener.record.sync.sources import SOURCES, Source
from counter_listener.record.sync.wire import Answer, Batch, batch_json, read_batch
from support.record_cases import DAY, NOW, live, visit_events


@dataclass
class Line:
    """The way from a counter to a server."""

    server: Record
    sender: Counter | None
    before: Callable[[int], None] = lambda _number: None
    """Called before a batch arrives."""
    after: Callable[[int], None] = lambda _number: None
    """Called before its answer goes back."""
    batches: list[Batch] = field(default_factory=list)

    def __call__(self, batch: Batch) -> Answer:
        self.before(len(self.batches))
        self.batches.append(batch)
        answer = receive(self.server, through_json(batch), self.sender, NOW)
        self.after(len(self.batches) - 1)
        if answer.fault is not None:
            raise SendError(answer.fault)
        return answer


def through_json(batch: Batch) -> Batch:
    return read_batch(json.loads(batch_json(batch)))


@contextmanager
def opened(folder: Path, name: str) -> Iterator[Record]:
    """A record with a key of its own."""
    with open_record(folder / f"{name}.db", key_file=folder / f"{name}.pem") as record:
        yield record


def enrolled(server: Record, name: str = "3", **more: Any) -> Counter:
    """A counter that a server knows."""

    def add(connection: Any, _append: Any) -> Counter:
        return enrol(connection, add_counter(connection, Counter(name, **more), NOW), NOW)[0]

    return server.change(add, NOW)


def add_visits(record: Record, *visits: int, stream: str = "live-1", days: int = 0) -> None:
    now = NOW + days * DAY
    for visit in visits:
        record.append(visit_events(visit), live(stream, now), now)


def send(record: Record, line: Line, rows: int = 4) -> int:
    """The number of rows that were new to the server."""
    return send_record(record, line, {"version": "1"}, rows).added


def sources(server: Record) -> list[Source]:
    return server.query(lambda connection: [Source(*row) for row in connection.execute(SOURCES.select())])


def chain_holds(server: Record, source: Source) -> bool:
    """Whether the chain of a source can be computed again from the rows that are here, across its holes."""

    def follow(connection: Any) -> bool:
        previous, expected = START, 1
        query = RECEIVED.select().where(RECEIVED.c.source == source.id).order_by(RECEIVED.c.first)
        for run in [Run(*row) for row in connection.execute(query)]:
            assert run.first == expected
            for row in originals(connection, run, run.first, run.last):
                previous = link(previous, row)
            assert run.here is None or previous == run.chain
            previous, expected = run.chain, run.last + 1
        return (previous, expected - 1) == (source.chain, source.seq)

    return server.query(follow)
