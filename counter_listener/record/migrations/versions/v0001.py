"""The first schema: events and recordings, both append-only."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    stream TEXT NOT NULL,
    visit TEXT,
    counter TEXT,
    wall TEXT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT,
    step TEXT,
    phrase TEXT,
    verdict TEXT,
    score REAL,
    heard TEXT,
    detail TEXT NOT NULL,
    source TEXT NOT NULL,
    phrases TEXT NOT NULL,
    phrases_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    recorded TEXT NOT NULL,
    chain TEXT NOT NULL
);
CREATE TABLE recordings (
    seq INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    seconds REAL NOT NULL,
    started TEXT,
    counter TEXT,
    recorded TEXT NOT NULL,
    chain TEXT NOT NULL
);
CREATE INDEX events_stream ON events (stream);
CREATE INDEX events_visit ON events (visit);
CREATE INDEX events_wall ON events (wall);
CREATE INDEX events_phrase ON events (phrase)
"""

# INSERT OR REPLACE removes the row it replaces without asking a delete trigger, hence the third guard.
GUARDS = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, {table} are never changed');
END
---
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, {table} leave it by a purge alone');
END
---
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq OR {key} = NEW.{key}) BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, {table} are never replaced');
END
"""


def upgrade() -> None:
    """Make the two tables, their indices and their guards."""
    for statement in TABLES.split(";"):
        op.execute(statement)
    for table, key in (("events", "uid"), ("recordings", "sha256")):
        for statement in GUARDS.format(table=table, key=key).split("---"):
            op.execute(statement)
