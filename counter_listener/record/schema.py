"""The tables of the record: connects to a file, brings it to the newest schema, and appends rows."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import RecordError, Sentence
from counter_listener.record.chain import START, Tail, row_number
from counter_listener.record.files import file_errors, sqlite_reason
from counter_listener.record.rows import Columns, RecordingRow, Row

EVENTS: Final = sa.table("events", *(sa.column(field.name) for field in fields(Row)))
RECORDINGS: Final = sa.table("recordings", *(sa.column(field.name) for field in fields(RecordingRow)))
WHEN: Final = sa.func.coalesce(EVENTS.c.wall, EVENTS.c.recorded)
"""When an event happened; if its wall time is unknown, when it was recorded."""

LAST_ROWS: Final = [
    sa.select(table.c.seq, table.c.chain).order_by(table.c.seq.desc()).limit(1) for table in (EVENTS, RECORDINGS)
]
LAST_NUMBER: Final = (
    sa.select(sa.cast(sa.func.substr(EVENTS.c.uid, sa.func.length(EVENTS.c.stream) + 2), sa.Integer))
    .where(EVENTS.c.stream == sa.bindparam("stream"))
    .order_by(EVENTS.c.seq.desc())
    .limit(1)
)

SCHEMAS: Final = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every schema that this program knows, oldest first: the revisions in migrations/versions."""
SETTINGS: Final = ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON", "cache_size=-16000")
"""PRAGMAs of every connection. The cache, in kB, holds the ends of the indexes while thousands of rows are written."""
TIMEOUT: Final = 5.0
"""Seconds to wait for another program that has locked the record."""
NEWEST: Final = Path(__file__).parent / "migrations" / "newest.sql"
"""The statements that make an empty file a record of the newest schema, as the migrations do, without Alembic."""


@contextmanager
def record_errors(name: str | Sentence) -> Iterator[None]:
    """Turns an error of SQLite or of the system into a RecordError: one sentence about `name`."""
    with file_errors(name):
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            code = getattr(cause, "sqlite_errorcode", 0)
            raise RecordError(sqlite_reason(name, code, str(cause))) from error
        except UnicodeDecodeError as error:  # the driver cannot decode the message of SQLite about a damaged schema
            raise RecordError(sqlite_reason(name, sqlite3.SQLITE_CORRUPT, str(error))) from error


def connect(path: Path) -> sa.Connection:
    """A connection to a SQLite file, with no settings yet. The driver starts no transaction by itself."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.NullPool,
        # one thread at a time uses a connection, but not always the same one: see pool.py
        connect_args={"timeout": TIMEOUT, "isolation_level": None, "check_same_thread": False},
    )
    return engine.connect()


def configure(connection: sa.Connection) -> None:
    """Applies SETTINGS, and decodes damaged text, so that verify() can name its row and other rows can be read."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
    with connection.begin():
        for setting in SETTINGS:
            connection.exec_driver_sql(f"PRAGMA {setting}")


def upgrade_schema(connection: sa.Connection, name: str, *, create: bool, upgrade: bool = True) -> None:
    """Brings a file to the newest schema, or with `upgrade` false only checks it; `name` is the file in messages.

    Raises RecordError if the file is empty and `create` is false, if it belongs to another program, or if a newer
    version of this program wrote it.
    """
    with connection.begin():
        tables = _tables(connection)
        schema = schema_version(connection) if "alembic_version" in tables else None
    if not tables and not create:
        raise RecordError("{name} holds no record yet; name the file that does.", name=name)
    if tables and not {"events", "recordings", "alembic_version"}.issubset(tables):
        raise RecordError("{name} belongs to another program; give the record another name.", name=name)
    if tables and schema not in SCHEMAS:
        raise RecordError(
            "{name} was written by a newer version of this program ({schema!r}); update the program.",
            name=name,
            schema=schema,
        )
    if schema == SCHEMAS[-1] or not upgrade:
        return
    with connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        make_schema(connection, SCHEMAS[-1], empty=not (tables or _tables(connection)))


def make_schema(connection: sa.Connection, version: str, *, empty: bool = True) -> None:
    """Brings a database that is empty, or an older record, to a version of the schema, in a transaction."""
    if empty and version == SCHEMAS[-1]:
        for statement in NEWEST.read_text(encoding="utf-8").split("\n---\n"):
            connection.exec_driver_sql(statement)
    else:
        from counter_listener.record.migrations import upgrade  # Alembic: 12 MB and 0.3 s

        upgrade(connection, version)


def schema_version(connection: sa.Connection) -> str | None:
    """The version of the schema that the file says it has."""
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _tables(connection: sa.Connection) -> Sequence[str]:
    return connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()


def chain_tail(connection: sa.Connection) -> Tail:
    """The number and the link of the last row, of events and recordings together."""
    rows = [connection.execute(last).first() for last in LAST_ROWS]
    return max(((row_number(row.seq), row.chain) for row in rows if row), default=(0, START), key=itemgetter(0))


def next_number(connection: sa.Connection, stream: str) -> int:
    """The number of a stream's next event, from 1. The newest row has the highest number, even after a purge."""
    return int(connection.execute(LAST_NUMBER, {"stream": stream}).scalar() or 0) + 1


def insert_rows(connection: sa.Connection, table: sa.TableClause, rows: Iterable[Columns]) -> None:
    """Appends complete rows, with a statement of the driver: SQLAlchemy's own takes longer than SQLite's work.

    OR FAIL: a row that is refused leaves nothing to undo, and SQLite need not prepare for that (see v0003.py).
    """
    if listed := list(rows):
        names = table.c.keys()
        values = ", ".join(f":{name}" for name in names)
        connection.exec_driver_sql(f"INSERT OR FAIL INTO {table.name} ({', '.join(names)}) VALUES ({values})", listed)  # noqa: S608 - our own names
