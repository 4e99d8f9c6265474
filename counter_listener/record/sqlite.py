"""A record in a SQLite file: its connection and its errors, and all that no other database understands.

A rollback journal with synchronous=FULL: a commit is on the disk before it is acknowledged, and a copy of the file is
complete. Every writer takes the write lock before it reads the end of the chain, so that two writers build one chain.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from counter_listener.domain import RecordError, Sentence, sentence
from counter_listener.record.copies import copy_all, undone_on_failure
from counter_listener.record.files import file_errors, new_file, path_text, prepare_file, sqlite_reason
from counter_listener.record.rows import Columns

Mode = Literal["read", "snapshot", "write"]
"""What a transaction is for. `read`: each query sees what was committed before it; `snapshot`: all see the same."""
BEGIN: Final[dict[Mode, str | None]] = {"read": None, "snapshot": "BEGIN", "write": "BEGIN IMMEDIATE"}
"""Without a statement each query is a transaction of its own."""
SETTINGS: Final = ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON", "cache_size=-16000")
"""PRAGMAs of every connection. The cache, in kB, holds the ends of the indexes while thousands of rows are written."""
TIMEOUT: Final = 5.0
"""Seconds to wait for another program that has locked the record."""
NEWEST: Final = Path(__file__).parent / "migrations" / "newest.sql"
"""The statements that make an empty file a record of the newest schema, as the migrations do, without Alembic."""
REVIEWS: Final = """
SELECT seq, visit, score, json_extract(detail, '$.passed'), json_extract(detail, '$.unscored') FROM events
WHERE kind = 'review' AND json_extract(detail, '$.action') <> 'note' AND json_extract(detail, '$.blind') IS NULL
    AND visit IN (SELECT visit FROM events WHERE +kind = 'visit_closed' AND seq > ? AND seq <= ?) ORDER BY seq
