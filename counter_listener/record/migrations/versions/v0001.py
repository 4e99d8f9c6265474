"""The first schema: events and recordings, both append-only.

INSERT OR REPLACE removes the row that it replaces without asking a delete trigger, hence the third guard of each table.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the two tables, their indexes and their guards."""
    if op.get_bind().dialect.name == "postgresql":  # whose schema begins with v0005
        return
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split("\n---\n"):
        op.execute(statement)
