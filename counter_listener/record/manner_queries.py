"""Reads how clerks speak from the closes of visits, for pages and reports. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Any

import sqlalchemy as sa

from counter_listener.record.browse import VISITS, VisitFilter, conditions_of
from counter_listener.record.expressions import detail_number, detail_text, joined
from counter_listener.record.manner_figures import (
    COUNTED,
    FIGURES,
    LISTED,
    MANNER_COLUMNS,
    MANNER_OVER,
    MannerData,
    MannerGroup,
    MannerOverview,
    VisitManner,
    count_groups,
    count_manner,
)
from counter_listener.record.months import Month, month_of
from counter_listener.record.rows import iso
from counter_listener.record.schema import EVENTS


def manner_columns() -> list[sa.ColumnElement[Any]]:
    """The figures of a close, and the ids of the limits that it is beyond, by their names in the table of a report."""
    figures = [detail_number(EVENTS.c.detail, f"manner.{name}").label(name) for name in FIGURES]
    return [*figures, detail_text(EVENTS.c.detail, "manner.over").label("beyond")]


def gather_manner(connection: sa.Connection, wanted: VisitFilter, zone: tzinfo | None = None) -> MannerOverview:
    """The figures of the services of a period, with the months of a zone; None is the zone of this machine.

    The database reads the visits once, and answers with a row for each group of those that differ in nothing but what
    is listed: a row for each visit would take the driver longer than the database.
    """
    figures = [VISITS.c[MANNER_COLUMNS[name]].label(name) for name in (*COUNTED, *LISTED)]
    month = _month_column(_months(connection, wanted, zone)).label("month")
    visits = (
        sa.select(VISITS.c.counter, month, VISITS.c[MANNER_OVER].label("beyond"), *figures)
        .where(*conditions_of(wanted), VISITS.c.outcome.is_distinct_from("no_service"))
        .subquery()
    )
    keys = [visits.c[name] for name in ("counter", "month", "beyond", *COUNTED)]
    lists = [joined(visits.c[name]) for name in LISTED]
    return count_groups(_groups(connection, sa.select(*keys, sa.func.count(), *lists).group_by(*keys)))


def manner_of(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> MannerData:
    """The figures of the visits of a query: counter, quarter, and manner_columns()."""
    return count_manner(_visits(connection, query))


def _months(connection: sa.Connection, wanted: VisitFilter, zone: tzinfo | None) -> list[Month]:
    """The months in which there are visits of the period, in order: one look into the index of times for each."""
    found: list[Month] = []
    since = iso(wanted.since) if wanted.since else ""
    while (month := _month_from(connection, since, wanted.until, zone)) and month.end > since:
        found.append(month)
        since = month.end
    return found


def _month_from(connection: sa.Connection, since: str, until: datetime | None, zone: tzinfo | None) -> Month | None:
    """The month of the first visit from a time on."""
    query = sa.select(sa.func.min(VISITS.c.moment)).where(VISITS.c.moment >= since)
    query = query if until is None else query.where(VISITS.c.moment < iso(until))
    moment = connection.execute(query).scalar()
    return None if moment is None else month_of(moment, zone)


def _month_column(months: list[Month]) -> sa.ColumnElement[Any]:
    """The name of the month in which a visit was opened; null if that is unknown."""
    if not months:
        return sa.cast(sa.null(), sa.Text)
    begun = [(VISITS.c.began >= month.start, sa.literal(month.name, sa.Text)) for month in reversed(months)]
    return sa.case((VISITS.c.began >= months[-1].end, sa.null()), *begun)


def _groups(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> Iterator[MannerGroup]:
    for counter, month, beyond, *values in connection.execute(query):
        counted, visits, texts = values[: len(COUNTED)], values[len(COUNTED)], values[len(COUNTED) + 1 :]
        lists = tuple([float(number) for number in text.split()] if text else [] for text in texts)
        yield MannerGroup(counter, month, visits, tuple(counted), lists, _ids(beyond))


def _visits(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> Iterator[VisitManner]:
    for counter, quarter, *values, beyond in connection.execute(query):
        yield VisitManner(counter, quarter, tuple(values), _ids(beyond))


def _ids(text: str | None) -> tuple[str, ...]:
    """The texts of an array in JSON; none of what is no such array."""
    if text in (None, "[]"):
        return ()
    with suppress(ValueError, TypeError):
        found = json.loads(str(text))
        return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
    return ()
