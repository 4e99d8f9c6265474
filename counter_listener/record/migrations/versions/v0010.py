"""An index of gaps, for the page of counters: it read a week of events of all counters to find those."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the index."""
    op.get_bind().exec_driver_sql("CREATE INDEX events_gaps ON events (wall) WHERE kind = 'gap'")
