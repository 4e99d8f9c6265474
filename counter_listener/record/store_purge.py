"""What a purge takes out of the record: the rows marked, then removed, in one transaction."""

from __future__ import annotations

import sqlalchemy as sa

from counter_listener.record.chain import Run, runs
from counter_listener.record.store_tables import EVENTS, RECORDINGS, WHEN

MARKED = sa.table("doomed", sa.column("seq"), sa.column("chain"))


def mark_for_removal(connection: sa.Connection, before: str) -> list[Run]:
    """Mark in a passing table what a purge shall take; the runs in it."""
    over = sa.select(EVENTS.c.visit).group_by(EVENTS.c.visit).having(sa.func.max(WHEN) < before)
    alone = EVENTS.c.visit.is_(None) & (EVENTS.c.stream != "purge") & (before > WHEN)
    marked = sa.select(MARKED.c.seq)
    left = sa.select(EVENTS.c.source).where(EVENTS.c.seq.not_in(marked))
    connection.exec_driver_sql("CREATE TEMPORARY TABLE doomed (seq INTEGER PRIMARY KEY, chain TEXT)")
    for table, old in (
        (EVENTS, EVENTS.c.visit.in_(over) | alone),
        (RECORDINGS, RECORDINGS.c.sha256.not_in(left) & (RECORDINGS.c.recorded < before)),
    ):
        chosen = sa.select(table.c.seq, table.c.chain).where(old)
        connection.execute(sa.insert(MARKED).from_select(["seq", "chain"], chosen))
    doomed = connection.execute(sa.select(MARKED.c.seq, MARKED.c.chain).order_by(MARKED.c.seq))
    return runs((row.seq, row.chain) for row in doomed)


def remove_marked(connection: sa.Connection) -> None:
    """The guards against removal are lifted inside the transaction, so no crash leaves them lifted."""
    ours = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"
    guards = connection.exec_driver_sql(ours).all()
    for guard in guards:
        connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
    for table in (EVENTS, RECORDINGS):
        connection.execute(sa.delete(table).where(table.c.seq.in_(sa.select(MARKED.c.seq))))
    for guard in guards:
        connection.exec_driver_sql(guard.sql)
