"""The figures of the overview: sums over the closed visits of a period, from the table `visits`. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import Event
from counter_listener.record.browse import PASSED, SCORE, VISITS, FoundVisit, VisitFilter, conditions_of, find_visits
from counter_listener.record.expressions import count_sum, epoch, total
from counter_listener.record.figures import VisitTotals
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
    """The figures of a period, and of the one before it."""
    conditions = list(conditions_of(wanted))
    service = [*conditions, ~NO_SERVICE]
    quarter = epoch(VISITS.c.began) // sa.literal_column(str(QUARTER), sa.Integer)
    return OverviewData(
        by_counter=_sums_by(connection, VISITS.c.counter, service),
        by_quarter=_sums_by(connection, quarter, service),
        before=_sums(connection, [*conditions_of(before), ~NO_SERVICE]),
        faults=_faults(connection, service),
        outcomes=_outcomes(connection, conditions),
        reviewed=_count(connection, [*service, VISITS.c.reviewed.is_not(None)]),
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


def _sums_by(
    connection: sa.Connection, key: sa.ColumnElement[Any], conditions: list[sa.ColumnElement[bool]]
) -> dict[Any, VisitTotals]:
    query = sa.select(key, *_columns()).where(*conditions).group_by(key)
    return {row[0]: VisitTotals(*row[1:]) for row in connection.execute(query)}


def _count(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(VISITS).where(*conditions)).scalar_one())


def _faults(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> dict[tuple[str, str], int]:
    """Equal texts are counted by SQLite: there are few different ones."""
    query = sa.select(VISITS.c.faults, sa.func.count()).where(*conditions, VISITS.c.faults.is_not(None))
    counts: Counter[tuple[str, str]] = Counter()
    for text, count in connection.execute(query.group_by(VISITS.c.faults)):
        for line in set(text.split("\n")):
            verdict, _, phrase = line.partition(":")
            counts[verdict, phrase] += count
    return dict(counts)


def _outcomes(connection: sa.Connection, conditions: list[sa.ColumnElement[bool]]) -> dict[str, int]:
    query = sa.select(VISITS.c.outcome, sa.func.count()).where(*conditions).group_by(VISITS.c.outcome)
    return {outcome or "": count for outcome, count in connection.execute(query)}


def _offences(connection: sa.Connection, wanted: VisitFilter) -> list[Offence]:
    page = find_visits(connection, replace(wanted, verdict="forbidden"), count=EXAMPLES)
    found = []
    for visit in page.visits:
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
