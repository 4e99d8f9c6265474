"""Reads how clerks speak from the closes of visits, for pages and reports. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
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

    The database answers with a row for each counter and month, which holds the figures of its visits as lists: with a
    row for each visit the driver would take longer than the database, and so would counts of each value.
    """
    service = (*conditions_of(wanted), VISITS.c.outcome.is_distinct_from("no_service"))
    month = _month_column(_months(connection, wanted, zone)).label("month")
    figures = {name: VISITS.c[MANNER_COLUMNS[name]] for name in (*COUNTED, *LISTED)}
    columns = [figure.label(name) for name, figure in figures.items()]
    visits = sa.select(VISITS.c.counter, month, *columns).where(*service).subquery()
    told = [sa.func.count(visits.c[name]) for name in COUNTED]
    above = [sa.func.count().filter(visits.c[name] > 0) for name in COUNTED]
    lists = [joined(visits.c[name]) for name in LISTED]
    keys = (visits.c.counter, visits.c.month)
    rows = connection.execute(sa.select(*keys, sa.func.count(), *above, *told, *lists).group_by(*keys))
    return count_groups(map(_group, rows), _over(connection, service))


def _group(row: sa.Row[*tuple[Any, ...]]) -> MannerGroup:
    counter, month, visits, *values = row
    counts, texts = values[: -len(LISTED)], values[-len(LISTED) :]
    shares = zip(counts[: len(COUNTED)], counts[len(COUNTED) :], strict=True)
    return MannerGroup(counter, month, visits, tuple(shares), tuple(map(_counted, texts)))


def _counted(text: str | None) -> Counter[str]:
    return Counter(text.split()) if text else Counter()


def _over(connection: sa.Connection, conditions: Collection[sa.ColumnElement[bool]]) -> Counter[str]:
    """By id of a limit: visits beyond it. Equal lists are counted by the database: there are few different ones."""
    beyond = VISITS.c[MANNER_OVER]
    query = sa.select(beyond, sa.func.count()).where(*conditions, beyond.is_not(None)).group_by(beyond)
    found: Counter[str] = Counter()
    for text, visits in connection.execute(query):
        found.update(dict.fromkeys(_ids(text), visits))
    return found


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