"""
"""The reviews that decide something, as the trigger `visits_reviewed` knows them. With a plus SQLite goes along rows;
by the index of kinds it would look at all visits for each page."""


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


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """A record in a file."""

    place: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return path_text(self.place)

    @property
    def may_be_empty(self) -> bool:
        """A name that was mistyped makes an empty file."""
        return False

    def errors(self) -> AbstractContextManager[None]:
        """Turns errors into a RecordError about it."""
        return record_errors(self.name)

    def open(self, *, create: bool) -> sa.Connection:
        """A connection with all settings; with `create` the file is made. Raises RecordError, OSError."""
        prepare_file(self.place, create=create)
        connection = connect(self.place)
        configure(connection)
        return connection

    def second_connection(self) -> sa.Connection:
        """A connection for another thread, which decodes no damaged text."""
        return connect(self.place)

    @contextmanager
    def begin(self, connection: sa.Connection, mode: Mode) -> Iterator[None]:
        """A transaction."""
        try:
            with connection.begin():
                if statement := BEGIN[mode]:
                    connection.exec_driver_sql(statement)
                yield
        except BaseException:
            connection.connection.rollback()  # SQLAlchemy does not, if COMMIT failed
            raise

    def size(self, _connection: sa.Connection) -> int:
        """Bytes of the file. Raises OSError."""
        return self.place.stat().st_size

    def clean(self, connection: sa.Connection) -> None:
        """Rewrites the file after a purge, also one that a crash ended, so that it holds no byte of removed rows."""
        with self.begin(connection, "read"):
            if connection.exec_driver_sql("PRAGMA user_version").scalar_one():
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA user_version = 0")

    def backup(self, connection: sa.Connection, path: Path, beside: Sequence[tuple[Path, Path]]) -> None:
        """Copies the record to a new file, and what lies beside it, complete or not at all.

        The record gets its name last, so a backup that has it is complete.
        """
        about = sentence("the backup {path} of {record}", path=path_text(path), record=self.name)
        with record_errors(about), undone_on_failure() as undo, new_file(path.absolute()) as part:
            with connection.begin():
                # as bytes, for the name of a folder may not be valid UTF-8
                connection.exec_driver_sql("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(part),))
            copy_all(beside, undo)  # after the record, which names versions of phrase sets that must be there


def table_names(connection: sa.Connection) -> Sequence[str]:
    """The names of all tables."""
    return connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()


def make_newest(connection: sa.Connection) -> bool:
    """Makes an empty file a record of the newest schema without Alembic, which takes 12 MB and 0.3 s."""
    for statement in NEWEST.read_text(encoding="utf-8").split("\n---\n"):
        connection.exec_driver_sql(statement)
    return True


def insert(connection: sa.Connection, table: sa.TableClause, rows: Sequence[Columns]) -> None:
    """Appends complete rows, with a statement of the driver: SQLAlchemy's own takes longer than SQLite's work.

    OR FAIL: a row that is refused leaves nothing to undo, and SQLite need not prepare for that (see v0003.py).
    """
    names = table.c.keys()
    values = ", ".join(f":{name}" for name in names)
    connection.exec_driver_sql(f"INSERT OR FAIL INTO {table.name} ({', '.join(names)}) VALUES ({values})", rows)  # noqa: S608 - our own names


def look_up_by_index(_connection: sa.Connection) -> None:
    """It always does."""


def remove(connection: sa.Connection, statements: Sequence[sa.Delete]) -> None:
    """Drops the delete guards, removes rows and restores the guards, in one transaction that a crash undoes.

    user_version is 1 until the file has been rewritten without the bytes of these rows.
    """
    connection.exec_driver_sql("PRAGMA user_version = 1")
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"
    guards = connection.exec_driver_sql(query).all()
    for guard in guards:
        connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
    for statement in statements:
        connection.execute(statement)
    for guard in guards:
        connection.exec_driver_sql(guard.sql)


def rows_between(
    connection: sa.Connection, table: sa.TableClause, after: object, until: int, count: int
) -> list[tuple[Any, ...]]:
    """Rows of a table in order, with statements of the driver: a million of them in a few seconds.

    Text is decoded by the driver alone unless some of it is damaged: half of the time.
    """
    names = ", ".join(table.c.keys())
    query = f"SELECT {names} FROM {table.name} WHERE seq <= ? AND seq > ? ORDER BY seq LIMIT {count}"  # noqa: S608 - our own names
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("not a connection to SQLite")
    lenient, driver.text_factory = driver.text_factory, str
    try:
        return driver.execute(query, (until, after)).fetchall()
    except sqlite3.OperationalError:
        driver.text_factory = lenient
        return driver.execute(query, (until, after)).fetchall()
    finally:
        driver.text_factory = lenient


def damage(connection: sa.Connection) -> Sentence | None:
    """What SQLite finds wrong with the file as a whole."""
    report = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    return (
        None
        if report == "ok"
        else sentence("the file is damaged: SQLite finds {said!r}", said=" ".join(report.split()))
    )


def parts(connection: sa.Connection) -> dict[str, str]:
    """The statement that makes each table, index and trigger, by its name."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    rows = connection.exec_driver_sql(query)  # in a damaged file a text may be of another type
    return {str(name): " ".join(str(sql).split()) for name, sql in rows}


@contextmanager
def empty_database(_connection: sa.Connection) -> Iterator[sa.Connection]:
    """A connection to an empty database, which is gone after the block."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"isolation_level": None})
    with engine.begin() as connection:
        yield connection


def closed_visits(connection: sa.Connection, after: int, count: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The rows that the trigger `visits_closed` writes, each at the time of its close; the first ones behind a row."""
    statements = NEWEST.read_text(encoding="utf-8").split("\n---\n")
    (trigger,) = (statement for statement in statements if "CREATE TRIGGER visits_closed" in statement)
    select = trigger.partition("INSERT INTO visits")[2].rpartition(";")[0].replace("NEW.", "closed.")
    columns, where = select.rsplit("WHERE", 1)
    before = columns.replace("fault.visit = closed.visit", "fault.visit = closed.visit AND fault.seq <= closed.seq")
    query = f"{before} FROM events AS closed WHERE +closed.kind = 'visit_closed' AND {where} AND closed.seq > ?"
    return connection.exec_driver_sql(f"{query} ORDER BY closed.seq LIMIT {count}", (after,)).all()


def deciding_reviews(connection: sa.Connection, after: int, until: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The reviews that decide something of the visits that were closed by these rows."""
    return connection.exec_driver_sql(REVIEWS, (after, until)).all()


def is_about_text(error: sa.exc.DBAPIError) -> bool:
    """Whether damaged text in a row caused an error."""
    return any(reason in str(error.orig) for reason in ("malformed JSON", "decode to UTF-8"))
