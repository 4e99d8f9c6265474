"""Reads what a run of bench/whole_day.py left: record, screen, disturbances, memory and processor time."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from day_figures import OWED, DayRun, JudgedVisit, ShownHint, Span, TruePart, true_parts

from counter_listener.live import STARTED
from counter_listener.record import open_record

BEFORE_KILL: Final = 3.0
"""Seconds before a kill in which what was said may not have been decided yet."""
SEARCH: Final = 6.0
"""Seconds within which a phrase of the record is looked for in the truth, to see how exact the times are."""
LISTENER_MEGABYTES: Final = 120.0
"""A process with more than this listens; the one that supervises it stays below."""
Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Folder:
    """What a run left."""

    run: dict[str, Any]
    rows: list[Any]
    seen: Lines
    done: Lines
    usage: Lines

    @property
    def second_0(self) -> float:
        """When the day began, by the fast wall clock, in POSIX seconds."""
        return float(self.run["wall"] + (self.run["played"] - self.run["since"]) * self.run["speed"])

    def day_of_clock(self, clock: float) -> float:
        """When in the day it was at a time by the computer's clock."""
        return float((clock - self.run["played"]) * self.run["speed"])

    @property
    def reached(self) -> float:
        """How far the day came."""
        last = max((line["clock"] for line in self.seen), default=self.run["played"])
        return min(float(self.run["seconds"]), self.day_of_clock(last))


def read_folder(folder: Path) -> Folder:
    """What a run left in a folder."""
    with open_record(folder / "events.db", create=False) as record:
        rows = list(record.read())
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return Folder(run, rows, *(_lines(folder / f"{name}.jsonl") for name in ("seen", "done", "usage")))


def _lines(file: Path) -> Lines:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def day_run(folder: Folder, truth: dict[str, Any]) -> DayRun:
    """A run as the figures need it."""
    parts = true_parts(truth, folder.reached)
    visits = _shifted(folder, parts)
    return DayRun(parts, visits[0], _hints(folder, visits[1]), _outages(folder, visits[1]), folder.reached / 3600)


def row_day(row: Any, second_0: float) -> float:  # noqa: ANN401 - a row of the record
    """When in the day something of the record was."""
    return datetime.fromisoformat(row.wall).timestamp() - second_0


def _shifted(folder: Folder, parts: Sequence[TruePart]) -> tuple[list[JudgedVisit], float]:
    """The visits of the record by the clock of the truth, and how far the record's clock was from it."""
    shift = delay(judged_visits(folder.rows, folder.second_0), parts)
    return judged_visits(folder.rows, folder.second_0 + shift), shift


def delay(visits: Sequence[JudgedVisit], parts: Sequence[TruePart]) -> float:
    """Seconds that the record is behind the truth: the median over what was heard of what was said."""
    differences = [
        at - line.start
        for visit in visits
        for at, phrase in visit.heard
        if phrase in OWED
        for part in parts
        for line in part.said(phrase)
        if abs(at - line.start) < SEARCH
    ]
    return statistics.median(differences) if differences else 0.0


def judged_visits(rows: Sequence[Any], second_0: float) -> list[JudgedVisit]:
    """The visits of a record."""
    visits: dict[str, JudgedVisit] = {}
    for row in rows:
        if row.visit is None or row.wall is None:
            continue
        visit = visits.setdefault(row.visit, JudgedVisit())
        at, detail = row_day(row, second_0), json.loads(row.detail)
        if row.kind == "visit_closed":
            visit.opened = at - row.at + detail["opened"]
            visit.ended = visit.opened + detail["seconds"]
            visit.outcome = detail["outcome"]
        elif row.kind == "phrase" and row.phrase:
            if row.verdict == "heard":
                visit.heard.append((at, row.phrase))
            if detail.get("required") or row.verdict == "heard":
                visit.verdicts.setdefault(row.phrase, row.verdict)
        elif row.kind in ("forbidden", "rule") and row.verdict != "heard":
            visit.accused.append((at, row.phrase or "", row.verdict or ""))
    return [visit for visit in visits.values() if visit.outcome]


def _hints(folder: Folder, shift: float) -> list[ShownHint]:
    """Each hint from when the screen showed it to when it was gone."""
    starts = _starts(folder)
    shown: list[ShownHint] = []
    phrase, began = None, 0.0
    for line in folder.seen:
        if "hint" not in line and "restarting" not in line and "stopped" not in line:
            continue
        at = _seen_day(line, starts, folder) - shift
        if phrase:
            shown.append(ShownHint(phrase, began, at))
        phrase, began = line.get("hint"), at
    return shown


