"""A region on one server: how fast rows of many counters are received into PostgreSQL, and how fast its pages are then.

    python bench/region.py                               # 200 counters x 100 visits a day x 30 days, 8 million rows
    python bench/region.py --counters 5 --days 2         # a try, in a minute
    python bench/region.py --store postgresql://HOST/DB  # an empty database of a server that runs, which keeps it all

Without --store it starts a server of its own in a temporary folder (PostgreSQL must be installed), with its settings as
they come, so that each commit is on the disk before it is acknowledged. Batches are received as JSON by threads of one
process, as in `serve --receive`. Other processes make them, which takes time of the same processor and is told apart.
A visit has 14 rows, as in the record of a counter, and a day is one stream. What happens in a visit is random, with a
fixed seed. The aim: received in 10 minutes, 30 at most, on 2 cores; each page in half a second.
"""

from __future__ import annotations

import argparse
import hashlib
import http.cookiejar
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import psutil
import sqlalchemy as sa
from pages import Reader, measure_pages, start, visit_events

from counter_listener.domain import Event, PhraseSet
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.record import (
    START,
    Columns,
    Counter,
    Origin,
    Place,
    add_counter,
    enrol,
    event_rows,
    linked,
    open_record,
    receive,
    set_place,
)
from counter_listener.record.sync.wire import Batch, Position, batch_json, read_batch

PLAIN = ("max_connections=60", "listen_addresses=")
"""Settings of the server of our own."""
OPENS, APART = 9, timedelta(minutes=4)
"""The hour at which counters open, and the time from one visit to the next."""
MORE_PHRASES = 8
"""Phrases of a visit that nobody owed."""


@cache
def phrase_set() -> tuple[PhraseSet, str]:
    """That of all counters, which is read once."""
    return read_phrase_set(find_phrase_set("bank-counter"))


def rows_of(number: int, days: int, visits: int, last_day: datetime) -> Iterator[Columns]:
    """What a counter heard live in these days, without `seq` and `chain`."""
    draw = random.Random(number)
    phrases, digest = phrase_set()
    for day in range(days):
        opened = last_day - timedelta(days=days - 1 - day) + timedelta(hours=OPENS)
        name = f"counter-{number}"
        origin = Origin(f"live-{number}-{day}", "live", name, opened, phrases.name, digest, "counter-cn")
        first = 1
        for visit in range(visits):
            events = [at_visit(event, visit) for event in visit_events(draw, phrases, MORE_PHRASES)]
            yield from event_rows(events, origin, opened + (visit + 1) * APART, first)
            first += len(events)


def at_visit(event: Event, number: int) -> Event:
    """An event of the first visit of a stream, in a later one."""
    later = number * APART.total_seconds()
    detail = dict(event.detail)
    for name in detail.keys() & {"opened", "end"}:
        detail[name] = later + event.detail[name]  # type: ignore[operator]
    return replace(event, at=event.at + later, visit=number + 1, detail=detail)


def make_batches(pipe: Connection, numbers: Iterable[int], asked: argparse.Namespace, last_day: datetime) -> None:
    """Sends the batches of these counters as JSON, an empty one after each counter, then its processor time."""
    for number in numbers:
        record_id = hashlib.md5(str(number).encode()).hexdigest()  # noqa: S324 - an id
        chained = linked(rows_of(number, asked.days, asked.visits, last_day), (0, START))
        after = Position(0, START)
        while items := list(islice(chained, asked.rows)):
            end = Position(int(str(items[-1]["seq"])), str(items[-1]["chain"]))
            pipe.send_bytes(batch_json(Batch(record_id, end, after, items)).encode())
            after = end
        pipe.send_bytes(b"")
    pipe.send_bytes(str(time.process_time()).encode())


class Sent(NamedTuple):
    """What some counters sent, one after the other."""

    rows: int
    longest: float
    """Time of a batch at the server, in seconds."""
    made: float
    """Seconds of processor time in which the batches were made."""


