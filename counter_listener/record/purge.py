"""Removes old rows from the record in one transaction, and appends the row that reports it."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from counter_listener.record.chain import Run, contiguous_runs, linked
from counter_listener.record.rows import Origin, note_row
from counter_listener.record.schema import EVENTS, RECORDINGS, WHEN, chain_tail, insert_rows, next_number

STREAM: Final = "purge"
"""The stream and the kind of the rows that report purges."""
MARKED: Final = sa.table("doomed", sa.column("seq"), sa.column("chain"))
"""A temporary table: the rows to be removed."""


def purge_rows(connection: sa.Connection, before: str, recorded: datetime) -> int:
    """Removes what happened before a time (ISO 8601 in UTC) and returns the number of rows.

    user_version is 1 until the file has been rewritten without the bytes of these rows.
    """
    runs = _mark_rows(connection, before)
    rows = sum(last - first + 1 for first, last, _ in runs)
    if runs:
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


def _mark_rows(connection: sa.Connection, before: str) -> list[Run]:
    """Marks the rows to be removed; returns them as contiguous runs."""
    old_visits = sa.select(EVENTS.c.visit).group_by(EVENTS.c.visit).having(sa.func.max(WHEN) < before)
    old_without_visit = EVENTS.c.visit.is_(None) & (EVENTS.c.stream != STREAM) & (before > WHEN)
    marked = sa.select(MARKED.c.seq)
    sources_left = sa.select(EVENTS.c.source).where(EVENTS.c.seq.not_in(marked))
    connection.exec_driver_sql("CREATE TEMPORARY TABLE doomed (seq INTEGER PRIMARY KEY, chain TEXT)")
    for table, old in (
        (EVENTS, EVENTS.c.visit.in_(old_visits) | old_without_visit),
        (RECORDINGS, RECORDINGS.c.sha256.not_in(sources_left) & (RECORDINGS.c.recorded < before)),
    ):
        chosen = sa.select(table.c.seq, table.c.chain).where(old)
        connection.execute(sa.insert(MARKED).from_select(["seq", "chain"], chosen))
    rows = connection.execute(sa.select(MARKED.c.seq, MARKED.c.chain).order_by(MARKED.c.seq))
    return contiguous_runs((row.seq, row.chain) for row in rows)


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
