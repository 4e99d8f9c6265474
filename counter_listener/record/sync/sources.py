"""The records that this one receives: how far each is here, and what was found wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import Sentence
from counter_listener.record.chain import START
from counter_listener.record.received import RECEIVED, Run, link_at, run_of
from counter_listener.record.rows import iso
from counter_listener.record.sync.wire import Position, sentence_json


@dataclass(frozen=True, slots=True)
class Source:
    """A record that is received. One that was put back from a backup, and accepted, is another source."""

    id: int
    record: str
    """Id of the record."""
    counter: str | None
    """Who sends it; None for a file that was merged."""
    begun: str
    seq: int
    """Number of its last row that is here."""
    chain: str
    since: int
    """Rows up to this one are those of the source before."""
    signing: str | None
    """The public key that signs it."""
    head: str | None
    """Its newest signed head; JSON."""
    state: str
    """`ok`, `rewritten`, `cut`, `replaced`, or `closed` once another source follows."""
    fault: str | None
    """What was found; a sentence as JSON."""

    @property
    def have(self) -> Position:
        """Its last row that is here."""
        return Position(self.seq, self.chain)


SOURCES: Final = sa.table("sources", *(sa.column(field.name) for field in fields(Source)))
OPEN: Final = SOURCES.c.state != "closed"


def source_of_record(connection: sa.Connection, record: str) -> Source | None:
    """The open source with this record."""
    query = sa.select(SOURCES).where(SOURCES.c.record == record, OPEN).order_by(SOURCES.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Source(*row)


def source_of_counter(connection: sa.Connection, counter: str) -> Source | None:
    """The newest open source that a counter sends."""
    query = sa.select(SOURCES).where(SOURCES.c.counter == counter, OPEN).order_by(SOURCES.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Source(*row)


def add_source(connection: sa.Connection, record: str, counter: str | None, now: datetime) -> Source:
    """A new source, of which nothing is here yet."""
    last = connection.execute(sa.select(sa.func.max(SOURCES.c.id))).scalar() or 0
    made = Source(last + 1, record, counter, iso(now), 0, START, 0, None, None, "ok", None)
    connection.execute(sa.insert(SOURCES).values(asdict(made)))
    return made


def change_source(connection: sa.Connection, source: Source, **values: object) -> None:
    """Changes columns of a source."""
    connection.execute(sa.update(SOURCES).where(SOURCES.c.id == source.id).values(values))


def mark_source(connection: sa.Connection, source: Source, state: str, fault: Sentence) -> None:
    """Notes what is wrong with a source; its rows stay."""
    change_source(connection, source, state=state, fault=sentence_json(fault))


def close_sources(connection: sa.Connection, counter: str) -> None:
    """Closes what was received of a counter: another record may follow."""
    connection.execute(sa.update(SOURCES).where(SOURCES.c.counter == counter).values(state="closed"))


def earlier(connection: sa.Connection, source: int) -> int | None:
    """The source before, with the same record."""
    record = sa.select(SOURCES.c.record).where(SOURCES.c.id == source).scalar_subquery()
    query = sa.select(sa.func.max(SOURCES.c.id)).where(SOURCES.c.record == record, SOURCES.c.id < source)
    return connection.execute(query).scalar()


def shared_link(connection: sa.Connection, source: int, seq: int) -> str | None:
    """The link of a row of a source, also of one that an earlier source brought; None if it is not here."""
    run = run_of(connection, source, seq) if seq else None
    before = earlier(connection, source) if run is not None and run.gone == "before" and run.last != seq else None
    return link_at(connection, source, seq) if before is None else shared_link(connection, before, seq)


def rows_here(connection: sa.Connection, source: int, first: int, last: int) -> list[tuple[int, int]]:
    """Where rows of a source stand here, as first and last number here, in order."""
    query = sa.select(RECEIVED).where(RECEIVED.c.source == source, RECEIVED.c.first <= last, RECEIVED.c.last >= first)
    found: list[tuple[int, int]] = []
    for run in [Run(*row) for row in connection.execute(query)]:
        low, high = max(first, run.first), min(last, run.last)
        before = earlier(connection, source) if run.gone == "before" else None
        if before is not None:
            found += rows_here(connection, before, low, high)
        elif run.here is not None:
            found.append((run.here + low - run.first, run.here + high - run.first))
    return sorted(found)
