"""Removes old rows from the record in one transaction, and appends the row that reports it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.chain import contiguous_runs, linked
from counter_listener.record.clips.requests import forget_requests
from counter_listener.record.databases import dialect_of
from counter_listener.record.expressions import later, lesser
from counter_listener.record.people import PEOPLE
from counter_listener.record.received import forget_rows
from counter_listener.record.rows import LIVE, Origin, note_row
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail, insert_rows, next_number
from counter_listener.record.temporary import drop_temporary, make_temporary, temporary_table

STREAM: Final = "purge"
"""The stream and the kind of the rows that report purges."""
KEY: Final = "key"
"""The stream and the kind of the rows that report a new key."""
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


def purge_rows(connection: sa.Connection, before: str, recorded: datetime) -> int:
    """Removes what happened before a time (ISO 8601 in UTC) and returns the number of rows."""
    make_temporary(connection, MARKED)
    _mark_rows(connection, before)
    return _remove(connection, before, recorded)


def purge_received(
    connection: sa.Connection, removed: Sequence[tuple[int, int]], before: str, recorded: datetime
) -> int:
    """Removes what a purge at its source removed, given as first and last number here, as purge_rows() does.

    What people added here about a visit of which nothing is left goes with it.
    """
    make_temporary(connection, MARKED)
    for first, last in removed:
        for table in (EVENTS, RECORDINGS):
            _mark(connection, table, table.c.seq.between(first, last))
    marked = sa.select(MARKED.c.seq)
    touched = sa.select(EVENTS.c.visit).where(EVENTS.c.seq.in_(marked), EVENTS.c.visit.is_not(None))
    left = sa.select(EVENTS.c.visit).where(
        EVENTS.c.visit.in_(touched), EVENTS.c.kind.not_in(PEOPLE), EVENTS.c.seq.not_in(marked)
    )
    words = EVENTS.c.visit.in_(touched) & EVENTS.c.visit.not_in(left) & EVENTS.c.seq.not_in(marked)
    _mark(connection, EVENTS, words)
    return _remove(connection, before, recorded)


def _remove(connection: sa.Connection, before: str, recorded: datetime) -> int:
    """Removes the marked rows, and appends the row that reports it; returns their number."""
    rows_marked = connection.execute(sa.select(MARKED.c.seq, MARKED.c.chain).order_by(MARKED.c.seq))
    runs = contiguous_runs((row.seq, row.chain) for row in rows_marked)
    rows = sum(last - first + 1 for first, last, _ in runs)
    if runs:
        forget_rows(connection, [(first, last) for first, last, _ in runs])
        detail = {"before": before, "rows": rows, "runs": runs}
        origin = Origin(STREAM, STREAM, None, recorded, "", "", "")
        note = note_row("purge", detail, origin, recorded, next_number(connection, STREAM))
        insert_rows(connection, EVENTS, linked([note], chain_tail(connection)))
        marked = sa.select(MARKED.c.seq)
        dialect_of(connection).remove(
            connection, [sa.delete(table).where(table.c.seq.in_(marked)) for table in (EVENTS, RECORDINGS)]
        )
        forget_requests(connection)
    drop_temporary(connection, MARKED)
    return rows


def purge_details(connection: sa.Connection) -> list[str]:
    """The `detail` of every row that reports a purge, in order."""
    query = sa.select(EVENTS.c.detail).where(EVENTS.c.stream == STREAM).order_by(EVENTS.c.seq)
    return list(connection.execute(query).scalars())


def kept_from(connection: sa.Connection, before: str) -> dict[str, float]:
    """For each recording in the record, after a purge: the second from which on its words may be kept.

    That is the time of the purge or, if it is earlier, the opening of the first visit that is left.
    """
    _find_starts(connection)
    opened = sa.select(sa.func.min(EVENTS.c.at)).where(
        EVENTS.c.source == RECORDINGS.c.sha256, EVENTS.c.kind == "visit_opened"
    )
    query = sa.select(RECORDINGS.c.sha256, BEGAN, opened.scalar_subquery())
    limit = datetime.fromisoformat(before)
    kept = {}
    for sha256, begun, first in connection.execute(query):
        since = (limit - datetime.fromisoformat(begun)).total_seconds() if begun else 0.0
        kept[sha256] = max(0.0, since if first is None else min(since, first))
    drop_temporary(connection, BEGUN)
    return kept


def _mark(connection: sa.Connection, table: sa.TableClause, chosen: sa.ColumnElement[bool]) -> None:
    """Marks rows to be removed."""
    rows = sa.select(table.c.seq, table.c.chain).where(chosen)
    connection.execute(sa.insert(MARKED).from_select(["seq", "chain"], rows))


def _mark_rows(connection: sa.Connection, before: str) -> None:
    """Marks the rows to be removed."""
    _find_starts(connection)
    of_machine = sa.select(EVENTS.c.visit).where(EVENTS.c.kind.not_in(PEOPLE))
    old_visits = of_machine.group_by(EVENTS.c.visit).having(sa.func.max(HAPPENED) < before)
    about_record = EVENTS.c.stream.in_((STREAM, KEY)) | (EVENTS.c.kind == JUDGED)
    old_without_visit = EVENTS.c.visit.is_(None) & ~about_record & (before > HAPPENED)
    marked = sa.select(MARKED.c.seq)
    left = sa.select(EVENTS.c.source).where(EVENTS.c.seq.not_in(marked), EVENTS.c.kind != JUDGED)
    removed = sa.select(RECORDINGS.c.sha256).where(RECORDINGS.c.seq.in_(marked))
    for table, old in (
        (EVENTS, EVENTS.c.visit.in_(old_visits) | old_without_visit),
        (RECORDINGS, RECORDINGS.c.sha256.not_in(left) & (before > ENDED)),
        (EVENTS, (EVENTS.c.kind == JUDGED) & EVENTS.c.source.in_(removed)),
    ):
        _mark(connection, table, old)
    drop_temporary(connection, BEGUN)


def _find_starts(connection: sa.Connection) -> None:
    """Fills BEGUN: a recording that was first recorded without its start may have been judged again with it."""
    make_temporary(connection, BEGUN)
    undated = sa.select(EVENTS.c.source).where(EVENTS.c.wall.is_(None), EVENTS.c.source != LIVE)
    dated = (EVENTS.c.source.in_(undated), EVENTS.c.wall.is_not(None), EVENTS.c.kind != JUDGED)
    start = later(EVENTS.c.wall, -EVENTS.c.at)
    starts = sa.select(EVENTS.c.source, sa.func.min(start)).where(*dated).group_by(EVENTS.c.source)
    connection.execute(sa.insert(BEGUN).from_select(["source", "started"], starts))
