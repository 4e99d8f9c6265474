"""The append-only record of events, kept in SQLite: append, read, verify, purge, backup.

A rollback journal with synchronous=FULL: a commit is on the disk before it is acknowledged, and a copied
file is whole. Every writer takes the write lock before it reads the end of the chain, so two writers make one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from counter_listener.domain import RecordError, Sentence, sentence, system_reason
from counter_listener.record.chain import START, Broken, Tail, Verification, holes, linked, number, walk
from counter_listener.record.judgements import BEYOND, PREFIX, Judgement, judgement_row, judgement_stream, replaced_by
from counter_listener.record.rows import (
    Columns,
    Origin,
    Recording,
    RecordingRow,
    Row,
    event_rows,
    iso,
    purge_row,
    recording_row,
    text,
)
from counter_listener.record.store_append import ENDS, insert, next_number, tail
from counter_listener.record.store_file import beside, prepare_file, record_file, shown, sqlite_cause
from counter_listener.record.store_judgements import judging_of
from counter_listener.record.store_purge import mark_for_removal, remove_marked
from counter_listener.record.store_schema import GUARDS, SETTINGS, must_upgrade, newest_schema
from counter_listener.record.store_tables import EVENTS, RECORDINGS, WHEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from counter_listener.domain import Event

    Rows = sa.Select[*tuple[Any, ...]]

Answer = TypeVar("Answer")

LIVE = "live"
"""The source of what was heard at a microphone."""
TIMEOUT = 5.0
"""Seconds to wait for another program that holds the record."""
PAGE = 500
"""Rows read at a time, so that a slow reader never keeps a writer waiting."""

KNOWN = sa.select(RECORDINGS.c.seq).where(RECORDINGS.c.sha256 == sa.bindparam("sha256"))


class Record:
    """An open record; open_store() makes it. Every method raises StoreError where the file fails it."""

    def __init__(self, connection: sa.Connection, path: Path) -> None:
        self._connection = connection
        self._together = False
        self._end: Tail | None = None  # of the chain, while the write lock is held
        self.path = path
        """The file that holds it."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in the block is on the disk when the block ends: all of it, or nothing.

        One commit for many recordings, for it is the disk that takes the time.
        """
        with self._transaction("BEGIN IMMEDIATE"):
            self._together = True
            try:
                yield
            finally:
                self._together, self._end = False, None

    def append(self, events: Iterable[Event], origin: Origin, recorded: datetime) -> int:
        """Write the events, all or none, and return how many; they are on the disk when this returns.

        `recorded` is now, with its zone. Raises ValueError for a time without one.
        """
        events = list(events)
        if not events:
            return 0
        with self._transaction("BEGIN IMMEDIATE") as connection:
            first = next_number(connection, origin.stream)
            insert(connection, EVENTS, self._chained(connection, event_rows(events, origin, recorded, first)))
        return len(events)

    def add_recording(
        self,
        recording: Recording,
        events: Sequence[Event],
        origin: Origin,
        recorded: datetime,
        judging: Judgement | None = None,
    ) -> bool:
        """Write a recording and its events, all or none; False, and nothing written, if it is known already.

        With `judging`, how it was judged is written too; one that is not the first is written where the recording is
        known, and replaces the one before, whose verdicts stay as history. Raises ValueError for a time without a
        zone, or if the origin's source is another recording.
        """
        if origin.source != recording.sha256:
            raise ValueError("the origin's source is not this recording")
        with self._transaction("BEGIN IMMEDIATE") as connection:
            before = judging_of(connection, recording.sha256)
            if (before.number + 1 if before else 1) != (judging.number if judging else 1):
                return False
            first = next_number(connection, origin.stream)
            head = [] if before else [recording_row(recording, origin, recorded)]
            note = []
            if judging:
                number = next_number(connection, judgement_stream(recording.sha256))
                note = [judgement_row(judging, before.stream if before else None, origin, recorded, number)]
            rows = self._chained(connection, [*head, *note, *event_rows(events, origin, recorded, first)])
            insert(connection, RECORDINGS, rows[: len(head)])
            insert(connection, EVENTS, rows[len(head) :])
        return True

    def judging(self, sha256: str) -> Judgement | None:
        """How the recording with this content was judged last; None if it is not in the record."""
        with self._transaction() as connection:
            return judging_of(connection, sha256)

    def holds_recordings(self) -> bool:
        """Whether there is any recording in the record."""
        with self._transaction() as connection:
            return connection.execute(ENDS[1]).first() is not None

    def replaced(self) -> frozenset[str]:
        """The streams whose verdicts are history, for their recordings were judged anew."""
        notes = sa.select(EVENTS.c.detail).where(EVENTS.c.stream >= PREFIX, EVENTS.c.stream < BEYOND)
        with self._transaction() as connection:
            told = connection.execute(notes).scalars().all()
        return frozenset(stream for stream in map(replaced_by, told) if stream)

    def recordings(self) -> Iterator[RecordingRow]:
        """The recordings in the order they were written, a page at a time."""
        return (RecordingRow(*row) for row in self._pages(sa.select(RECORDINGS), RECORDINGS.c.seq))

    def knows(self, sha256: str) -> bool:
        """Whether the recording with this content (SHA-256 in hex) is in the record."""
        with self._transaction() as connection:
            return connection.execute(KNOWN, {"sha256": sha256}).first() is not None

    def read(
        self,
        *,
        visit: str | None = None,
        since: datetime | None = None,
        phrase: str | None = None,
        verdict: str | None = None,
        stream: str | None = None,
    ) -> Iterator[Row]:
        """Rows in the order they were written, a page at a time, no lock held in between; see replaced().

        `visit`, `phrase` and `stream` are ids; `since` keeps what happened (or was recorded, where that is unknown) at
        or after it. Raises ValueError for a time without a zone.
        """
        wanted = sa.select(EVENTS)
        asked = {"visit": visit, "phrase": phrase, "verdict": verdict, "stream": stream}
        for column, value in ((EVENTS.c[name], value) for name, value in asked.items()):
            wanted = wanted if value is None else wanted.where(column == text(value))
        if since is not None:
            wanted = wanted.where(iso(since) <= WHEN)
        return (Row(*row) for row in self._pages(wanted, EVENTS.c.seq))

    def newest_visit(self, counter: str | None) -> list[Row]:
        """The rows of the last visit that was heard live at a counter, in order, then the newest of its stream."""
        live = sa.select(EVENTS).where(EVENTS.c.source == LIVE, EVENTS.c.counter.is_not_distinct_from(counter))
        newest = live.order_by(EVENTS.c.seq.desc()).limit(1)
        with self._transaction() as connection:
            last = connection.execute(newest).first()
            if last is None:
                return []
            of_visit = newest.where(EVENTS.c.stream == last.stream, EVENTS.c.visit.is_not(None))
            visit = connection.execute(of_visit).first()
            wanted = sa.select(EVENTS).where(EVENTS.c.visit == visit.visit if visit else EVENTS.c.seq == last.seq)
            rows = connection.execute(wanted.order_by(EVENTS.c.seq)).all()
        return [Row(*row) for row in (*rows, *(() if rows and rows[-1].seq == last.seq else (last,)))]

    def ask(self, question: Callable[[sa.Connection], Answer]) -> Answer:
        """What `question` finds out over the record's connection; it may keep passing tables, and no lock."""
        with self._transaction() as connection:
            return question(connection)

    def verify(self) -> Verification:
        """Follow the chain through every row, then ask SQLite whether the file is whole and its guards stand.

        Says how many rows are right and names the first that is not; what a chain cannot show is told in
        chain.py.
        """
        damage = self._damage()
        try:
            found = self._walk()
        except RecordError:
            if damage is None:
                raise
            found = Verification(0, None, START)
        return Verification(found.rows, found.broken or damage, found.head)

    def purge(self, before: datetime, recorded: datetime) -> int:
        """Remove what happened before a time, and return how many rows went (recordings counted).

        A visit goes whole, once its last event is old enough; where no wall time is known, the time of
        recording counts. A recording goes when it has no events left and is old enough itself. The purge
        writes a row that tells of it, never purged; where nothing goes, nothing is written. Afterwards the
        file is rewritten, so that no byte of what went is left in it; the disk's free blocks are not ours.
        Raises ValueError for a time without a zone.
        """
        told = {"before": iso(before)}
        with self._transaction("BEGIN IMMEDIATE") as connection:
            gone = mark_for_removal(connection, told["before"])
            rows = sum(last - first + 1 for first, last, _ in gone)
            if gone:
                _tell_of_purge(connection, {**told, "rows": rows, "runs": gone}, recorded)
                remove_marked(connection)
            connection.exec_driver_sql("DROP TABLE doomed")
        self._rewrite()
        return rows

    def backup(self, path: Path) -> None:
        """Copy the record to a new file, whole or not at all, while others write; for its owner alone."""
        with (
            _told(sentence("the backup {path} of {record}", path=shown(path), record=shown(self.path))),
            beside(path.absolute()) as part,
            self._connection.begin(),
        ):
            # as bytes, for a folder's name may be no UTF-8
            self._connection.exec_driver_sql("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(part),))

    def _rewrite(self) -> None:
        """A purge leaves user_version at 1 until its bytes are out of the file, so a crash cannot forget it."""
        try:
            with self._transaction() as connection:
                if connection.exec_driver_sql("PRAGMA user_version").scalar_one():
                    connection.exec_driver_sql("VACUUM")
                    connection.exec_driver_sql("PRAGMA user_version = 0")
        except RecordError as error:
            raise RecordError(
                "the purge is done but its traces stay until the next one, because {error}", error=error.sentence
            ) from error

    def _walk(self) -> Verification:
        """A purge that comes in between takes rows away before our eyes: then start again."""
        with self._transaction("BEGIN") as connection:
            until, _ = tail(connection)
            purges = _purges(connection)
        found = walk(
            merge(*(self._columns(table, until) for table in (EVENTS, RECORDINGS)), key=lambda row: number(row["seq"])),
            holes(purges),
        )
        with self._transaction() as connection:
            changed = _purges(connection) != purges
        return self._walk() if found.broken and changed else found

    def _damage(self) -> Broken | None:
        with self._transaction() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            there = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars()
            missing = sorted(GUARDS.difference(there))
        if said != "ok":
            return Broken(None, sentence("the file is damaged, for SQLite finds {said!r}", said=" ".join(said.split())))
        names = ", ".join(missing)
        return Broken(None, sentence("the guards {names} were taken away", names=names)) if missing else None

    def _columns(self, table: sa.TableClause, until: int) -> Iterator[Columns]:
        names = table.c.keys()
        for row in self._pages(sa.select(table).where(table.c.seq <= until), table.c.seq):
            yield dict(zip(names, row, strict=True))

    def _pages(self, wanted: Rows, seq: sa.ColumnElement[int]) -> Iterator[sa.Row[*tuple[Any, ...]]]:
        page = wanted.order_by(seq).limit(PAGE)
        while True:
            with self._transaction() as connection:
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < PAGE:
                return
            page = wanted.where(seq > rows[-1].seq).order_by(seq).limit(PAGE)

    def _chained(self, connection: sa.Connection, rows: Iterable[Columns]) -> list[Columns]:
        """The rows, following on the end of the chain, which is remembered while nobody else can write."""
        chained = list(linked(rows, self._end or tail(connection)))
        if self._together and chained:
            self._end = number(chained[-1]["seq"]), str(chained[-1]["chain"])
        return chained

    @contextmanager
    def _transaction(self, begin: str | None = None) -> Iterator[sa.Connection]:
        """The driver is kept from sending its own BEGIN: without ours, every statement stands alone."""
        with _told(shown(self.path)):
            if self._together:
                yield self._connection
                return
            try:
                with self._connection.begin():
                    if begin:
                        self._connection.exec_driver_sql(begin)
                    yield self._connection
            except BaseException:
                self._connection.connection.rollback()  # SQLAlchemy does not, where it was COMMIT that failed
                raise


@contextmanager
def open_record(url_or_path: str | Path, *, create: bool = True) -> Iterator[Record]:
    """The record in "sqlite:///FILE" or a plain path, brought to the newest schema; made, folder and all, if
    `create`. For one thread. Raises StoreError.
    """
    path = record_file(url_or_path)
    with _told(shown(path)):
        prepare_file(path, create=create)
        connection = _engine(path).connect()
    try:
        with _told(shown(path)):
            _settle(connection)
            _bring_up_to_date(connection, shown(path), create=create)
        yield Record(connection, path)
    finally:
        connection.close()


def _engine(path: Path) -> sa.Engine:
    return sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.NullPool,
        connect_args={"timeout": TIMEOUT, "isolation_level": None},
    )