def enrolled(connection: sa.Connection, _: object, number: int, now: datetime) -> Counter:
    """A counter that may send."""
    return enrol(connection, add_counter(connection, Counter(f"counter-{number}"), now), now)[0]


def receive_all(store: str, numbers: Iterable[int], pipe: Connection, now: datetime) -> Sent:
    """Receives the whole records of these counters."""
    longest, rows = 0.0, 0
    with open_record(store, create=False) as record:
        for number in numbers:
            sender = record.change(partial(enrolled, number=number, now=now), now)
            while body := pipe.recv_bytes():
                began = time.perf_counter()
                answer = receive(record, read_batch(json.loads(body)), sender, now)
                longest = max(longest, time.perf_counter() - began)
                if answer.state != "ok":
                    raise RuntimeError(answer)
                rows += answer.added
    return Sent(rows, longest, float(pipe.recv_bytes()))


def fill(store: str, asked: argparse.Namespace) -> None:
    """Sends the records of all counters, and prints how long it took."""
    now = datetime.now(UTC)
    last_day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with open_record(store) as record:
        for number in range(asked.counters):
            place = Place(f"counter-{number}", f"branch-{number // 8}", f"region-{number // 40}")
            set_place(record, place, "bench", now)
    phrase_set()
    shares = [range(first, asked.counters, asked.at_once) for first in range(min(asked.at_once, asked.counters))]
    pipes, processes = [], multiprocessing.get_context("fork")
    began, used = time.perf_counter(), time.process_time()
    for share in shares:
        here, there = processes.Pipe(duplex=False)
        processes.Process(target=make_batches, args=(there, share, asked, last_day), daemon=True).start()
        pipes.append(here)
    with ThreadPoolExecutor(len(shares)) as threads:
        results = list(threads.map(lambda share, pipe: receive_all(store, share, pipe, now), shares, pipes))
    seconds, rows = time.perf_counter() - began, sum(sent.rows for sent in results)
    print(
        f"{asked.counters} counters x {asked.visits} visits x {asked.days} days, {len(shares)} at once: {rows} rows"
        f" received in {seconds:.1f} s, {rows / seconds:.0f} a second; the longest batch took"
        f" {max(sent.longest for sent in results):.2f} s; processor time: {time.process_time() - used:.0f} s of the"
        f" server beside PostgreSQL, and {sum(sent.made for sent in results):.0f} s to make the batches",
        flush=True,
    )


def read_pages(store: str, rounds: int) -> None:
    """Prints how long the pages take."""
    process, link = start(Path(store) if "://" not in store else store)
    try:
        reader = Reader(http.cookiejar.CookieJar())
        reader.read(link)
        base = link.partition("sign-in")[0]
        measure_pages(reader, base, rounds, psutil.Process(process.pid), more=MORE)
    finally:
        process.terminate()
        process.wait()


MORE = ("/?days=30", "/?days=30&region=region-0", "/visits?region=region-0", "/visits?branch=branch-0&result=failed")
"""Pages of branches and regions."""


def own_server() -> str:
    """The URL of an empty database on a server that ends with this process."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.postgres import socket_folder

    folder = socket_folder(PLAIN)
    return f"postgresql://postgres@/postgres?host={folder}"


def main() -> None:
    """Receives the records, and reads the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counters", type=int, default=200)
    parser.add_argument("--visits", type=int, default=100, help="of each counter a day")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=20, help="counters that send at once")
    parser.add_argument("--rows", type=int, default=2_000, help="rows of a batch")
    parser.add_argument("--rounds", type=int, default=5, help="readings of each page")
    parser.add_argument("--store", help="an empty database; a file for SQLite")
    asked = parser.parse_args()
    store = asked.store or own_server()
    fill(store, asked)
    read_pages(store, asked.rounds)


if __name__ == "__main__":
    main()
