"""A year of 200 counters, written to a real record, and the HTML report on it: seconds and peak memory.

    python bench/reports.py                    # makes the record in a temporary folder, then reports five times
    python bench/reports.py --record year.db   # keeps the record, and uses it again the next time

Each counter is recorded for half an hour per week, seven visits each. What is said is random, with a fixed seed; the
project's own judge makes the events, and they are written as the record writes them, with the chain. They are flushed
once at the end, not once per recording, because this bench measures reading.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import cycle
from pathlib import Path

from large_record import write_record

from counter_listener.domain import Findings, Gap, Hit, MatchedUtterance, Phrase, PhraseSet, Utterance
from counter_listener.judging import judge
from counter_listener.phrases import find_phrase_set, read_phrase_set
from counter_listener.record import (
    Columns,
    Origin,
    Recording,
    event_rows,
    recording_row,
)

SEED = 20_260_101
BRANCHES, WINDOWS, WEEKS, VISITS = 40, 5, 52, 7
BEIJING = timezone(timedelta(hours=8))
FIRST = datetime(2025, 1, 6, 9, tzinfo=BEIJING)
"""The Monday of the first week."""
SLOT = re.compile(r"\{\w+\}")
APPLIES, IN_DOUBT = 0.6, 0.02
"""Probability that a rule applies in a visit, and that a phrase may be the customer's."""
LOSES = 10
"""One of this number of recordings loses some audio."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Probability, 0-1, that the clerks of one counter say what is required, and that they say what is forbidden."""

    courtesy: float
    rudeness: float


def make_visit(draw: random.Random, phrases: PhraseSet, habits: Habits, begin: float) -> Iterator[MatchedUtterance]:
    """The utterances of one visit, about four minutes long; it begins at `begin` seconds."""
    at = begin
    for stage in phrases.stage:
        chosen = [phrase for phrase in stage.phrase if phrase.required and draw.random() < habits.courtesy]
        chosen += draw.sample([phrase for phrase in stage.phrase if not phrase.required], 2)
        for phrase in chosen:
            at += draw.uniform(4, 20)
            yield _matched(at, phrases=(_hit(draw, phrase, at),))
    for rule in phrases.rule:
        if draw.random() < APPLIES:
            at += draw.uniform(3, 9)
            followed = draw.random() < habits.courtesy
            yield _matched(at, rules=(Hit(rule.id, rule.when[0], rule.when[0], at, at + 1, 97.0, followed=followed),))
    for word in draw.sample(phrases.word, 3):
        at += draw.uniform(1, 9)
        yield _matched(at, words=(Hit(word.id, word.name, word.name, at, at + 1, 100.0),))
    if draw.random() < habits.rudeness:
        offence = draw.choice(phrases.forbidden)
        at += draw.uniform(2, 9)
        yield _matched(at, offences=(Hit(offence.id, offence.say[0], offence.say[0], at, at + 1, 96.0),))
    if draw.random() < habits.rudeness / 2:
        yield from _make_complaint(draw, phrases, habits, at)


def _make_complaint(draw: random.Random, phrases: PhraseSet, habits: Habits, at: float) -> Iterator[MatchedUtterance]:
    scenario = phrases.scenario[0]
    yield _matched(at + 3, triggers=(Hit(scenario.id, scenario.when[0], scenario.when[0], at + 3, at + 4, 98.0),))
    for number, stage in enumerate(scenario.stage, 1):
        for phrase in stage.phrase:
            if draw.random() < habits.courtesy:
                yield _matched(at + 3 + 6 * number, phrases=(_hit(draw, phrase, at + 3 + 6 * number),))


def _hit(draw: random.Random, phrase: Phrase, at: float) -> Hit:
    wording = SLOT.sub("…", draw.choice(phrase.say or phrase.shared))
    score = draw.choice((100.0, 97.5, 94.1, 90.2, 86.7))
    return Hit(phrase.id, wording, wording, at, at + 1.5, score, shared=draw.random() < IN_DOUBT)


