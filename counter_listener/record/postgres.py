"""A record in PostgreSQL, for a server: its connection and its errors, and all that no other database understands.

A writer takes an advisory lock before it reads the end of the chain, so that many writers build one chain. A connection
that died is opened again with the next transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import N_, RecordError, Sentence, sentence
from counter_listener.record.files import file_errors, record_file, server_name
from counter_listener.record.rows import Columns
from counter_listener.record.sqlite import Mode

LOCK: Final = 0x434C5245
"""The key of the advisory lock of writers; such locks belong to one database."""
PATIENCE: Final = 60
"""Seconds to wait for another writer: many counters send at once."""
CONNECT_TIMEOUT: Final = 10
"""Seconds."""
BEGIN: Final[dict[Mode, str]] = {
    "read": "SELECT 1",
    "snapshot": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "write": f"SELECT set_config('lock_timeout', '{PATIENCE}s', true), pg_advisory_xact_lock({LOCK})",
}
"""The first statement of a transaction, which also shows whether the connection is alive."""
SETTINGS: Final = "-c synchronous_commit=on -c timezone=UTC -c datestyle=ISO -c jit=off"
"""A commit is on the disk before it is acknowledged, whatever the server's own settings are. To compile a query took
longer than any of ours takes."""
BY_STATE: Final = {
    "28": N_("{name}: the server refuses this user ({said}); check the user, the password and pg_hba.conf."),
    "3D": N_("{name}: the server has no such database; make it with createdb, encoded in UTF8."),
    "42501": N_("{name}: this user may not do that ({said}); make it the owner of the database."),
    "53100": N_("the disk of the server has no room left for {name}; free some space and try again."),
    "53": N_("{name}: the server has no room for one more ({said}); try again later."),
    "55P03": N_("{name} is locked by another program; try again when that program has finished."),
    "25006": N_("{name} is read-only; name the server that takes changes."),
    "40": N_("{name}: two programs were in each other's way; try again."),
    "57": N_("{name}: the server was stopped ({said}); try again when it runs."),
    "08": N_("{name}: the connection to the server was lost ({said}); try again."),
}
"""By the beginning of an error code of PostgreSQL."""
REFUSALS: Final = {"password": "28", "role": "28", "pg_hba": "28", "database": "3D", "too many": "53"}
"""Words of the server while a connection is made, which has no error code, in order."""
UNREACHED: Final = N_("{name}: the server cannot be reached ({said}); check the host, the port and the network.")
OTHER_CAUSE: Final = N_("{name} cannot be used: PostgreSQL reports {said!r}.")
NO_DRIVER: Final = N_("A record in PostgreSQL needs the extra: pip install 'counter-listener[postgres]'.")
WRONG_ENCODING: Final = N_("{name} is encoded in {encoding}; make a database with UTF8.")
NO_BACKUP: Final = N_("{name} is backed up with pg_dump, which runs while others write; docs/it.md shows how.")
WRONG_URL: Final = N_("{name} names no database; write postgresql://USER@HOST/DATABASE.")


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A record in a database of a server."""

    url: sa.URL
    name: str
    """What messages call it: without a password."""
    place: Path
    """A name in the data folder: accounts, phrase sets and transcripts lie beside it."""

    @property
    def may_be_empty(self) -> bool:
        """Somebody made the database for a record."""
        return True

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns errors into a RecordError about it."""
        with file_errors(self.name):
            try:
                yield
            except sa.exc.DBAPIError as error:
                raise RecordError(reason(self.name, error.orig)) from error

    def open(self, *, create: bool) -> sa.Connection:  # noqa: ARG002 - the database must be there; its tables are made
        """A connection with all settings. Raises RecordError."""
        connection = self.second_connection()
        with connection.begin():
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            connection.close()
            raise RecordError(WRONG_ENCODING, name=self.name, encoding=encoding)
        return connection

    def second_connection(self) -> sa.Connection:
        """A connection for another thread."""
        try:
            engine = sa.create_engine(
                self.url,
                poolclass=sa.NullPool,
                connect_args={
                    "options": SETTINGS,
                    "application_name": "counter-listener",
                    "connect_timeout": CONNECT_TIMEOUT,
                },
            )
        except ModuleNotFoundError as error:
            raise RecordError(NO_DRIVER) from error
        return engine.connect()

    @contextmanager
    def begin(self, connection: sa.Connection, mode: Mode) -> Iterator[None]:
        """A transaction."""
        with _living(connection, BEGIN[mode]):
            yield

    def size(self, connection: sa.Connection) -> int:
        """Bytes that the database takes on the disk of the server."""
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())

    def clean(self, connection: sa.Connection) -> None:
        """Gives the space of removed rows free. The server overwrites their bytes when it needs the space."""
        with connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as own:
            own.exec_driver_sql("VACUUM (ANALYZE) events, recordings, visits")

    def backup(self, _connection: sa.Connection, _path: Path, _beside: Sequence[tuple[Path, Path]]) -> None:
        """Raises RecordError: the server has its own way."""
        raise RecordError(NO_BACKUP, name=self.name)


def postgres_database(url: str) -> PostgresDatabase:
    """The database that a URL names. Raises RecordError."""
    name = server_name(url)
    try:
        parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError):
        raise RecordError(WRONG_URL, name=name) from None  # its message holds the URL, and so the password
    if not parsed.database:
        raise RecordError(WRONG_URL, name=name)
    return PostgresDatabase(parsed, name, record_file(url))


def reason(name: str, error: BaseException | None) -> Sentence:
    """The sentence for an error of PostgreSQL."""
    said = " ".join(str(error).split())
    state = getattr(error, "sqlstate", None)
    if state is None and type(error).__name__ == "OperationalError":
        told = next((state for word, state in REFUSALS.items() if "FATAL" in said and word in said), None)
        return sentence(BY_STATE[told] if told else UNREACHED, name=name, said=said)
    text = next((text for start, text in BY_STATE.items() if (state or "").startswith(start)), OTHER_CAUSE)
    return sentence(text, name=name, said=said)


def _living(connection: sa.Connection, first: str) -> sa.Transaction:
    """A transaction that has begun with a statement. A connection that proves dead is opened again, once."""
    transaction = connection.begin()
    try:
        connection.exec_driver_sql(first)
    except sa.exc.DBAPIError as error:
        transaction.rollback()
        if not error.connection_invalidated:
            raise
        transaction = connection.begin()
        try:
            connection.exec_driver_sql(first)
        except BaseException:
            transaction.rollback()
            raise
    return transaction


def table_names(connection: sa.Connection) -> Sequence[str]:
    """The names of all tables that are found without the name of a schema."""
    query = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid)"
    query += " AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    return connection.exec_driver_sql(query).scalars().all()


def make_newest(_connection: sa.Connection) -> bool:
    """Nothing: Alembic makes it."""
    return False


def insert(connection: sa.Connection, table: sa.TableClause, rows: Sequence[Columns]) -> None:
    """Appends complete rows by COPY, which takes a fraction of the time of INSERT."""
    import psycopg

    names = table.c.keys()
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise sa.exc.DBAPIError("COPY", None, error) from error


def look_up_by_index(connection: sa.Connection) -> None:
    """Makes the planner prefer indexes in this transaction.

    While a record has few streams, the planner expects that one of the first rows matches, and scans the table: to its
    end, if there is no such stream.
    """
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")


def remove(connection: sa.Connection, statements: Sequence[sa.Delete]) -> None:
    """Removes rows with the delete guards off, which keeps no reader waiting; a crash undoes it."""
    for switch in ("DISABLE", "ENABLE"):
        if switch == "ENABLE":
            for statement in statements:
                connection.execute(statement)
        for table in ("events", "recordings"):
            connection.exec_driver_sql(f"ALTER TABLE {table} {switch} TRIGGER {table}_no_delete")


def rows_between(
    connection: sa.Connection, table: sa.TableClause, after: object, until: int, count: int
) -> list[tuple[Any, ...]]:
    """Rows of a table in order, with statements of the driver: SQLAlchemy's own take twice as long."""
    names = ", ".join(table.c.keys())
    query = f"SELECT {names} FROM {table.name} WHERE seq <= %s AND seq > %s ORDER BY seq LIMIT {count}"  # noqa: S608 - our own names
    return [tuple(row) for row in connection.exec_driver_sql(query, (until, after)).cursor.fetchall()]


