"""The schema of the record, by Alembic; imported only when an older record must be upgraded."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(connection: object) -> None:
    """Brings the schema behind `connection` (SQLAlchemy, in a transaction) to the newest one, without a commit."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
