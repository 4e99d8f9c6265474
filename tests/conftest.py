"""What holds for all tests: the program speaks English to them, wherever they run, and the longest files are first."""

from __future__ import annotations

import os

import pytest

os.environ["LANGUAGE"] = "en"

LONGEST = ("test_listen", "test_check", "test_many", "test_live", "test_pipeline", "test_house", "test_fixtures")
"""Those that take longest, mostly by waiting: begun last, they would leave a core idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the longest files to the front; all else stays in the order of the alphabet."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
