"""Whether the tables and guards are those of the version of the schema, and the database finds itself sound."""

from typing import Final

import sqlalchemy as sa

from counter_listener.domain import Sentence, sentence
from counter_listener.record.chain import Broken
from counter_listener.record.databases import Database, dialect_of
from counter_listener.record.derived import visits_fault
from counter_listener.record.schema import SCHEMAS, make_schema, schema_version

CHANGING: Final = ("CREATE TRIGGER", "CREATE TABLE", "TRIGGER", "TABLE", "RULE")
VISITS_SINCE: Final = "0005"
"""The schema that brought the table of visits."""
Parts = dict[str, str]
"""The statement that makes each table, index and trigger, by its name."""


def database_fault(database: Database) -> Broken | None:
    """The first fault of the database as a whole: damage, guards and tables that are not those of its version, or a
    table of visits that does not say what the rows say.

    It has a connection of its own, so that another thread can read the rows meanwhile. Raises RecordError.
    """
    with database.errors(), database.second_connection() as connection:
        return _fault(database, connection)


def _fault(database: Database, connection: sa.Connection) -> Broken | None:
    dialect = dialect_of(connection)
    if damage := dialect.damage(connection):
        return Broken(None, damage)
    version = schema_version(connection)
    if version not in SCHEMAS:
        return Broken(None, sentence("its schema has no version that is known"))
    found = dialect.parts(connection)
    with dialect.empty_database(connection) as empty:
        make_schema(empty, version)
        wanted = dialect.parts(empty)
    if fault := _difference(found, wanted):
        return Broken(None, fault)
    return visits_fault(database, connection, version) if version >= VISITS_SINCE else None


def _difference(found: Parts, wanted: Parts) -> Sentence | None:
    """How a schema differs from the one that is wanted. More indexes and views do no harm."""
    lost = sorted(wanted.keys() - found.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    added = sorted(name for name in found.keys() - wanted.keys() if found[name].upper().startswith(CHANGING))
    if lost:
        return sentence("the guards {names} were removed", names=", ".join(lost))
    if other:
        return sentence("the guards {names} were replaced by others", names=", ".join(other))
    return sentence("{names} were added, which its version does not have", names=", ".join(added)) if added else None