def _starts(folder: Folder) -> dict[str, float]:
    """Second 0 of each stream in the day."""
    lines = (line for line in folder.seen if line.get("begun") and line.get("started"))
    return {line["begun"]: datetime.fromisoformat(line["started"]).timestamp() - folder.second_0 for line in lines}


def _seen_day(line: dict[str, Any], starts: dict[str, float], folder: Folder) -> float:
    if line["stream"] in starts:
        return float(starts[line["stream"]] + line["at"])
    return folder.day_of_clock(line["clock"])


def _outages(folder: Folder, shift: float) -> list[Span]:
    """When nobody could hear: from each kill or loss until a listener listens, and each gap of the record."""
    begun = [folder.day_of_clock(line["clock"]) for line in folder.seen if line.get("begun")]
    spans = [
        (one["day"] - BEFORE_KILL, min((at for at in begun if at > one["day"]), default=folder.reached))
        for one in folder.done
        if one["done"] in ("listener", "program", "lose", "ended by itself")
    ]
    spans += [(one["day"] - one["seconds"], one["day"]) for one in folder.done if one["done"] == "player fell behind"]
    return sorted([*spans, *((at - shift, at - shift + seconds) for at, seconds, _ in gaps(folder) if seconds)])


def gaps(folder: Folder) -> Iterator[tuple[float, float, str]]:
    """The gaps of the record: when in the day, seconds, reason."""
    for row in folder.rows:
        detail = json.loads(row.detail)
        if row.kind == "gap" and row.wall and detail.get("reason") != STARTED:
            yield row_day(row, folder.second_0), float(detail.get("seconds") or 0.0), str(detail.get("reason"))


def process_figures(folder: Folder) -> Iterator[tuple[str, str]]:
    """What was done to the program, what it lost, how far it lagged, and what it used."""
    kinds = [one["done"] for one in folder.done]
    yield (
        "kills of the listener, of the whole program; lost microphones",
        f"{kinds.count('listener')}, {kinds.count('program')}; {kinds.count('lose')}",
    )
    by_reason: dict[str, list[float]] = {}
    for _, seconds, reason in gaps(folder):
        by_reason.setdefault(reason, []).append(seconds)
    told = "; ".join(f"{reason}: {len(lost)}, {sum(lost):.0f} s" for reason, lost in sorted(by_reason.items()))
    yield "gaps of the record, in seconds of the counter", told or "none"
    starts = _starts(folder)
    lags = [
        folder.day_of_clock(line["clock"]) - starts[line["stream"]] - line["at"] - line["waited"]
        for line in folder.seen
        if "megabytes" in line and line["stream"] in starts
    ]
    if lags:
        ranked = sorted(lags)
        high = ranked[int(0.95 * (len(ranked) - 1))]
        yield (
            "the listener behind the counter, in seconds of the counter",
            f"median {statistics.median(ranked):.1f}, 95th percentile {high:.1f}, most {ranked[-1]:.1f}",
        )
    yield from _usage(folder)
    troubles = [one for one in kinds if one in ("ended by itself", "player fell behind")]
    yield (
        "the program ended by itself; the bench's player fell behind",
        "; ".join(str(troubles.count(name)) for name in ("ended by itself", "player fell behind")),
    )


def _usage(folder: Folder) -> Iterator[tuple[str, str]]:
    spent: dict[int, float] = {}
    memory: dict[int, list[float]] = {}
    for line in folder.usage:
        spent[line["pid"]] = max(spent.get(line["pid"], 0.0), line["cpu"])
        memory.setdefault(line["pid"], []).append(line["megabytes"])
    if spent:
        hours = folder.reached / 3600
        listeners = [each for each in memory.values() if max(each) > LISTENER_MEGABYTES]
        longest = max(listeners or memory.values(), key=len)
        yield (
            "memory: most of a process; the listening process that ran longest, after a minute and at the end",
            f"{max(map(max, memory.values())):.0f} MB; {longest[min(12, len(longest) - 1)]:.0f}, {longest[-1]:.0f} MB",
        )
        total = sum(spent.values())
        share = f"{total / folder.reached:.3f} of a core"
        yield "processor time, all starts included", f"{total:.0f} s for {hours:.2f} h: {share}"
