"""The schema of the record, by Alembic; imported only when an older record must be upgraded."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(connection: object, revision: str = "head") -> None:
    """Brings the schema behind `connection` (SQLAlchemy, in a transaction) to a revision, without a commit."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