def damage(_connection: sa.Connection) -> Sentence | None:
    """Nothing: the server looks after its files."""
    return None


PARTS: Final = """
SELECT relname || '.' || attname,
    concat_ws(' ', 'table', format_type(atttypid, atttypmod), attnotnull::text, collname, attnum)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_collation ON pg_collation.oid = attcollation
WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND relnamespace = current_schema()::regnamespace
UNION ALL SELECT conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
UNION ALL SELECT relname, pg_get_indexdef(pg_class.oid) FROM pg_class
WHERE relkind = 'i' AND relnamespace = current_schema()::regnamespace
UNION ALL SELECT tgname, 'trigger ' || tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid, true)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
UNION ALL SELECT proname, 'function ' || pg_get_functiondef(oid) FROM pg_proc
WHERE prokind = 'f' AND pronamespace = current_schema()::regnamespace
UNION ALL SELECT rulename, 'rule ' || definition FROM pg_rules WHERE schemaname = current_schema()
"""
"""What the schema consists of, each part with its definition. A trigger that is switched off has another one."""


def parts(connection: sa.Connection) -> dict[str, str]:
    """The definition of each part of the schema, by its name."""
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema()) || '.'").scalar_one()
    return {name: " ".join(text.replace(schema, "").split()) for name, text in connection.exec_driver_sql(PARTS)}


@contextmanager
def empty_database(connection: sa.Connection) -> Iterator[sa.Connection]:
    """The connection with an empty schema, which is gone after the block."""
    connection.rollback()
    with connection.begin() as transaction:
        connection.exec_driver_sql("CREATE SCHEMA counter_listener_wanted")
        connection.exec_driver_sql("SET LOCAL search_path = counter_listener_wanted")
        yield connection
        transaction.rollback()


def closed_visits(connection: sa.Connection, after: int, count: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The rows that the trigger `visits_closed` writes, each at the time of its close; the first ones behind a row."""
    query = "SELECT made.* FROM events AS closed, LATERAL visit_of(closed) AS made"
    query += f" WHERE closed.kind = 'visit_closed' AND closed.seq > %s ORDER BY closed.seq LIMIT {count}"
    return connection.exec_driver_sql(query, (after,)).all()


def deciding_reviews(connection: sa.Connection, after: int, until: int) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The reviews that decide something of the visits that were closed by these rows."""
    query = (
        "SELECT seq, visit, score, detail_flag(detail, '$.passed'), detail_flag(detail, '$.unscored') FROM events"
        " WHERE decides(events) AND visit IN"
        " (SELECT visit FROM events WHERE kind = 'visit_closed' AND seq > %s AND seq <= %s) ORDER BY seq"
    )
    return connection.exec_driver_sql(query, (after, until)).all()


def is_about_text(error: sa.exc.DBAPIError) -> bool:
    """Whether text in a row that somebody changed caused an error."""
    return str(getattr(error.orig, "sqlstate", "")).startswith("22")
