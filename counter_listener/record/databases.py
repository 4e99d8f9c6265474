"""The databases that can hold a record, and which one a location or a connection belongs to."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from counter_listener.domain import Sentence
from counter_listener.record import sqlite
from counter_listener.record.files import is_server, record_file
from counter_listener.record.rows import Columns
from counter_listener.record.sqlite import Mode


class Database(Protocol):
    """Where a record is."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def place(self) -> Path:
        """The file of the record or, where it has none, a name beside which lies what belongs to it."""

    @property
    def may_be_empty(self) -> bool:
        """Whether an empty one is made a record whoever opens it: somebody made it for one."""

    def errors(self) -> AbstractContextManager[None]:
        """Turns errors of the database into a RecordError about it."""

    def open(self, *, create: bool) -> sa.Connection:
        """A connection with all settings. Raises RecordError."""

    def second_connection(self) -> sa.Connection:
        """A connection for another thread."""

    def begin(self, connection: sa.Connection, mode: Mode) -> AbstractContextManager[None]:
        """A transaction."""

    def size(self, connection: sa.Connection) -> int:
        """Bytes that it takes on the disk."""

    def clean(self, connection: sa.Connection) -> None:
        """What is left to do after a purge."""

    def backup(self, connection: sa.Connection, path: Path, beside: Sequence[tuple[Path, Path]]) -> None:
        """Copies the record to a new file, and what lies beside it. Raises RecordError."""


class Dialect(Protocol):
    """What each database has its own statements for: the modules sqlite and postgres."""

    def table_names(self, connection: sa.Connection) -> Sequence[str]: ...
    def make_newest(self, connection: sa.Connection) -> bool: ...
    def insert(self, connection: sa.Connection, table: sa.TableClause, rows: Sequence[Columns]) -> None: ...
    def look_up_by_index(self, connection: sa.Connection) -> None: ...
    def remove(self, connection: sa.Connection, statements: Sequence[sa.Delete]) -> None: ...
    def rows_between(
        self, connection: sa.Connection, table: sa.TableClause, after: object, until: int, count: int
    ) -> list[tuple[Any, ...]]: ...
    def damage(self, connection: sa.Connection) -> Sentence | None: ...
    def parts(self, connection: sa.Connection) -> dict[str, str]: ...
    def empty_database(self, connection: sa.Connection) -> AbstractContextManager[sa.Connection]: ...
    def closed_visits(
        self, connection: sa.Connection, after: int, count: int
    ) -> Sequence[sa.Row[*tuple[Any, ...]]]: ...
    def deciding_reviews(
        self, connection: sa.Connection, after: int, until: int
    ) -> Sequence[sa.Row[*tuple[Any, ...]]]: ...
    def is_about_text(self, error: sa.exc.DBAPIError) -> bool: ...


def dialect_of(connection: sa.Connection) -> Dialect:
    """The statements for a connection."""
    if connection.dialect.name == "sqlite":
        return sqlite
    from counter_listener.record import postgres

    return postgres


def find_database(url_or_path: str | Path) -> Database:
    """The database that "sqlite:///FILE", a plain path or "postgresql://..." names. Raises RecordError."""
    if not is_server(url_or_path):
        return sqlite.SqliteDatabase(record_file(url_or_path))
    from counter_listener.record.postgres import postgres_database

    return postgres_database(str(url_or_path))
