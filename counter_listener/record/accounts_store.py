"""The file of the accounts and of what they practised: its tables, and transactions on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import RecordError
from counter_listener.record.files import make_folders, make_private, path_text
from counter_listener.record.sqlite import connect, record_errors

STEPS: Final = (
    (
        """CREATE TABLE accounts (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, counter TEXT, branch TEXT, password TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL, changed TEXT NOT NULL
)""",
        """CREATE TABLE tokens (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts (name), title TEXT NOT NULL,
    secret TEXT NOT NULL UNIQUE, created TEXT NOT NULL, used TEXT, ended TEXT
)""",
        "CREATE TABLE attempts (name TEXT NOT NULL, address TEXT NOT NULL, at TEXT NOT NULL)",
        "CREATE INDEX attempts_at ON attempts (at)",
    ),
    (
        """CREATE TABLE practice (
    account TEXT NOT NULL, dialogue TEXT NOT NULL, turn INTEGER NOT NULL, tries INTEGER NOT NULL,
    right INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (account, dialogue, turn)
)""",
    ),
    ("ALTER TABLE accounts ADD COLUMN region TEXT",),
)
"""What makes each version of the file from the one before; the first from an empty file."""
VERSION: Final = len(STEPS)
"""user_version of the file."""
APPLICATION: Final = 0x434C4143
"""application_id of the file, by which no other database is taken for one."""


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """The file, which is made when something is written to it first."""

    path: Path

    @contextmanager
    def begin(self, *, create: bool = False) -> Iterator[sa.Connection]:
        """A transaction on the file; while there is none, on an empty one in memory. Raises RecordError."""
        there = create or self.path.exists()
        with record_errors(path_text(self.path)):
            if create:
                make_folders(self.path)
            with connect(self.path if there else Path(":memory:")) as connection, connection.begin():
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                _prepare(connection, self.path)
                if create:
                    make_private(self.path)
                yield connection


def _prepare(connection: sa.Connection, path: Path) -> None:
    """Makes the tables that are lacking. Raises RecordError for a file that holds something else."""
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    empty = not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if not (empty and not version) and (application != APPLICATION or version > VERSION):
        raise RecordError("{path} holds no accounts of this version; move it away or update", path=path_text(path))
    if version == VERSION:
        return
    pragmas = (f"PRAGMA user_version = {VERSION}", f"PRAGMA application_id = {APPLICATION}")
    for statement in (*(each for step in STEPS[version:] for each in step), *pragmas):
        connection.exec_driver_sql(statement)
