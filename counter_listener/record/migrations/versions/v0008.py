"""What reviewers ask counters for: the clips of a visit. Nothing of it is in the chain.

`visit`: its id here; `counter`: who sends it, as in the table `counters`; `answer`: NULL until the counter was heard
from, then `sent`, `refused` (its settings do not allow it) or `gone` (it has none, or none any more).
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Makes the table."""
    suffix = ".postgresql.sql" if op.get_bind().dialect.name == "postgresql" else ".sql"
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(suffix).read_text(encoding="utf-8"))
