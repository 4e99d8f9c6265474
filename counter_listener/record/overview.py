"""The figures of the overview: sums over the closed visits of a period, from the table `visits`. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import Event
from counter_listener.record.browse import PASSED, SCORE, VISITS, FoundVisit, VisitFilter, conditions_of, visits_before
from counter_listener.record.expressions import count_sum, total
from counter_listener.record.figures import VisitTotals, sum_totals
from counter_listener.record.places import is_in
from counter_listener.record.rows import Row, event_from_row
from counter_listener.record.schema import EVENTS

QUARTER: Final = 900
"""Seconds. The clock of every time zone differs from UTC by whole quarters of an hour."""
EXAMPLES: Final = 5
NO_SERVICE: Final = VISITS.c.outcome.is_not_distinct_from("no_service")


@dataclass(frozen=True, slots=True)
class Offence:
    """An offence that was heard, with its visit."""

    visit: FoundVisit
    event: Event


@dataclass(frozen=True, slots=True)
class OverviewData:
    """The figures of a period, without those that were no service."""

    by_counter: Mapping[str | None, VisitTotals]
    by_quarter: Mapping[int | None, VisitTotals]
    """By the quarter of an hour in which visits were opened, counted from 1970 in UTC; None if that is unknown."""
    before: VisitTotals
    """Of the period of the same length directly before."""
    faults: Mapping[tuple[str, str], int]
    """By verdict and id: in how many visits."""
    outcomes: Mapping[str, int]
    """Number of visits by outcome, those that were no service included."""
    reviewed: int
    offences: Sequence[Offence]
    """The newest."""


def gather_overview(connection: sa.Connection, wanted: VisitFilter, before: VisitFilter) -> OverviewData:
    """The figures of a period, and of the one before it.

    The visits of the period are read three times, which in the record of a region is most of the time.
    """
    conditions = list(conditions_of(wanted))
    service = [*conditions, ~NO_SERVICE]
    by_counter, outcomes, reviewed = _by_counter(connection, conditions)
    return OverviewData(
        by_counter=by_counter,
        by_quarter=_by_quarter(connection, service),
        before=_sums(connection, [*conditions_of(before), ~NO_SERVICE]),
        faults=_faults(connection, service),
        outcomes=outcomes,
        reviewed=reviewed,
        offences=_offences(connection, wanted),
    )


def _columns() -> list[sa.ColumnElement[Any]]:
    """The fields of VisitTotals."""
    special: dict[str, sa.ColumnElement[Any]] = {
        "visits": sa.func.count(),
        "scored": sa.func.count(SCORE),
        "passed": count_sum(PASSED),
        "points": total(SCORE),
        "squares": total(SCORE * SCORE),
        "offending": count_sum(VISITS.c.forbidden > 0),
        "kept": sa.literal(0),
        "lost_audio": count_sum(VISITS.c.lost),
        "not_understood": count_sum(VISITS.c.outcome == "not_understood"),
    }
    names = [field.name for field in fields(VisitTotals)]
    return [special[name] if name in special else count_sum(VISITS.c[name]) for name in names]


def _sums(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> VisitTotals:
    return VisitTotals(*connection.execute(sa.select(*_columns()).where(*conditions)).one())


def _by_counter(
    connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]
) -> tuple[dict[str | None, VisitTotals], dict[str, int], int]:
    """The sums of each counter, the number of visits by outcome, and how many were reviewed."""
    key = (VISITS.c.counter, VISITS.c.outcome)
    query = sa.select(*key, sa.func.count(VISITS.c.reviewed), *_columns()).where(*conditions).group_by(*key)
    counters: dict[str | None, list[VisitTotals]] = {}
    outcomes: Counter[str] = Counter()
    reviewed = 0
    for counter, outcome, words, *sums in connection.execute(query):
        totals = VisitTotals(*sums)
        outcomes[outcome or ""] += totals.visits
        if outcome != "no_service":
            counters.setdefault(counter, []).append(totals)
            reviewed += words
    return {counter: sum_totals(parts) for counter, parts in counters.items()}, dict(outcomes), reviewed


def _by_quarter(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> dict[int | None, VisitTotals]:
    """The sums of each quarter of an hour.

    Visits are grouped by the text of their time: to compute with times took PostgreSQL as long as all else together.
    """
    minute = sa.func.substr(VISITS.c.began, 15, 2)
    quarters = sa.case((minute < "15", "00"), (minute < "30", "15"), (minute < "45", "30"), else_="45")
    hour = sa.func.substr(VISITS.c.began, 1, 14)
    query = sa.select(hour, quarters, *_columns()).where(*conditions).group_by(hour, quarters)
    return {_quarter(row[0], row[1]): VisitTotals(*row[2:]) for row in connection.execute(query)}


def _quarter(hour: str | None, minute: str) -> int | None:
    """Quarters of an hour since 1970, of a time in UTC."""
    if hour is None:
        return None
    return int(datetime.fromisoformat(f"{hour}{minute}+00:00").timestamp()) // QUARTER


def _faults(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> dict[tuple[str, str], int]:
    """Equal texts are counted by SQLite: there are few different ones."""
    query = sa.select(VISITS.c.faults, sa.func.count()).where(*conditions, VISITS.c.faults.is_not(None))
    counts: Counter[tuple[str, str]] = Counter()
    for text, count in connection.execute(query.group_by(VISITS.c.faults)):
        for line in set(text.split("\n")):
            verdict, _, phrase = line.partition(":")
            counts[verdict, phrase] += count
    return dict(counts)


def _offences(connection: sa.Connection, wanted: VisitFilter) -> list[Offence]:
    found = []
    for visit in visits_before(connection, replace(wanted, verdict="forbidden"), None, EXAMPLES):
        query = sa.select(EVENTS).where(EVENTS.c.visit == visit.visit).order_by(EVENTS.c.seq)
        events = (event_from_row(Row(*row)) for row in connection.execute(query) if row.verdict == "forbidden")
        found += [Offence(visit, event) for event in events]
    return found[:EXAMPLES]


def counters_heard(connection: sa.Connection, only: Collection[str] | None = None) -> list[tuple[str | None, datetime]]:
    """Each counter that has closed visits, and when it was heard last; the one that is silent longest comes first."""
    query = sa.select(VISITS.c.counter, sa.func.max(VISITS.c.moment)).group_by(VISITS.c.counter)
    query = query if only is None else query.where(is_in(VISITS.c.counter, only))
    heard = [(counter, datetime.fromisoformat(moment)) for counter, moment in connection.execute(query)]
    return sorted(heard, key=lambda one: (one[1], one[0] or ""))
