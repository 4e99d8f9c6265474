"""The pages over 200 000 visits and 1.2 million events: the server's time for each, its memory, 50 readers at once.

    python bench/pages.py                     # makes the record in a temporary folder
    python bench/pages.py --record many.db    # keeps the record, and uses it again the next time

A year of 100 counters, a recording for each visit. What happened is random, with a fixed seed; the rows are those that
the record writes, with the chain. The server is a process of its own, as `serve` starts it; times are measured by the
reader, on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import http.cookiejar
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
from large_record import write_record

from counter_listener.domain import Event, PhraseSet, Verdict
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.record import (
    Columns,
    Origin,
    Recording,
    event_rows,
    recording_row,
)

SEED = 20_260_101
VISITS, COUNTERS = 200_000, 100
BEIJING = timezone(timedelta(hours=8))
FIRST = datetime(2025, 1, 6, 9, tzinfo=BEIJING)
YEAR = 365 * 8 * 3_600
"""Seconds in which counters are open."""
FAST, WAIT = 5.5, 60.0
"""Syllables a second, and seconds without a word, that are beyond a limit."""
READERS, EACH = 50, 4
"""Readers at once, and the pages that each of them reads."""
PAGES = (
    "/",
    "/?days=all",
    "/visits",
    "/visits?page=3000",
    "/visits?counter=17",
    "/visits?result=failed&sort=score&way=up",
    "/visits?verdict=not_heard&phrase=hello",
    "/visits?verdict=forbidden&since=2025-06-01&until=2025-06-30",
    "/visits?q=counter-17",
    "/visits?sort=faults",
    "/manner?days=30",
    "/manner?days=all",
    "/system",
)


def visit_events(draw: random.Random, phrases: PhraseSet, more: int = 0) -> list[Event]:
    """The six events of a visit: four owed phrases, at times an offence, and its close; some were not understood.

    With `more`, as many phrases that nobody owed were heard as well.
    """
    owed = [(phrase, stage) for stage in phrases.stage for phrase in stage.phrase if phrase.required]
    at, events, missed = 1.0, [], 0
    unknown = draw.random() < 0.02  # noqa: PLR2004 - one of fifty
    for phrase, stage in owed[:4]:
        at += draw.uniform(5, 40)
        heard = draw.random() < 0.92  # noqa: PLR2004 - of what is owed
        verdict: Verdict = "unknown" if unknown else "heard" if heard else "not_heard"
        missed += verdict == "not_heard"
        detail = {"title": phrase.name, "required": True, "wording": phrase.name, "end": at + 1, "speaker": "clerk"}
        words = phrase.name if verdict == "heard" else None
        events.append(Event("phrase", at, 1, stage.id, phrase.step, phrase.id, verdict, 97.5, words, detail))
    offending = draw.random() < 0.03  # noqa: PLR2004 - of the visits
    if offending:
        offence = draw.choice(phrases.forbidden)
        detail = {"title": offence.name, "class": offence.class_, "severity": "serious", "wording": offence.name}
        events.append(Event("forbidden", at, 1, None, None, offence.id, "forbidden", 96.0, offence.name, detail))
    score = None if unknown else max(0.0, 100.0 - 25 * missed - 10 * offending)
    counts = {"owed": 4, "heard": 4 - missed, "not_heard": missed, "unknown": 4 * unknown, "recommended": 0}
    counts |= {"forbidden": int(offending), "broken": 0, "kept": 1, "doubtful": 0}
    close: dict[str, object] = {
        "reason": "farewell",
        "outcome": "not_understood" if unknown else "complete",
        "opened": 1.0,
        "seconds": at,
        "lost_audio": unknown,
        "understood": 0.9,
        "grade": "优秀",
        "scenarios": [],
        "counts": counts,
        "manner": manner(random.Random(at)),  # of its own: nothing else is drawn differently
        "passed": None if score is None else score >= phrases.score.pass_mark,
    }
    said = [(phrase, stage) for stage in phrases.stage for phrase in stage.phrase if not phrase.required][:more]
    for number, (phrase, stage) in enumerate(said):
        detail = {
            "title": phrase.name,
            "required": False,
            "wording": phrase.name,
            "end": at + number,
            "speaker": "clerk",
        }
        event = Event("phrase", at + number, 1, stage.id, phrase.step, phrase.id, "heard", 95.0, phrase.name, detail)
        events.append(event)
    opened = Event("visit_opened", 1.0, 1)
    return [opened, *events, Event("visit_closed", at + 20, 1, score=score, detail=close)]


def manner(draw: random.Random) -> dict[str, object]:
    """How the clerk spoke, as a close holds it: every second visit on two channels, some beyond a limit."""
    apart, rate, silence = draw.choice((True, False)), draw.gauss(4.6, 0.6), draw.expovariate(1 / 14)
    return {
        "voice": "clerk" if apart else "unknown",
        "speech": round(draw.uniform(20, 90), 1),
        "level": round(draw.gauss(-28, 4), 1),
        "quiet": round(draw.random() ** 2 / 3, 2),
        "rate": round(rate, 2),
        "interruptions": draw.choice((0, 0, 0, 1, 2)) if apart else None,
        "silence": round(silence, 1),
        "waits": int(silence > WAIT),
        "over": [name for name, is_over in (("slower", rate > FAST), ("wait", silence > WAIT)) if is_over],
    }


def make_rows(visits: int) -> Iterator[Columns]:
    """All rows, recordings before their events, without `seq` and `chain`."""
    draw = random.Random(SEED)
    phrases, digest = read_phrase_set(find_phrase_set("bank-counter"))
    for number in range(visits):
        seconds = YEAR * number / visits
        days, rest = divmod(seconds, 8 * 3_600)
        began = FIRST + timedelta(days=days, seconds=rest)
        counter = f"{number % COUNTERS}"
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        origin = Origin(sha256[:12], sha256, counter, began, phrases.name, digest, "counter-cn")
        events = visit_events(draw, phrases)
        path = f"/recordings/counter-{counter}/{began:%Y%m%d-%H%M%S}.wav"
        yield recording_row(Recording(sha256, path, events[-1].at), origin, began)
        yield from event_rows(events, origin, began + timedelta(minutes=10), 1)


def make_record(path: Path, visits: int = VISITS) -> int:
    """Writes the year to a new record, and returns its number of events."""
    return write_record(path, make_rows(visits))


class Reader:
    """A browser that is signed in."""

    def __init__(self, jar: http.cookiejar.CookieJar) -> None:
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.opener.addheaders = [("Accept-Language", "zh")]

    def read(self, url: str) -> tuple[float, int]:
        """Seconds until the page is there, and its bytes."""
        began = time.perf_counter()
        with self.opener.open(url, timeout=120) as answer:
            content = answer.read()
        return time.perf_counter() - began, len(content)


def start(record: Path | str) -> tuple[subprocess.Popen[str], str]:
    """The process of the server, and its link."""
    words = ["serve", "--store", str(record), "--key", "none", "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "counter_listener", *words], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout  # noqa: S101 - it is a pipe
    return process, process.stdout.readline().rpartition(" ")[2].strip()


def measure_pages(reader: Reader, base: str, rounds: int, server: psutil.Process, more: Sequence[str] = ()) -> None:
    """Prints the time of each page, the processor's apart, and its size.

    The first reading is told apart, for it may read the disk. On a machine that is busy otherwise, what the processor
    needed is the better measure.
    """
    listed = reader.opener.open(base + "visits", timeout=120).read().decode()
    found = re.search(r'href="/visits/([^"?]+)"', listed)
    pages = [*PAGES, *more, f"/visits/{found[1]}"] if found else [*PAGES, *more]
    for page in pages:
        first, size = reader.read(base.rstrip("/") + page)
        before = server.cpu_times()
        times = [reader.read(base.rstrip("/") + page)[0] for _ in range(rounds)]
        used = sum(server.cpu_times()[:2]) - sum(before[:2])
        print(
            f"{page}: processor {used / rounds:.3f} s, median {statistics.median(times):.3f} s"
            f" ({min(times):.3f}-{max(times):.3f}), first {first:.3f} s, {size / 1000:.0f} kB",
            flush=True,
        )


def measure_readers(jar: http.cookiejar.CookieJar, base: str) -> None:
    """Prints how long pages take while many read at once."""
    times: list[float] = []

    def read(number: int) -> None:
        reader = Reader(jar)
        addresses = (f"{base}visits?counter={number}&page={turn + 1}" for turn in range(EACH))
        times.extend(reader.read(address)[0] for address in addresses)

    began = time.perf_counter()
    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    ranked = sorted(times)
    print(
        f"{READERS} readers: {len(times) / seconds:.0f} pages a second, median {statistics.median(times):.2f} s,"
        f" 95th percentile {ranked[int(0.95 * len(ranked))]:.2f} s, longest {ranked[-1]:.2f} s"
    )


def main() -> None:
    """Makes the record if there is none, and reads the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, help="keep the record here")
    parser.add_argument("--visits", type=int, default=VISITS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        record = options.record or Path(temporary, "many.db")
        if not record.exists():
            began = time.perf_counter()
            events = make_record(record, options.visits)
            print(f"{options.visits} visits, {events} events in {time.perf_counter() - began:.0f} s", flush=True)
        print(f"the record: {record.stat().st_size / 1e6:.0f} MB")
        process, link = start(record)
        try:
            jar = http.cookiejar.CookieJar()
            reader, base = Reader(jar), link.partition("sign-in")[0]
            reader.read(link)
            measure_pages(reader, base, options.rounds, psutil.Process(process.pid))
            measure_readers(jar, base)
            used = psutil.Process(process.pid).memory_info().rss
            print(f"memory of the server: {used / 1e6:.0f} MB")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


if __name__ == "__main__":
    main()
