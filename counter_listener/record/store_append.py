"""How rows are put at the end of the record: after which link, under which number."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from counter_listener.record.chain import START, Tail, number
from counter_listener.record.store_tables import EVENTS, RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counter_listener.record.rows import Columns

ENDS = [sa.select(table.c.seq, table.c.chain).order_by(table.c.seq.desc()).limit(1) for table in (EVENTS, RECORDINGS)]
NEWEST = (
    sa.select(sa.cast(sa.func.substr(EVENTS.c.uid, sa.func.length(EVENTS.c.stream) + 2), sa.Integer))
    .where(EVENTS.c.stream == sa.bindparam("stream"))
    .order_by(EVENTS.c.seq.desc())
    .limit(1)
)


def tail(connection: sa.Connection) -> Tail:
    """The last link of the chain."""
    ends = [connection.execute(end).first() for end in ENDS]
    return max(((number(end.seq), end.chain) for end in ends if end), default=(0, START), key=itemgetter(0))


def next_number(connection: sa.Connection, stream: str) -> int:
    """Number of a stream's next event, from 1; the newest row has the highest number, whatever a purge took."""
    return int(connection.execute(NEWEST, {"stream": stream}).scalar() or 0) + 1


def insert(connection: sa.Connection, table: sa.TableClause, rows: Iterable[Columns]) -> None:
    """Writes rows of all columns, by the driver's own statement: SQLAlchemy takes longer over them than SQLite does.

    OR FAIL, for a row that is refused leaves nothing to take back, and SQLite need not be ready to (see v0003.py).
    """
    if listed := list(rows):
        names = table.c.keys()
        values = ", ".join(f":{name}" for name in names)
        connection.exec_driver_sql(f"INSERT OR FAIL INTO {table.name} ({', '.join(names)}) VALUES ({values})", listed)  # noqa: S608 - our own names
