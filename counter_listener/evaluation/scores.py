"""Scores as rows, for the table and for JSON: for each method, in all and by phrase. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from counter_listener.domain import Interval, wilson_interval
from counter_listener.evaluation.scoring import Counts, MethodScore, by_id, f1_intervals, total

ALL = ""
"""The id of all phrases together."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The score of one method on one phrase, or on all."""

    method: str
    threshold: float | None
    """0-100; None for the settings of the phrase set."""
    id: str
    """`ALL` for all together."""
    counts: Counts
    precision: Interval
    """95 %, by Wilson."""
    recall: Interval
    """95 %, by Wilson."""
    f1: Interval | None
    """95 %, by bootstrap over files; None for one file, or if there is nothing to count."""
    false_alarms_an_hour: float


def score_rows(method: MethodScore, seconds: float, *, own_settings: bool) -> list[ScoreRow]:
    """One row for all ids together, then one for each id, in order of ids."""
    files = [{ALL: total(file.values()), **file} for file in method.files]
    intervals = f1_intervals(files)
    return [
        ScoreRow(
            method=method.name,
            threshold=None if own_settings else method.threshold,
            id=id_,
            counts=counts,
            precision=wilson_interval(counts.hits, counts.hits + counts.false_alarms),
            recall=wilson_interval(counts.hits, counts.owed),
            f1=intervals.get(id_),
            false_alarms_an_hour=counts.false_alarms * 3600 / seconds,
        )
        for id_, counts in by_id(files).items()
    ]


def json_row(row: ScoreRow) -> dict[str, object]:
    """A row for JSON: shares from 0 to 1, null without cases."""
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
    return None if interval is None else [round(limit, 4) for limit in interval]


def rows_by_phrase(rows: Sequence[Sequence[ScoreRow]]) -> Iterator[tuple[ScoreRow, ...]]:
    """The rows of all methods for one id after the other, without `ALL`; a method without a row gets an empty one."""
    tables = [{row.id: row for row in method} for method in rows]
    for id_ in sorted(set().union(*tables) - {ALL}):
        empty = (ScoreRow(t[ALL].method, t[ALL].threshold, id_, Counts(), (0, 1), (0, 1), None, 0) for t in tables)
        yield tuple(table.get(id_) or row for table, row in zip(tables, empty, strict=True))