def _matched(at: float, *, units: int = 8, **found: tuple[Hit, ...]) -> MatchedUtterance:
    return MatchedUtterance(Utterance(at, at + 2, ()), Findings(**found), units)  # type: ignore[arg-type]


def make_recording(
    draw: random.Random, phrases: PhraseSet, habits: Habits, *, loses: bool
) -> Iterator[MatchedUtterance | Gap]:
    """Half an hour at a counter; with `loses`, some audio of one visit is lost."""
    lost = draw.randrange(VISITS) if loses else None
    for number in range(VISITS):
        begin = 1.0 + number * 420 + draw.uniform(0, 60)
        if number == lost:
            yield Gap(begin, draw.uniform(1, 40), "the computer could not keep up, and this was not listened to")
            begin += 41
        yield from make_visit(draw, phrases, habits, begin)


def make_rows(phrases: PhraseSet, digest: str, weeks: int, branches: int) -> Iterator[Columns]:
    """All rows of the year, recordings before their events, without `seq` and `chain`."""
    draw = random.Random(SEED)
    counters = {
        f"{branch}-{window}": Habits(draw.uniform(0.8, 0.98), draw.uniform(0.0, 0.1))
        for branch in range(1, branches + 1)
        for window in range(1, WINDOWS + 1)
    }
    loses = cycle([True] + [False] * (LOSES - 1))
    for week in range(weeks):
        for counter, habits in counters.items():
            day = FIRST + timedelta(weeks=week, days=draw.randrange(6), minutes=15 * draw.randrange(30))
            sha256 = hashlib.sha256(f"{counter} {week}".encode()).hexdigest()
            origin = Origin(sha256[:12], sha256, counter, day, phrases.name, digest, "counter-cn")
            events = list(judge(make_recording(draw, phrases, habits, loses=next(loses)), phrases))
            recording = Recording(sha256, f"/recordings/{counter}/{day:%Y%m%d-%H%M}.wav", VISITS * 420.0 + 60)
            yield recording_row(recording, origin, day)
            yield from event_rows(events, origin, day, 1)


def make_record(path: Path, weeks: int = WEEKS, branches: int = BRANCHES) -> int:
    """Write the year to a new record, and return its number of events."""
    phrases, digest = read_phrase_set(find_phrase_set("bank-counter"))
    return write_record(path, make_rows(phrases, digest, weeks, branches))


REPORT = """
import resource, sys
from counter_listener.__main__ import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
"""


def timed_report(record: Path, folder: Path, form: str) -> tuple[float, float, float, int]:
    """Seconds, CPU seconds, peak memory in MB and size in bytes of one report, made in a separate process."""
    out = folder / f"report.{form}"
    arguments = ["report", "--store", str(record), "--format", form, "-o", str(out), "--lang", "zh"]
    began = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", REPORT, *arguments], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    cpu_seconds, peak = map(float, result.stderr.split()[-2:])
    return seconds, cpu_seconds, peak, out.stat().st_size


def main() -> None:
    """Make the year if there is none, and report on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, help="keep the record here")
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        record = options.record or folder / "year.db"
        if not record.exists():
            began = time.perf_counter()
            print(f"{make_record(record, options.weeks)} events in {time.perf_counter() - began:.0f} s", flush=True)
        print(f"the record: {record.stat().st_size / 1e6:.0f} MB")
        for form in ("html", "xlsx", "csv", "json"):
            runs = [timed_report(record, folder, form) for _ in range(options.rounds)]
            seconds = [run[0] for run in runs]
            print(
                f"{form}: median {statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f}), "
                f"{statistics.median(run[1] for run in runs):.2f} s of CPU, "
                f"peak {max(run[2] for run in runs):.0f} MB, file {runs[0][3] / 1e6:.2f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
