"""A visit that its review leaves without a score has none in the list either.

Reviews may leave a visit incomplete, which has no score. The table of visits kept the score from before such a review.
Only a review that had no phrase set at hand (`unscored`) tells nothing of the score.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Makes the trigger again, and sets right what it wrote. One that somebody removed stays away: verify() tells."""
    bind = op.get_bind()
    is_server = bind.dialect.name == "postgresql"
    suffix = ".postgresql.sql" if is_server else ".sql"
    trigger, correction = Path(__file__).with_suffix(suffix).read_text(encoding="utf-8").split("\n---\n")
    if is_server:
        bind.exec_driver_sql(trigger.replace("%", "%%"))
    elif bind.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'visits_reviewed'").first():
        op.execute("DROP TRIGGER visits_reviewed")
        bind.exec_driver_sql(trigger)
    bind.exec_driver_sql(correction)
