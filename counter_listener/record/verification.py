"""Checks a record: its schema and guards, the chain of every row, the signed head, and an anchor kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from heapq import merge
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import RecordError, sentence
from counter_listener.record.chain import (
    Broken,
    LinkedRow,
    Tail,
    canonical_rows,
    follow_chain,
    purge_holes,
    row_number,
)
from counter_listener.record.databases import Database, dialect_of
from counter_listener.record.head_table import stored_head
from counter_listener.record.heads import Head, fingerprint
from counter_listener.record.purge import purge_details
from counter_listener.record.receipts import Receipt
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail
from counter_listener.record.schema_check import database_fault
from counter_listener.record.sqlite import Mode

PAGE: Final = 5_000
"""Rows a query: a writer waits for a few hundredths of a second at most."""

Anchor = Head | Receipt
"""What was signed earlier and is kept elsewhere: by the key of the record, or by a server that received it."""
Begin = Callable[[Mode], AbstractContextManager[sa.Connection]]
"""Begins a transaction of the record."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of verifying the record."""

    rows: int
    """Number of rows that are correct, recordings included."""
    broken: Broken | None
    tail: str
    """The link of the last row."""
    head: Head | None
    """The signed head, if its signature is valid."""
    anchor_purged: bool = False
    """Whether a purge has removed the row that was anchored."""
    last: int = 0
    """Number of the last row."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The record as it was when verifying began."""

    tail: Tail
    purges: tuple[str, ...]
    record: str | None
    """Its id; None before the schema that has one."""
    head: Head | None


def verify_record(begin: Begin, database: Database, anchor: Anchor | None) -> Verification:
    """Checks everything; the first fault is in the result. Rows that are appended meanwhile are left out.

    Raises RecordError if the file cannot be read, or if the signature of the anchor itself is not valid.
    """
    from counter_listener.record.signing import is_signature_valid  # cryptography: 0.1 s

    if anchor is not None and not is_signature_valid(anchor):
        raise RecordError("the anchor is forged or damaged: its signature is not valid; use another copy of it")
    with ThreadPoolExecutor(1) as pool:  # the database checks itself while Python follows the chain
        file = pool.submit(database_fault, database)
        try:
            snapshot = _snapshot(begin)
            holes = purge_holes(snapshot.purges)
            rows, broken = follow_chain(_linked_rows(begin, snapshot.tail[0]), holes)
            if broken and _purges(begin) != snapshot.purges:
                return verify_record(begin, database, anchor)  # a purge removed rows meanwhile
        except RecordError:
            if (fault := file.result()) is None:
                raise
            return Verification(0, fault, "", None)
        fault = file.result()
    head = snapshot.head if snapshot.head and is_signature_valid(snapshot.head) else None
    broken = broken or fault or _head_fault(snapshot, head)
    purged = False
    if anchor is not None and broken is None:
        broken, purged = _compare(begin, anchor, snapshot, holes)
    return Verification(rows, broken, snapshot.tail[1], head, purged, snapshot.tail[0])


def _stored_head(connection: sa.Connection) -> tuple[str | None, Head | None]:
    if "head" not in dialect_of(connection).table_names(connection):
        return None, None
    try:
        return stored_head(connection)
    except sa.exc.InvalidRequestError as error:
        raise RecordError("the signature of the record was removed or doubled") from error


def _snapshot(begin: Begin) -> _Snapshot:
    with begin("snapshot") as connection:
        record, head = _stored_head(connection)
        return _Snapshot(chain_tail(connection), tuple(purge_details(connection)), record, head)


def _purges(begin: Begin) -> tuple[str, ...]:
    with begin("read") as connection:
        return tuple(purge_details(connection))


def _linked_rows(begin: Begin, until: int) -> Iterator[LinkedRow]:
    tables = (_rows_of(begin, table, until) for table in (EVENTS, RECORDINGS))
    return merge(*tables, key=lambda row: row_number(row[0]))


def _rows_of(begin: Begin, table: sa.TableClause, until: int) -> Iterator[LinkedRow]:
    """The rows of a table up to a number."""
    names = tuple(table.c.keys())
    canonical, seq, chain = canonical_rows(names), names.index("seq"), names.index("chain")
    last: object = -(2**63)
    while True:
        with begin("read") as connection:
            rows = dialect_of(connection).rows_between(connection, table, last, until, PAGE)
        for row in rows:
            yield row[seq], row[chain], canonical(row)
        if len(rows) < PAGE:
            return
        last = rows[-1][seq]


def _head_fault(snapshot: _Snapshot, valid: Head | None) -> Broken | None:
    """What is wrong with the signature; nothing if the record was never signed."""
    head, (last, chain) = snapshot.head, snapshot.tail
    if head is None:
        return None
    if valid is None:
        return Broken(None, sentence("its signature is not valid: it was made for something else, or changed"))
    if last > head.seq:
        return Broken(head.seq + 1, sentence("not signed: it was added without the key"))
    if last < head.seq:
        return Broken(last + 1, sentence("missing, with all rows up to {last}, which are signed", last=head.seq))
    if chain != head.chain:
        return Broken(last, sentence("not the row that was signed: the chain was computed again"))
    return None


def _compare(
    begin: Begin, anchor: Anchor, snapshot: _Snapshot, holes: Mapping[int, Tail]
) -> tuple[Broken | None, bool]:
    """What an anchor finds in a record that is intact in itself, and whether a purge has removed the anchored row."""
    head, (last, _) = snapshot.head, snapshot.tail
    if snapshot.record != anchor.record:
        return Broken(None, sentence("it is another record than the one that was anchored")), False
    if head is None and isinstance(anchor, Head):
        return Broken(None, sentence("its signature was removed")), False
    if last < anchor.seq:
        why = sentence(
            "the record ends at row {last}, and row {seq} was anchored: its end was cut off, or an older copy was put"
            " back",
            last=last,
            seq=anchor.seq,
        )
        return Broken(None, why), False
    purged = [tail for first, tail in holes.items() if first <= anchor.seq <= tail[0]]
    links = [chain for end, chain in purged if end == anchor.seq]  # of the other removed rows the links are gone
    if not all(link == anchor.chain for link in (links if purged else [_link_at(begin, anchor.seq)])):
        return Broken(anchor.seq, sentence("not the row that was anchored: the record was computed again")), False
    if head is not None and isinstance(anchor, Head) and head.key != anchor.key:
        keys = {"now": fingerprint(head.key), "before": fingerprint(anchor.key)}
        return Broken(None, sentence("it is signed with the key {now}, and was anchored with {before}", **keys)), False
    return None, bool(purged)


def _link_at(begin: Begin, seq: int) -> str | None:
    with begin("read") as connection:
        rows = [
            connection.execute(sa.select(table.c.chain).where(table.c.seq == seq)) for table in (EVENTS, RECORDINGS)
        ]
        return next((chain for row in rows for chain in row.scalars()), None)
