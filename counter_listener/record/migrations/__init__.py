"""The record's schema, by Alembic; imported only when a schema must be made or brought up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def upgrade(connection: object) -> None:
    """Bring the schema behind `connection` (SQLAlchemy, inside a transaction) to the newest one; no commit."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
