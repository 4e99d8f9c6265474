"""What holds for all tests: English, a key of theirs, a phrase set that is made ready once, the longest files first."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from counter_listener import judging
from counter_listener.domain import PhraseSetError, bundled_folder
from counter_listener.phrases import find_phrase_set

if TYPE_CHECKING:
    from counter_listener.matching import Matcher

settings.register_profile("random", deadline=None)  # a busy machine may stop for a second anywhere
settings.register_profile("the same each time", settings.get_profile("random"), derandomize=True, database=None)
settings.load_profile("the same each time")  # --hypothesis-profile random explores
os.environ["LANGUAGE"] = "en"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of hundreds of processes would compile the program anew
sys.dont_write_bytecode = False
SETTINGS = tempfile.TemporaryDirectory(prefix="counter-listener-settings-")
os.environ["COUNTER_LISTENER_KEY"] = f"{SETTINGS.name}/record-key.pem"
os.environ["COUNTER_LISTENER_CLIP_KEY"] = f"{SETTINGS.name}/clip-key.pem"

LONGEST = (
    "test_listen",
    "test_kills",
    "test_check",
    "test_scheduler",
    "test_listener",
    "test_pipeline",
    "test_house",
    "test_fixtures",
)
"""Those that take longest, mostly by waiting: begun last, they would leave a core idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the longest files to the front; all else stays in the order of the alphabet."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_configure() -> None:
    """What is dear in every test: phrase sets, and hashes that are made to be dear."""
    share_phrase_sets()
    with suppress(ImportError):
        hash_quickly()


def hash_quickly() -> None:
    """A password's hash takes a fifth of a second on purpose; `test_accounts` tests that."""
    import argon2  # the extra [web]

    argon2.PasswordHasher = partial(argon2.PasswordHasher, time_cost=1, memory_cost=64)  # type: ignore[misc,assignment]


def share_phrase_sets() -> None:
    """Lets the tests of one process have a phrase set in common: to make it ready took a quarter of their time."""
    plain = judging.load_matcher

    @cache
    def kept(name: str, _content: bytes, *, proven: bool) -> tuple[Matcher, str]:
        return plain(name, proven=proven)

    def load_phrases(name: str, *, proven: bool = True, beside: Path | None = None) -> tuple[Matcher, str]:
        try:
            path = find_phrase_set(name, beside)
            content = path.read_bytes()
        except (PhraseSetError, OSError):
            return plain(name, proven=proven, beside=beside)
        return kept(str(path), content, proven=proven and path.parent != bundled_folder("phrase_sets"))

    judging.load_matcher = load_phrases


@pytest.fixture
def database() -> Iterator[str]:
    """The name of a database of a real PostgreSQL with an empty record."""
    from support.postgres import new_database

    with new_database() as name:
        yield name


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty record in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "record.db")
    from support.postgres import url_of

    return url_of(request.getfixturevalue("database"))
