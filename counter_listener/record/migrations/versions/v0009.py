"""The table of visits holds how the clerk spoke as well, so that a page counts it without reading every detail.

`manner_level` and the like are the figures of the close, NULL where they cannot be told; `manner_over` are the ids of
the limits that the visit is beyond, as the detail has them (JSON), NULL if there are none.

In PostgreSQL a close is read once, not once for each of its values, and its numbers are told from text by a pattern
without a counted repetition, which takes a thirtieth of the time; what they are is the same.
"""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TOLD: Final = "SELECT seq FROM events WHERE kind = 'visit_closed' AND detail LIKE '%%\"manner\"%%'"
"""Closes that hold figures: those of the first versions do not. Doubled signs are one for every database."""
FILL: Final = """
UPDATE visits SET (names) = (SELECT figures FROM events AS closed WHERE closed.seq = visits.seq)
WHERE seq IN (told AND json_valid(detail))
"""


def upgrade() -> None:
    """Adds the columns, makes the trigger again, and fills them."""
    bind = op.get_bind()
    is_server = bind.dialect.name == "postgresql"
    suffix = ".postgresql.sql" if is_server else ".sql"
    statements = Path(__file__).with_suffix(suffix).read_text(encoding="utf-8").split("\n---\n")
    if is_server:
        _upgrade_server(bind, statements)
    else:
        _upgrade_file(bind, statements)


def _upgrade_server(bind: sa.Connection, statements: list[str]) -> None:
    """Writes the rows of the table anew, if any changes: an UPDATE of all would leave it twice as large."""
    *schema, keep, empty, fill, analyze = statements
    is_told = bind.exec_driver_sql(f"{TOLD} LIMIT 1").first()
    if is_told:
        bind.exec_driver_sql(keep)
    for statement in schema:
        bind.exec_driver_sql(statement.replace("%", "%%"))
    if is_told:
        for statement in (empty, fill, analyze):
            bind.exec_driver_sql(statement)


def _upgrade_file(bind: sa.Connection, statements: list[str]) -> None:
    """A trigger that somebody removed stays away: verify() tells."""
    *columns, trigger = statements
    for statement in columns:
        bind.exec_driver_sql(statement)
    names = ", ".join(statement.split()[-2] for statement in columns)
    figures = trigger.partition("NULL, NULL, NULL,")[2].partition("WHERE NEW.visit")[0].replace("NEW.", "closed.")
    bind.exec_driver_sql(FILL.replace("names", names).replace("figures", figures).replace("told", TOLD))
    if bind.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'visits_closed'").first():
        bind.exec_driver_sql("DROP TRIGGER visits_closed")
        bind.exec_driver_sql(trigger)
