"""Reads how clerks speak from the closes of visits, for pages and reports. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.browse import VISITS, VisitFilter, conditions_of
from counter_listener.record.expressions import detail_number, detail_text, epoch
from counter_listener.record.manner_figures import FIGURES, MannerData, VisitManner, count_manner
from counter_listener.record.schema import EVENTS

QUARTER: Final = 900
"""Seconds. The clock of every time zone differs from UTC by whole quarters of an hour."""


def manner_columns() -> list[sa.ColumnElement[Any]]:
    """The figures of a close, and the ids of the limits that it is beyond, by their names in the table of a report."""
    figures = [detail_number(EVENTS.c.detail, f"manner.{name}").label(name) for name in FIGURES]
    return [*figures, detail_text(EVENTS.c.detail, "manner.over").label("beyond")]


def gather_manner(connection: sa.Connection, wanted: VisitFilter) -> MannerData:
    """The figures of the services of a period."""
    quarter = epoch(VISITS.c.began) // sa.literal_column(str(QUARTER), sa.Integer)
    query = (
        sa.select(VISITS.c.counter, quarter.label("quarter"), *manner_columns())
        .select_from(VISITS.join(EVENTS, EVENTS.c.seq == VISITS.c.seq))
        .where(*conditions_of(wanted), VISITS.c.outcome.is_distinct_from("no_service"))
    )
    return manner_of(connection, query)


def manner_of(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]]) -> MannerData:
    """The figures of the visits of a query: counter, quarter, and manner_columns()."""
    return count_manner(_visits(connection, query))


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
