"""Scores as rows: for each finder, in all and for each phrase. This module imports no outside library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from counter_listener.domain import Interval, wilson_interval
from counter_listener.evaluation.scoring import Counts, MethodScore, by_id, f1_intervals, total

ALL = ""
"""Stands for all ids together."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one finder did on one phrase, or on all."""

    method: str
    threshold: float | None
    """0-100; None of a finder with settings of its own."""
    id: str
    """`ALL` for all together."""
    counts: Counts
    precision: Interval
    """95 %, by Wilson."""
    recall: Interval
    """95 %, by Wilson."""
    f1: Interval | None
    """95 %, by bootstrap over files; None where there is one file only, or nothing to count."""
    false_alarms_an_hour: float


def rows_of(method: MethodScore, seconds: float, *, own_settings: bool) -> list[Row]:
    """One row for all ids together, then one for each id, in order of ids."""
    files = [{ALL: total(file.values()), **file} for file in method.files]
    intervals = f1_intervals(files)
    return [
        Row(
            method=method.name,
            threshold=None if own_settings else method.threshold,
            id=one,
            counts=counts,
            precision=wilson_interval(counts.hits, counts.hits + counts.false_alarms),
            recall=wilson_interval(counts.hits, counts.owed),
            f1=intervals.get(one),
            false_alarms_an_hour=counts.false_alarms * 3600 / seconds,
        )
        for one, counts in by_id(files).items()
    ]


def as_record(row: Row) -> dict[str, object]:
    """A row for JSON: shares from 0 to 1, null where there is nothing to tell one from."""
    counts = row.counts
    return {
        "method": row.method,
        "threshold": row.threshold,
        "id": row.id or None,
        "owed": counts.owed,
        "hits": counts.hits,
        "misses": counts.misses,
        "false_alarms": counts.false_alarms,
        "false_alarms_an_hour": round(row.false_alarms_an_hour, 4),
        "precision": _rounded(counts.precision),
        "precision_95": _interval(row.precision),
        "recall": _rounded(counts.recall),
        "recall_95": _interval(row.recall),
        "f1": _rounded(counts.f1),
        "f1_95": _interval(row.f1),
    }


def _rounded(share: float) -> float | None:
    return None if isnan(share) else round(share, 4)


def _interval(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(edge, 4) for edge in interval]


def by_phrase(rows: Sequence[Sequence[Row]]) -> Iterator[tuple[Row, ...]]:
    """The rows of all finders, id by id: those of one id together, `ALL` left out."""
    tables = [{row.id: row for row in method} for method in rows]
    for one in sorted(set().union(*tables) - {ALL}):
        yield tuple(table.get(one) or _empty(table[ALL], one) for table in tables)


def _empty(like: Row, one: str) -> Row:
    return Row(like.method, like.threshold, one, Counts(), (0.0, 1.0), (0.0, 1.0), None, 0.0)
