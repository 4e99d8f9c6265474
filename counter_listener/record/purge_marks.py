"""The rows that a purge is about to remove, marked in a temporary table, and the dates by which they are old."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.expressions import later, lesser
from counter_listener.record.rows import LIVE
from counter_listener.record.schema import EVENTS, RECORDINGS
from counter_listener.record.temporary import drop_temporary, make_temporary, temporary_table

JUDGED: Final = "judged"
"""The kind of the rows that note how a recording was judged; they leave the record with their recording."""
MARKED: Final = temporary_table("doomed", "seq", "chain")
"""The rows to be removed."""
BEGUN: Final = temporary_table("begun", "source", "started")
"""The starts of recordings with events that have no wall time, where another event has one."""


def _start(source: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    return sa.select(BEGUN.c.started).where(BEGUN.c.source == source).scalar_subquery()


def _first_of(known: sa.ColumnElement[Any], recorded: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """When it happened or, if that is earlier or the other is unknown, when it was recorded.

    A clock that is years ahead keeps nothing from being removed.
    """
    return lesser(sa.func.coalesce(known, recorded), recorded)


HAPPENED: Final = _first_of(
    sa.func.coalesce(EVENTS.c.wall, later(_start(EVENTS.c.source), EVENTS.c.at)), EVENTS.c.recorded
)
"""The date of an event for a purge."""
BEGAN: Final = sa.func.coalesce(RECORDINGS.c.started, _start(RECORDINGS.c.sha256))
ENDED: Final = _first_of(later(BEGAN, RECORDINGS.c.seconds), RECORDINGS.c.recorded)
"""The date of a recording for a purge: its end."""


@contextmanager
def marking(connection: sa.Connection) -> Iterator[None]:
    """A block in which rows can be marked; none is when it begins."""
    make_temporary(connection, MARKED)
    yield
    drop_temporary(connection, MARKED)


def find_starts(connection: sa.Connection) -> None:
    """Fills BEGUN: a recording that was first recorded without its start may have been judged again with it."""
    make_temporary(connection, BEGUN)
    undated = sa.select(EVENTS.c.source).where(EVENTS.c.wall.is_(None), EVENTS.c.source != LIVE)
    dated = (EVENTS.c.source.in_(undated), EVENTS.c.wall.is_not(None), EVENTS.c.kind != JUDGED)
    start = later(EVENTS.c.wall, -EVENTS.c.at)
    starts = sa.select(EVENTS.c.source, sa.func.min(start)).where(*dated).group_by(EVENTS.c.source)
    connection.execute(sa.insert(BEGUN).from_select(["source", "started"], starts))
