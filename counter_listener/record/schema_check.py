"""Whether the file has the tables and guards that its version of the schema has, and SQLite finds it sound."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import Sentence, sentence
from counter_listener.record.chain import Broken
from counter_listener.record.derived import visits_fault
from counter_listener.record.files import path_text
from counter_listener.record.schema import SCHEMAS, connect, make_schema, record_errors, schema_version

CHANGING: Final = ("CREATE TRIGGER", "CREATE TABLE")
Parts = dict[str, str]
"""The statement that makes each table, index and trigger, by its name."""


def file_fault(path: Path) -> Broken | None:
    """The first fault of the file as a whole: damage, guards and tables that are not those of its version, or a table
    of visits that does not say what the rows say.

    It has a connection of its own, so that another thread can read the rows meanwhile. Raises RecordError.
    """
    with record_errors(path_text(path)), connect(path) as connection:
        return _fault(connection)


def _fault(connection: sa.Connection) -> Broken | None:
    report = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
    if report != "ok":
        return Broken(None, sentence("the file is damaged: SQLite finds {said!r}", said=" ".join(report.split())))
    version = schema_version(connection)
    if version not in SCHEMAS:
        return Broken(None, sentence("its schema has no version that is known"))
    found, wanted = _parts(connection), _parts_of(version)
    if fault := _difference(found, wanted):
        return Broken(None, fault)
    return visits_fault(connection) if "visits" in wanted else None


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


def _parts(connection: sa.Connection) -> Parts:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    return {name: " ".join(sql.split()) for name, sql in connection.exec_driver_sql(query)}


def _parts_of(version: str) -> Parts:
    """The schema of a version, made in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"isolation_level": None})
    with engine.begin() as connection:
        make_schema(connection, version)
        return _parts(connection)
