"""One row for each closed visit, so that a page finds among hundreds of thousands at once.

It is derived: triggers keep it by the rows that are added and removed, and nothing of it is evidence.

In PostgreSQL the schema begins here: v0005.postgresql.sql makes all of it.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the table and its triggers, and fills it."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in Path(__file__).with_suffix(".postgresql.sql").read_text(encoding="utf-8").split("\n---\n"):
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
        return
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split("\n---\n")
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)
    closed = next(statement for statement in statements if "TRIGGER visits_closed" in statement)
    insert, where = closed.partition("BEGIN")[2].rpartition(";")[0].replace("NEW.", "closed.").rsplit("WHERE", 1)
    op.get_bind().exec_driver_sql(f"{insert} FROM events AS closed WHERE closed.kind = 'visit_closed' AND {where}")
    replaced = "SELECT json_extract(detail, '$.replaces') FROM events WHERE kind = 'judged' AND json_valid(detail)"
    for stream in op.get_bind().exec_driver_sql(replaced).scalars().all():
        remove = "DELETE FROM visits WHERE visit > ? AND visit < ?"
        op.get_bind().exec_driver_sql(remove, (f"{stream}-", f"{stream}."))
