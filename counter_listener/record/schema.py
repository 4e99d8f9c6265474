"""The tables of the record: brings a database to the newest schema, and appends rows."""

from collections.abc import Iterable
from dataclasses import fields
from operator import itemgetter
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import RecordError
from counter_listener.record.chain import START, Tail, row_number
from counter_listener.record.databases import Database, dialect_of
from counter_listener.record.manner_figures import FIGURES, MANNER_COLUMNS
from counter_listener.record.rows import Columns, RecordingRow, Row

TYPES: Final[dict[str, type[sa.types.TypeEngine[Any]]]] = {
    **dict.fromkeys(("seq", "reviewed", "quarter"), sa.BigInteger),
    **dict.fromkeys(
        (
            "passed",
            "passed_after",
            "lost",
            "lost_audio",
            "not_heard",
            "unknown",
            "forbidden",
            "broken",
            "doubtful",
            "kept",
        ),
        sa.Integer,
    ),
    **dict.fromkeys(("at", "score", "score_after", "opened", "seconds", *FIGURES, *MANNER_COLUMNS.values()), sa.Double),
}
"""The types of columns that hold no text, in every table."""


def column(name: str) -> sa.ColumnClause[Any]:
    """A column with its type."""
    return sa.column(name, TYPES.get(name, sa.Text))


EVENTS: Final = sa.table("events", *(column(field.name) for field in fields(Row)))
RECORDINGS: Final = sa.table("recordings", *(column(field.name) for field in fields(RecordingRow)))
WHEN: Final = sa.func.coalesce(EVENTS.c.wall, EVENTS.c.recorded)
"""When an event happened; if its wall time is unknown, when it was recorded."""

LAST_ROWS: Final = [
    sa.select(table.c.seq, table.c.chain).order_by(table.c.seq.desc()).limit(1) for table in (EVENTS, RECORDINGS)
]
LAST_NUMBER: Final = (
    sa.select(sa.cast(sa.func.substr(EVENTS.c.uid, sa.func.length(EVENTS.c.stream) + 2), sa.BigInteger))
    .where(EVENTS.c.stream == sa.bindparam("stream"))
    .order_by(EVENTS.c.seq.desc())
    .limit(1)
)

SCHEMAS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010")
"""Every schema that this program knows, oldest first: the revisions in migrations/versions."""


def upgrade_schema(connection: sa.Connection, database: Database, *, create: bool, upgrade: bool = True) -> None:
    """Brings a database to the newest schema, or with `upgrade` false only checks it.

    Raises RecordError if it is empty and `create` is false, if it belongs to another program, or if a newer version of
    this program wrote it.
    """
    name, dialect = database.name, dialect_of(connection)
    with connection.begin():
        tables = dialect.table_names(connection)
        schema = schema_version(connection) if "alembic_version" in tables else None
    if not tables and not create and not database.may_be_empty:
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
    with database.begin(connection, "write"):
        make_schema(connection, SCHEMAS[-1], empty=not (tables or dialect.table_names(connection)))


def make_schema(connection: sa.Connection, version: str, *, empty: bool = True) -> None:
    """Brings a database that is empty, or an older record, to a version of the schema, in a transaction."""
    if not (empty and version == SCHEMAS[-1] and dialect_of(connection).make_newest(connection)):
        from counter_listener.record.migrations import upgrade  # Alembic: 12 MB and 0.3 s

        upgrade(connection, version)


def schema_version(connection: sa.Connection) -> str | None:
    """The version of the schema that the file says it has."""
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def chain_tail(connection: sa.Connection) -> Tail:
    """The number and the link of the last row, of events and recordings together."""
    rows = [connection.execute(last).first() for last in LAST_ROWS]
    return max(((row_number(row.seq), row.chain) for row in rows if row), default=(0, START), key=itemgetter(0))


def next_number(connection: sa.Connection, stream: str) -> int:
    """The number of a stream's next event, from 1. The newest row has the highest number, even after a purge."""
    return int(connection.execute(LAST_NUMBER, {"stream": stream}).scalar() or 0) + 1


def insert_rows(connection: sa.Connection, table: sa.TableClause, rows: Iterable[Columns]) -> None:
    """Appends complete rows."""
    if listed := list(rows):
        dialect_of(connection).insert(connection, table, listed)