def _settle(connection: sa.Connection) -> None:
    """Damaged text must not stop verify() from naming its row, nor a reader from printing the others."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
    with connection.begin():
        for setting in SETTINGS:
            connection.exec_driver_sql(f"PRAGMA {setting}")


def _bring_up_to_date(connection: sa.Connection, name: str, *, create: bool) -> None:
    with connection.begin():
        tables = _tables(connection)
        version = "SELECT version_num FROM alembic_version"
        schema = connection.exec_driver_sql(version).scalar() if "alembic_version" in tables else None
    if not must_upgrade(name, tables, schema, create=create):
        return
    with connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if tables or _tables(connection):
            from counter_listener.record.migrations import (
                upgrade,  # here, for 12 MB and 0.3 s that a ready record spares
            )

            upgrade(connection)
        else:
            for statement in newest_schema():
                connection.exec_driver_sql(statement)


def _tables(connection: sa.Connection) -> Sequence[str]:
    return connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()


@contextmanager
def _told(name: str | Sentence) -> Iterator[None]:
    """Turn what the driver or the system says into one sentence about `name`."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        raise RecordError(sqlite_cause(name, code, str(error.orig))) from error
    except UnicodeDecodeError as error:  # the driver fails to read what SQLite says of a damaged schema
        raise RecordError(sqlite_cause(name, sqlite3.SQLITE_CORRUPT, str(error))) from error
    except OSError as error:
        raise RecordError(
            "{name} cannot be used: {why}; see to its folder and rights.", name=name, why=system_reason(error)
        ) from error


def _purges(connection: sa.Connection) -> list[str]:
    told = sa.select(EVENTS.c.detail).where(EVENTS.c.stream == "purge").order_by(EVENTS.c.seq)
    return list(connection.execute(told).scalars())


def _tell_of_purge(connection: sa.Connection, detail: Columns, recorded: datetime) -> None:
    row = purge_row(detail, recorded, next_number(connection, "purge"))
    insert(connection, EVENTS, linked([row], tail(connection)))
    connection.exec_driver_sql("PRAGMA user_version = 1")
