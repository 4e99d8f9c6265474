"""Rows of the record for programs that read all of them: a part at a time, by their number. Reads only."""

from collections.abc import Collection

import sqlalchemy as sa

from counter_listener.record.people import PEOPLE
from counter_listener.record.places import is_in
from counter_listener.record.rows import Row, storable
from counter_listener.record.schema import EVENTS


def machine_rows(
    connection: sa.Connection, after: int, count: int, counter: str | None = None, only: Collection[str] | None = None
) -> list[Row]:
    """The first `count` rows of the machine behind a number; of one counter, or of all for None;
    of what the reader may see.
    """
    return _rows(connection, EVENTS.c.kind.not_in(PEOPLE), after, count, counter, only)


def review_rows(
    connection: sa.Connection, after: int, count: int, counter: str | None = None, only: Collection[str] | None = None
) -> list[Row]:
    """The first `count` reviews behind a number; of one counter, or of all for None;
    of what the reader may see.
    """
    return _rows(connection, EVENTS.c.kind == "review", after, count, counter, only)


def _rows(  # noqa: PLR0913 - what a page asks for
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    after: int,
    count: int,
    counter: str | None,
    only: Collection[str] | None,
) -> list[Row]:
    query = sa.select(EVENTS).where(EVENTS.c.seq > after, condition)
    if counter is not None:
        query = query.where(EVENTS.c.counter == storable(counter))
    if only is not None:
        query = query.where(is_in(EVENTS.c.counter, only))
    return [Row(*row) for row in connection.execute(query.order_by(EVENTS.c.seq).limit(count))]
