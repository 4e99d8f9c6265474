"""Where the tests of the record keep theirs: in a file, and in a database of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.postgres import new_database, url_of


@pytest.fixture
def database() -> Iterator[str]:
    """The name of a database with an empty record."""
    with new_database() as name:
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty record in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "record.db")
    return url_of(request.getfixturevalue("database"))
