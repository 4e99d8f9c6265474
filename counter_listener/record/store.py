"""The append-only record of events: append, read, verify, purge, backup.

In every database a commit is on the disk before it is acknowledged, and a writer takes a lock before it reads the end
of the chain, so that two writers build one chain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from counter_listener.domain import Event, RecordError
from counter_listener.record.chain import Tail, linked, row_number
from counter_listener.record.clips.folder import sweep_clips
from counter_listener.record.databases import Database, find_database
from counter_listener.record.head_table import key_for, replace_key, require_key, sign_end, stored_head
from counter_listener.record.heads import Head
from counter_listener.record.history import newest_visit
from counter_listener.record.judgements import (
    Judgement,
    judgement_row,
    judgement_stream,
    latest_judgement,
    replaced_streams,
)
from counter_listener.record.keeping import NEVER, Limits, Purged
from counter_listener.record.purge import kept_from, purge_rows, purgeable
from counter_listener.record.retention_file import holds_in_force
from counter_listener.record.rows import (
    Columns,
    Origin,
    Recording,
    RecordingRow,
    Row,
    event_from_row,
    event_rows,
    iso,
    recording_row,
    storable,
)
from counter_listener.record.schema import (
    EVENTS,
    RECORDINGS,
    SCHEMAS,
    WHEN,
    chain_tail,
    insert_rows,
    next_number,
    schema_version,
    upgrade_schema,
)
from counter_listener.record.sqlite import Mode
from counter_listener.record.verification import Anchor, Verification, verify_record

if TYPE_CHECKING:
    from counter_listener.record.signing import SigningKey

Answer = TypeVar("Answer")
TableRow = tuple[sa.TableClause, Columns]
"""A row without `seq` and `chain`, and its table."""
Append = Callable[[Sequence[TableRow]], int]
"""Appends rows after the end of the chain; returns the number of the first."""

PAGE: Final = 500
"""Rows per query, so that a slow reader does not block a writer."""


class Record:
    """An open record, made by open_record(). Every method raises RecordError if the database cannot be used."""

    def __init__(self, connection: sa.Connection, database: Database, key: "SigningKey | None" = None) -> None:
        self._connection = connection
        self._database = database
        self.key = key
        self._in_transaction = False
        self._tail: Tail | None = None  # of the chain, while transaction() holds the write lock
        self.path = database.place
        """The file that holds the record; where it has none, a name beside which lies what belongs to it."""
        self.name = database.name
        """What messages call the record."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What the block writes is on the disk when the block ends: all of it, or nothing after an error.

        One commit for many recordings, because the disk takes most of the time.
        """
        with self._begin("write"):
            self._in_transaction = True
            try:
                yield
            finally:
                self._in_transaction, self._tail = False, None

    def require_key(self) -> None:
        """Raises RecordError if the record is signed and its key is not open, so that nothing could be added."""
        self.query(lambda connection: require_key(connection, self.key))

    def append(self, events: Iterable[Event], origin: Origin, recorded: datetime) -> int:
        """Writes all events or none, and returns their number; they are on the disk when this returns.

        `recorded` is the present time. Raises ValueError for a time without a zone.
        """
        events = list(events)
        if not events:
            return 0
        with self._begin("write") as connection:
            first = next_number(connection, origin.stream)
            self._write(connection, recorded, event_rows(events, origin, recorded, first))
        return len(events)

    def add_recording(
        self,
        recording: Recording,
        events: Sequence[Event],
        origin: Origin,
        recorded: datetime,
        judgement: Judgement | None = None,
    ) -> bool:
        """Writes a recording and its events, all or none; returns false, and writes nothing, if it is known already.

        With `judgement`, how it was judged is written too. A judgement that is not the first is written for a known
        recording and replaces the previous one, whose verdicts stay as history. Raises ValueError for a time without a
        zone, or if the source of `origin` is another recording.
        """
        if origin.source != recording.sha256:
            raise ValueError("the origin's source is not this recording")
        with self._begin("write") as connection:
            before = latest_judgement(connection, recording.sha256)
            if (before.number + 1 if before else 1) != (judgement.number if judgement else 1):
                return False
            first = next_number(connection, origin.stream)
            head = [] if before else [recording_row(recording, origin, recorded)]
            note = []
            if judgement:
                number = next_number(connection, judgement_stream(recording.sha256))
                note = [judgement_row(judgement, before.stream if before else None, origin, recorded, number)]
            self._write(connection, recorded, [*note, *event_rows(events, origin, recorded, first)], head)
        return True

    def append_rows(self, make: Callable[[sa.Connection], list[Columns]], recorded: datetime) -> list[Row]:
        """Writes the rows that `make` returns, without `seq`, `uid` and `chain`: all, or none if it raises an error.

        It is called while nobody else can write, so that what it reads of the record holds until its rows are written.
        """
        with self._begin("write") as connection:
            rows = make(connection)
            numbers: dict[str, int] = {}
            for row in rows:
                stream = str(row["stream"])
                number = numbers.get(stream) or next_number(connection, stream)
                row["uid"], numbers[stream] = f"{stream}:{number}", number + 1
            return [Row(**columns) for columns in self._write(connection, recorded, rows)]

    def change(self, work: Callable[[sa.Connection, Append], Answer], recorded: datetime) -> Answer:
        """The result of `work`, which may write, also rows by the function it gets: all is on the disk, or nothing."""
        with self._begin("write") as connection:
            return work(connection, partial(self._append, connection, recorded))

    def at_once(self, ask: Callable[[sa.Connection], Answer]) -> Answer:
        """The result of `ask`, all of whose queries see the record at the same moment."""
        with self._begin("snapshot") as connection:
            return ask(connection)

    def latest_judgement(self, sha256: str) -> Judgement | None:
        """How the recording with this content was judged last; None if it is not in the record."""
        return self.query(lambda connection: latest_judgement(connection, sha256))

    def replaced_streams(self) -> frozenset[str]:
        """The streams whose verdicts are history, because their recordings were judged again."""
        return self.query(replaced_streams)

    def recordings(self) -> Iterator[RecordingRow]:
        """The recordings in the order in which they were written, a page at a time."""
        return (RecordingRow(*row) for row in self._pages(sa.select(RECORDINGS), RECORDINGS.c.seq))

    def read(
        self,
        *,
        visit: str | None = None,
        since: datetime | None = None,
        phrase: str | None = None,
        verdict: str | None = None,
        stream: str | None = None,
    ) -> Iterator[Row]:
        """Rows in the order in which they were written, a page at a time, with no lock between pages.

        `visit`, `phrase` and `stream` are ids; `since` selects what happened (or was recorded, if that is unknown) at
        that time or later. Verdicts that are history are included: see replaced_streams(). Raises ValueError for a
        time without a zone.
        """
        query = sa.select(EVENTS)
        wanted = {"visit": visit, "phrase": phrase, "verdict": verdict, "stream": stream}
        for name, value in wanted.items():
            query = query if value is None else query.where(EVENTS.c[name] == storable(value))
        if since is not None:
            query = query.where(iso(since) <= WHEN)
        return (Row(*row) for row in self._pages(query, EVENTS.c.seq))

    def events(self, stream: str) -> list[Event]:
        """The events of a stream."""
        return [event_from_row(row) for row in self.read(stream=stream)]

    def newest_visit(self, counter: str | None) -> list[Row]:
        """The rows of the last visit that was heard live at a counter, in order, then the last row of its stream."""
        return self.query(partial(newest_visit, counter=counter))

    def query(self, ask: Callable[[sa.Connection], Answer]) -> Answer:
        """The result of `ask` with the record's connection. It may keep temporary tables, but no lock."""
        with self._begin() as connection:
            return ask(connection)

    def verify(self, anchor: Anchor | None = None) -> Verification:
        """Checks file, guards, the chain of every row, the signed head, and what was anchored; tells the first fault.

        Raises RecordError also if the anchor itself is forged.
        """
        return verify_record(self._begin, self._database, anchor)

    def head(self, now: datetime) -> Head | None:
        """The signed head of the record, which is signed first if it never was and a key is open; else None."""
        with self._begin("write") as connection:
            return stored_head(connection)[1] or sign_end(connection, self.key, chain_tail(connection), now)

    def change_key(self, key_file: Path, now: datetime) -> Head:
        """Signs the record with the key in another file from now on, which is made if there is none; a row tells it."""
        with self._begin("write") as connection:
            self.key, head = replace_key(connection, key_file, now)
            return head

    def purge(self, before: datetime, recorded: datetime) -> int:
        """remove_old() with one limit for everything; the number of rows. Raises ValueError for a time without zone."""
        return self.remove_old(Limits(iso(before)), recorded).rows

    def remove_old(self, limits: Limits, recorded: datetime, note: Mapping[str, object] | None = None) -> Purged:
        """Removes what happened before its limit, but for what is under a hold, and tells how much.

        A visit goes as a whole once its last event is old enough, a recording once it has no events left and its end is
        old enough. What was recorded before the time, or has no other date, is old enough. A row, never purged, reports
        the purge with `note`, unless nothing was removed. Then a file is rewritten, so that it holds no byte of the
        removed rows; the free blocks of the disk are out of reach, and PostgreSQL overwrites its own in time.
        """
        with self._begin("write") as connection:
            purged = purge_rows(connection, limits, holds_in_force(connection, self.path), recorded, note or {})
            if purged.rows:
                sign_end(connection, self.key, chain_tail(connection), recorded)
        purged = replace(purged, clips=sweep_clips(self.path, self.query, recorded).total)
        try:
            with self._database.errors():
                self._database.clean(self._connection)
        except RecordError as error:
            raise RecordError(
                "the purge is done, but its traces stay in the file until the next purge, because {error}",
                error=error.sentence,
            ) from error
        return purged

    def would_remove(self, limits: Limits) -> Purged:
        """What remove_old() would remove now."""
        return self.query(lambda connection: purgeable(connection, limits, holds_in_force(connection, self.path)))

    def kept_from(self, visits: Limits, transcripts: Limits = NEVER) -> dict[str, float]:
        """For each recording, after a purge: the second from which on its transcript may be kept."""
        return self.query(lambda one: kept_from(one, visits, transcripts, holds_in_force(one, self.path)))

    def size(self) -> int:
        """Bytes on the disk."""
        return self.query(self._database.size)

    def is_newest(self) -> bool:
        """Whether it has the newest schema; it has, unless it was opened as it was."""
        return self.query(schema_version) == SCHEMAS[-1]

    def backup(self, path: Path, beside: Sequence[tuple[Path, Path]] = ()) -> None:
        """Copies the record to a new file, complete or not at all, while others write; for its owner alone.

        `beside`: what else belongs to it, and where to; the record gets its name last. PostgreSQL raises RecordError.
        """
        self._database.backup(self._connection, path, beside)

    def _pages(
        self, query: sa.Select[*tuple[Any, ...]], seq: sa.ColumnElement[int]
    ) -> Iterator[sa.Row[*tuple[Any, ...]]]:
        page = query.order_by(seq).limit(PAGE)
        while True:
            with self._begin() as connection:
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < PAGE:
                return
            page = query.where(seq > rows[-1].seq).order_by(seq).limit(PAGE)

    def _write(
        self, connection: sa.Connection, recorded: datetime, events: list[Columns], recordings: Sequence[Columns] = ()
    ) -> list[dict[str, Any]]:
        """Appends rows, recordings first, signs the new end, remembered in a transaction, and returns them."""
        rows = list(linked([*recordings, *events], self._tail or chain_tail(connection)))
        if not rows:
            return []
        insert_rows(connection, RECORDINGS, rows[: len(recordings)])
        insert_rows(connection, EVENTS, rows[len(recordings) :])
        tail = row_number(rows[-1]["seq"]), str(rows[-1]["chain"])
        sign_end(connection, self.key, tail, recorded)
        self._tail = tail if self._in_transaction else None
        return rows

    def _append(self, connection: sa.Connection, recorded: datetime, rows: Sequence[TableRow]) -> int:
        """Appends rows of both tables in their order, and signs the new end. Returns the number of the first."""
        tail = chain_tail(connection)
        complete = list(linked([columns for _, columns in rows], tail))
        for table in (RECORDINGS, EVENTS):
            insert_rows(connection, table, [row for row, (of, _) in zip(complete, rows, strict=True) if of is table])
        end = (row_number(complete[-1]["seq"]), str(complete[-1]["chain"])) if complete else tail
        sign_end(connection, self.key, end, recorded)
        return tail[0] + 1

    @contextmanager
    def _begin(self, mode: Mode = "read") -> Iterator[sa.Connection]:
        """A transaction, unless this record is in one already."""
        with self._database.errors():
            if self._in_transaction:
                yield self._connection
                return
            with self._database.begin(self._connection, mode):
                yield self._connection


@contextmanager
def open_record(
    url_or_path: str | Path, *, create: bool = True, key_file: Path | None = None, upgrade: bool = True
) -> Iterator[Record]:
    """The record in "sqlite:///FILE", a path or "postgresql://HOST/DATABASE", for one thread; upgraded if `upgrade`.

    With `create` a missing file and its folder are made. What is added is signed with the key in `key_file`, which is
    made if the record was never signed; without it, nothing can be added to a signed record. Raises RecordError.
    """
    database = find_database(url_or_path)
    with database.errors():
        connection = database.open(create=create)
    with connection:
        with database.errors():
            upgrade_schema(connection, database, create=create, upgrade=upgrade)
            with connection.begin():
                key = None if key_file is None else key_for(connection, key_file)
        yield Record(connection, database, key)
