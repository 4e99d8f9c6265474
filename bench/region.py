"""A region on one server: how fast rows of many counters are received into PostgreSQL, and how fast its pages are then.

    python bench/region.py                               # 200 counters x 100 visits a day x 30 days, 8 million rows
    python bench/region.py --counters 5 --days 2         # a try, in a minute
    python bench/region.py --store postgresql://HOST/DB  # an empty database of a server that runs, which keeps it all

Without --store it starts a server of its own in a temporary folder (PostgreSQL must be installed), with its settings as
they come, so that each commit is on the disk before it is acknowledged. Counters send at once, by threads of one
process as `serve --receive` has them, batches as JSON; to make them takes time of the same processor, which is told
apart. A visit has 14 rows, as in the record of a counter, and a day is one stream. What happens in a visit is random,
with a fixed seed. The aim: received in 10 minutes, 30 at most, on 2 cores; each page in half a second.
"""

from __future__ import annotations

import argparse
import hashlib
import http.cookiejar
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import psutil
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


class Sent(NamedTuple):
    """What a counter sent."""

    rows: int
    longest: float
    """Time of a batch, in seconds."""
    made: float
    """Seconds of processor time in which its batches were made."""


def send_all(store: str, number: int, asked: argparse.Namespace, now: datetime) -> Sent:
    """Sends the whole record of a counter."""
    record_id, longest, sent, made = hashlib.md5(str(number).encode()).hexdigest(), 0.0, 0, 0.0  # noqa: S324 - an id
    last_day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    chained = linked(rows_of(number, asked.days, asked.visits, last_day), (0, START))
    with open_record(store, create=False) as record:
        sender = record.change(
            lambda connection, _: enrol(connection, add_counter(connection, Counter(f"counter-{number}"), now), now)[0],
            now,
        )
        after = Position(0, START)
        while True:
            begun = time.thread_time()
            items = list(islice(chained, asked.rows))
            if not items:
                break
            end = Position(int(str(items[-1]["seq"])), str(items[-1]["chain"]))
            body = batch_json(Batch(record_id, end, after, items))
            made += time.thread_time() - begun
            began = time.perf_counter()
            answer = receive(record, read_batch(json.loads(body)), sender, now)
            longest = max(longest, time.perf_counter() - began)
            if answer.state != "ok":
                raise RuntimeError(answer)
            sent, after = sent + answer.added, end
    return Sent(sent, longest, made)


def fill(store: str, asked: argparse.Namespace) -> None:
    """Sends the records of all counters, and prints how long it took."""
    now = datetime.now(UTC)
    with open_record(store) as record:
        for number in range(asked.counters):
            place = Place(f"counter-{number}", f"branch-{number // 8}", f"region-{number // 40}")
            set_place(record, place, "bench", now)
    began = time.perf_counter()
    with ThreadPoolExecutor(asked.at_once) as threads:
        results = list(threads.map(lambda number: send_all(store, number, asked, now), range(asked.counters)))
    seconds, rows = time.perf_counter() - began, sum(sent.rows for sent in results)
    print(
        f"{asked.counters} counters x {asked.visits} visits x {asked.days} days, {asked.at_once} at once: {rows} rows"
        f" received in {seconds:.1f} s, {rows / seconds:.0f} a second; the longest batch took"
        f" {max(sent.longest for sent in results):.2f} s; to make the batches took"
        f" {sum(sent.made for sent in results):.0f} s of processor time",
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
