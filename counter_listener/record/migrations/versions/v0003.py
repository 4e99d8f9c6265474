"""Guards against replacing that fail without taking the statement back.

ABORT takes back what the statement has done, for which SQLite keeps a copy of every page that a row of it changes: half
of the time that an event takes to write. A row of ours is a statement of its own, and has nothing to take back.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

GUARD = """
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq OR {key} = NEW.{key}) BEGIN
    SELECT RAISE(FAIL, 'the record is append-only, {table} are never replaced');
END
"""


def upgrade() -> None:
    """Make the two guards anew; one that somebody took away stays away, for verifying to tell of it."""
    there = set(op.get_bind().exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars())
    for table, key in (("events", "uid"), ("recordings", "sha256")):
        if (name := f"{table}_no_replace") in there:
            op.execute(f"DROP TRIGGER {name}")
            op.execute(GUARD.format(table=table, key=key))
