"""The rows of this record that a server does not hold yet, as batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.chain import START, Tail, purge_holes, row_number
from counter_listener.record.head_table import stored_head
from counter_listener.record.purge import purge_details
from counter_listener.record.rows import Columns
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail
from counter_listener.record.sync.wire import Batch, Gone, Position

ROWS: Final = 500
"""Rows of a batch: about 300 kB."""


def next_batch(connection: sa.Connection, have: Position | None, rows: int = ROWS) -> Batch:
    """The rows after the last one that a server holds; without it, a batch that only asks for that.

    To be called in one transaction (Record.at_once): the end, the holes and the rows must fit together.
    """
    record, head = stored_head(connection)
    asked = Batch(record, Position(*chain_tail(connection)), None, head=head)
    if have is None or have.seq == asked.end.seq:
        return asked
    if have.seq > asked.end.seq:
        return replace(asked, after=have)  # the record was cut off: the server learns that its end is known here
    holes = purge_holes(purge_details(connection))
    after = Position(have.seq, link_of(connection, holes, have.seq))
    return replace(asked, after=after, items=list(_items(connection, holes, have.seq, rows)))


def link_of(connection: sa.Connection, holes: Mapping[int, Tail], seq: int) -> str | None:
    """The link of a row of this record; None if a purge took it away."""
    if seq == 0:
        return START
    for table in (EVENTS, RECORDINGS):
        found = connection.execute(sa.select(table.c.chain).where(table.c.seq == seq)).scalar()
        if found is not None:
            return str(found)
    return next((chain for last, chain in holes.values() if last == seq), None)


def _items(connection: sa.Connection, holes: Mapping[int, Tail], after: int, count: int) -> Iterator[Columns | Gone]:
    expected = after + 1
    for row in _rows(connection, after, count):
        seq = row_number(row["seq"])
        while expected < seq and (hole := _hole(holes, expected)) is not None:
            yield Gone(expected, *hole)
            expected = hole[0] + 1
        yield row
        expected = seq + 1


def _hole(holes: Mapping[int, Tail], seq: int) -> Tail | None:
    """The end of the hole with a row that is missing."""
    if seq in holes:
        return holes[seq]
    return next((tail for first, tail in holes.items() if first <= seq <= tail[0]), None)


def _rows(connection: sa.Connection, after: int, count: int) -> Sequence[Columns]:
    found: list[list[dict[str, Any]]] = []
    for table in (EVENTS, RECORDINGS):
        query = sa.select(table).where(table.c.seq > after).order_by(table.c.seq).limit(count)
        found.append([dict(row._mapping) for row in connection.execute(query)])  # noqa: SLF001 - the row as a mapping
    return list(merge(*found, key=lambda row: row_number(row["seq"])))[:count]
