"""Removes old rows from the record in one transaction, and appends the row that reports it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.chain import contiguous_runs, linked
from counter_listener.record.people import PEOPLE
from counter_listener.record.received import forget_rows
from counter_listener.record.rows import LIVE, Origin, note_row
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail, insert_rows, next_number

STREAM: Final = "purge"
"""The stream and the kind of the rows that report purges."""
KEY: Final = "key"
"""The stream and the kind of the rows that report a new key."""
JUDGED: Final = "judged"
"""The kind of the rows that note how a recording was judged; they leave the record with their recording."""
MARKED: Final = sa.table("doomed", sa.column("seq"), sa.column("chain"))
"""A temporary table: the rows to be removed."""
MAKE_MARKED: Final = "CREATE TEMPORARY TABLE doomed (seq INTEGER PRIMARY KEY, chain TEXT)"
BEGUN: Final = sa.table("begun", sa.column("source"), sa.column("started"))
"""A temporary table: the starts of recordings with events that have no wall time, where another event has one."""


def _moment(start: sa.ColumnElement[Any], seconds: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A time so many seconds after another one, as text that sorts as time; null where it is unknown."""
    return sa.func.strftime("%Y-%m-%dT%H:%M:%f+00:00", sa.func.julianday(start) + seconds / 86_400.0)


def _start(source: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    return sa.select(BEGUN.c.started).where(BEGUN.c.source == source).scalar_subquery()


def _first_of(known: sa.ColumnElement[Any], recorded: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """When it happened or, if that is earlier or the other is unknown, when it was recorded.

    A clock that is years ahead keeps nothing from being removed.
    """
    return sa.func.min(sa.func.coalesce(known, recorded), recorded)


HAPPENED: Final = _first_of(
    sa.func.coalesce(EVENTS.c.wall, _moment(_start(EVENTS.c.source), EVENTS.c.at)), EVENTS.c.recorded
)
"""The date of an event for a purge."""
BEGAN: Final = sa.func.coalesce(RECORDINGS.c.started, _start(RECORDINGS.c.sha256))
ENDED: Final = _first_of(_moment(BEGAN, RECORDINGS.c.seconds), RECORDINGS.c.recorded)
"""The date of a recording for a purge: its end."""


def purge_rows(connection: sa.Connection, before: str, recorded: datetime) -> int:
    """Removes what happened before a time (ISO 8601 in UTC) and returns the number of rows.

    user_version is 1 until the file has been rewritten without the bytes of these rows.
    """
    connection.exec_driver_sql(MAKE_MARKED)
    _mark_rows(connection, before)
    return _remove(connection, before, recorded)


def purge_received(
    connection: sa.Connection, removed: Sequence[tuple[int, int]], before: str, recorded: datetime
) -> int:
    """Removes what a purge at its source removed, given as first and last number here, as purge_rows() does.

    What people added here about a visit of which nothing is left goes with it.
    """
    connection.exec_driver_sql(MAKE_MARKED)
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
    marked = connection.execute(sa.select(MARKED.c.seq, MARKED.c.chain).order_by(MARKED.c.seq))
    runs = contiguous_runs((row.seq, row.chain) for row in marked)
    rows = sum(last - first + 1 for first, last, _ in runs)
    if runs:
        forget_rows(connection, [(first, last) for first, last, _ in runs])
        detail = {"before": before, "rows": rows, "runs": runs}
        origin = Origin(STREAM, STREAM, None, recorded, "", "", "")
        note = note_row("purge", detail, origin, recorded, next_number(connection, STREAM))
        insert_rows(connection, EVENTS, linked([note], chain_tail(connection)))
        connection.exec_driver_sql("PRAGMA user_version = 1")
        _remove_marked(connection)
    connection.exec_driver_sql("DROP TABLE doomed")
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
    connection.exec_driver_sql("DROP TABLE temp.begun")
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
    connection.exec_driver_sql("DROP TABLE temp.begun")


def _find_starts(connection: sa.Connection) -> None:
    """Fills BEGUN: a recording that was first recorded without its start may have been judged again with it."""
    connection.exec_driver_sql("CREATE TEMPORARY TABLE begun (source TEXT PRIMARY KEY, started TEXT) WITHOUT ROWID")
    undated = sa.select(EVENTS.c.source).where(EVENTS.c.wall.is_(None), EVENTS.c.source != LIVE)
    dated = (EVENTS.c.source.in_(undated), EVENTS.c.wall.is_not(None), EVENTS.c.kind != JUDGED)
    start = _moment(EVENTS.c.wall, -EVENTS.c.at)
    starts = sa.select(EVENTS.c.source, sa.func.min(start)).where(*dated).group_by(EVENTS.c.source)
    connection.execute(sa.insert(BEGUN).from_select(["source", "started"], starts))


def _remove_marked(connection: sa.Connection) -> None:
    """Drops the delete guards, removes the rows and restores the guards, in one transaction that a crash undoes."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"
    guards = connection.exec_driver_sql(query).all()
    for guard in guards:
        connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
    for table in (EVENTS, RECORDINGS):
        connection.execute(sa.delete(table).where(table.c.seq.in_(sa.select(MARKED.c.seq))))
    for guard in guards:
        connection.exec_driver_sql(guard.sql)
