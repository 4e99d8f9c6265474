"""Where the rows of other records stand in this one: runs of rows, by which the chain of a source can be followed.

The rows themselves are in `events` and `recordings`. A run keeps the link of its last row at the source, so that rows
can leave this record by a purge and the chain of the source can still be checked across the hole.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any, Final, Literal

import sqlalchemy as sa

from counter_listener.record.chain import START, link
from counter_listener.record.rows import Columns
from counter_listener.record.schema import EVENTS, RECORDINGS

Gone = Literal["claimed", "purged", "here", "before"]


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of a source that follow each other there and here."""

    source: int
    first: int
    """Numbers at the source."""
    last: int
    chain: str
    """Link of the last row at the source."""
    here: int | None
    """Number of the first row here."""
    gone: Gone | None = None
    """Why none of these rows is here."""

    @property
    def end(self) -> int:
        """Number of the last row here; 0 if none is here."""
        return 0 if self.here is None else self.here + self.last - self.first


RECEIVED: Final = sa.table("received", *(sa.column(field.name) for field in fields(Run)))
RENAMED: Final = sa.table("renamed", sa.column("here"), sa.column("original"))


def run_of(connection: sa.Connection, source: int, seq: int) -> Run | None:
    """The run with a row of a source."""
    query = sa.select(RECEIVED).where(RECEIVED.c.source == source, RECEIVED.c.first <= seq)
    row = connection.execute(query.order_by(RECEIVED.c.first.desc()).limit(1)).first()
    return None if row is None or row.last < seq else Run(*row)


def source_at(here: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """The source of a row of this record, as an expression; None if it was written here."""
    covers = RECEIVED.c.here + RECEIVED.c.last - RECEIVED.c.first >= here
    run = sa.select(sa.case((covers, RECEIVED.c.source))).where(RECEIVED.c.here <= here)
    return run.order_by(RECEIVED.c.here.desc()).limit(1).scalar_subquery()


def add_run(connection: sa.Connection, run: Run) -> None:
    """Adds a run, or lengthens the last one of the source if it goes on from there."""
    before = run_of(connection, run.source, run.first - 1) if run.first > 1 else None
    goes_on = before is not None and before.here is not None and run.here == before.end + 1
    if before is None or not goes_on:
        connection.execute(sa.insert(RECEIVED).values(_columns(run)))
        return
    same = (RECEIVED.c.source == run.source, RECEIVED.c.first == before.first)
    connection.execute(sa.update(RECEIVED).where(*same).values(last=run.last, chain=run.chain))


def originals(connection: sa.Connection, run: Run, first: int, last: int) -> Iterator[Columns]:
    """The rows `first` to `last` of a run as they are at the source, without the link."""
    if run.here is None:
        return
    shift = run.here - run.first
    low, high = first + shift, last + shift
    renamed = {
        int(row.here): json.loads(row.original)
        for row in connection.execute(sa.select(RENAMED).where(RENAMED.c.here.between(low, high)))
    }
    found: dict[int, Columns] = {}
    for table in (EVENTS, RECORDINGS):
        query = sa.select(table).where(table.c.seq.between(low, high))
        for row in connection.execute(query):
            columns = {**row._mapping, **renamed.get(row.seq, {}), "seq": row.seq - shift}  # noqa: SLF001 - the row as a mapping
            del columns["chain"]
            found[row.seq] = columns
    yield from (found[seq] for seq in sorted(found))


def link_at(connection: sa.Connection, source: int, seq: int) -> str | None:
    """The link of a row of a source; None if the row, and with it the link, left this record by a purge."""
    if seq == 0:
        return START
    run = run_of(connection, source, seq)
    if run is None:
        return None
    if run.last == seq:
        return run.chain
    return None if run.here is None else _links(connection, run, (seq,))[0]


def forget_rows(connection: sa.Connection, removed: Sequence[tuple[int, int]]) -> None:
    """Notes that rows are about to leave this record, given as first and last number here, in order."""
    for first, last in removed:
        for run in _runs_here(connection, first, last):
            _cut(connection, run, max(first, run.here or 0), min(last, run.end))
        connection.execute(sa.delete(RENAMED).where(RENAMED.c.here.between(first, last)))


def _runs_here(connection: sa.Connection, first: int, last: int) -> list[Run]:
    before = connection.execute(sa.select(sa.func.max(RECEIVED.c.here)).where(RECEIVED.c.here <= first)).scalar()
    query = sa.select(RECEIVED).where(RECEIVED.c.here.between(first if before is None else before, last))
    runs = [Run(*row) for row in connection.execute(query.order_by(RECEIVED.c.here))]
    return [run for run in runs if run.end >= first]


def _cut(connection: sa.Connection, run: Run, first: int, last: int) -> None:
    """Puts a hole into a run: rows `first` to `last` of this record."""
    here = run.here or 0
    begin, end = run.first + first - here, run.first + last - here
    ends = [seq for seq in (begin - 1, end) if run.first <= seq < run.last]
    links = dict(zip(ends, _links(connection, run, ends), strict=True)) | {run.last: run.chain}
    parts = []
    if begin > run.first:
        parts.append(replace(run, last=begin - 1, chain=links[begin - 1]))
    parts.append(Run(run.source, begin, end, links[end], None, "here"))
    if end < run.last:
        parts.append(replace(run, first=end + 1, here=last + 1))
    connection.execute(sa.delete(RECEIVED).where(RECEIVED.c.source == run.source, RECEIVED.c.first == run.first))
    connection.execute(sa.insert(RECEIVED), [_columns(part) for part in parts])


def _links(connection: sa.Connection, run: Run, wanted: Sequence[int]) -> list[str]:
    """The links of some rows of a run, which are computed from its beginning on."""
    if not wanted:
        return []
    before = run_of(connection, run.source, run.first - 1) if run.first > 1 else None
    previous = before.chain if before else START
    found: dict[object, str] = {}
    for row in originals(connection, run, run.first, max(wanted)):
        previous = link(previous, row)
        found[row["seq"]] = previous
    return [found.get(seq, "") for seq in wanted]  # a row that somebody removed has none: `events verify` tells


def _columns(run: Run) -> dict[str, Any]:
    return dict(zip((field.name for field in fields(run)), astuple(run), strict=True))
