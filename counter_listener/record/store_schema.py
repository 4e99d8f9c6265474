"""What the record's database must look like, and whether a file looks so; no database here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from counter_listener.domain import RecordError

if TYPE_CHECKING:
    from collections.abc import Collection

SCHEMAS = ("0001", "0002", "0003")
"""Every schema this program knows, oldest first: the revisions in migrations/versions."""
SETTINGS = ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON", "cache_size=-16000")
"""Asked of SQLite on every connection; the cache, in kB, holds the ends of the indexes while thousands are recorded."""
TABLES = ("events", "recordings", "alembic_version")
GUARDS = frozenset(
    f"{table}_no_{change}" for table in ("events", "recordings") for change in ("update", "delete", "replace")
)
"""The triggers that refuse changes."""


def newest_schema() -> list[str]:
    """The statements that make an empty file a record of the newest schema, as the migrations do, without Alembic."""
    script = Path(__file__).parent / "migrations" / "newest.sql"
    return script.read_text(encoding="utf-8").split("\n---\n")


def must_upgrade(name: str, tables: Collection[str], schema: str | None, *, create: bool) -> bool:
    """Whether the file needs a newer schema, by the tables in it and its schema's version.

    Raises StoreError if it is empty and not to be made, another program's, or newer than this program.
    """
    if not tables and not create:
        raise RecordError("{name} holds no record yet; name the file that does.", name=name)
    if not tables:
        return True
    if not set(TABLES).issubset(tables):
        raise RecordError("{name} belongs to some other program; give the record another name.", name=name)
    if schema not in SCHEMAS:
        raise RecordError(
            "{name} was written by a newer version of this program ({schema!r}); update the program.",
            name=name,
            schema=schema,
        )
    return schema != SCHEMAS[-1]
