"""Guards against replacing that fail without undoing the statement.

To undo a statement after ABORT, SQLite keeps a copy of every page that its rows change: half of the time that an event
takes to write. Each of our rows is a statement of its own, and there is nothing to undo.
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
    """Makes the two guards again. A guard that somebody removed is not restored, so that verify() reports it."""
    if op.get_bind().dialect.name == "postgresql":  # whose schema begins with v0005
        return
    there = set(op.get_bind().exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars())
    for table, key in (("events", "uid"), ("recordings", "sha256")):
        if (name := f"{table}_no_replace") in there:
            op.execute(f"DROP TRIGGER {name}")
            op.execute(GUARD.format(table=table, key=key))
