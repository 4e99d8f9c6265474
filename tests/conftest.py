"""What holds for all tests: English, a key of theirs, a phrase set that is made ready once, the longest files first."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from counter_listener import judging, phrases
from counter_listener.asr import recognizer
from counter_listener.domain import PhraseSet, PhraseSetError, bundled_folder
from counter_listener.phrases import find_phrase_set

if TYPE_CHECKING:
    from counter_listener.matching import Matcher

settings.register_profile("random", deadline=None)  # a busy machine may stop for a second anywhere
settings.register_profile("the same each time", settings.get_profile("random"), derandomize=True, database=None)
settings.register_profile("thorough", settings.get_profile("the same each time"))
settings.load_profile("the same each time")  # --hypothesis-profile random explores
FEWER, FEWEST = 5, 8
"""By how much the profile of every day divides the examples of a property test, and how many it leaves at least."""
os.environ["LANGUAGE"] = "en"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of hundreds of processes would compile the program anew
sys.dont_write_bytecode = False
SETTINGS = tempfile.TemporaryDirectory(prefix="counter-listener-settings-")
os.environ["COUNTER_LISTENER_KEY"] = f"{SETTINGS.name}/record-key.pem"
os.environ["COUNTER_LISTENER_CLIP_KEY"] = f"{SETTINGS.name}/clip-key.pem"

LONGEST = (
    "test_listen",
    "test_pages_browser",
    "test_fixtures",
    "test_scheduler",
    "test_check",
    "test_kills",
    "test_house",
    "test_listener",
    "test_pipeline",
    "test_watch",
    "test_send",
    "test_setup",
    "test_practice_browser",
    "test_report_browser",
    "test_phrases_browser",
    "test_serving",
)
"""Those that take longest, mostly by waiting: begun last, they would leave a core idle at the end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Brings the longest files to the front; all else stays in the order of the alphabet."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    if config.getoption("--hypothesis-profile", None) is None:
        try_fewer_examples(items)


def try_fewer_examples(items: Iterable[pytest.Item]) -> None:
    """Property tests try the first of their examples every day, and all of them with `--hypothesis-profile thorough`.

    The examples are the same each time, so that the many that are left out would find nothing new in a program that
    did not change there; CI tries them all.
    """
    for test in {getattr(item, "function", None) for item in items}:
        if asked := getattr(test, "_hypothesis_internal_use_settings", None):
            most = min(asked.max_examples, max(FEWEST, asked.max_examples // FEWER))
            test._hypothesis_internal_use_settings = settings(asked, max_examples=most)  # type: ignore[union-attr] # noqa: SLF001


MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder in it that is the user's alone
ROOM = 2_000_000_000
"""Bytes that must be free. Tests copy models, of 20 MB each."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--processor-time` tells which files are dear."""
    parser.addoption("--processor-time", action="store_true", help="List the processor time of each test file.")


def pytest_configure(config: pytest.Config) -> None:
    """What is dear in every test: files on a disk, phrase sets, and hashes that are made to be dear."""
    if config.getoption("--processor-time"):
        from support import processor_time

        config.pluginmanager.register(processor_time)
    keep_files_in_memory()
    share_phrase_sets()
    share_models()
    with suppress(ImportError):
        hash_quickly()


def keep_files_in_memory() -> None:
    """Puts the folders of tests into memory, where there is room.

    A record waits for the disk at each commit: on one, tests that change records took six times as long. No test cuts
    the power, so what the disk has is never asked; what survives a killed process is the same in both.
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


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
    share_bundled_sets()


def share_bundled_sets() -> None:
    """Likewise what is read of a phrase set without making it ready: each report and each page asks for titles."""
    plain, bundled = phrases.read_phrase_set, bundled_folder("phrase_sets")

    @cache
    def kept(path: Path, _content: bytes) -> tuple[PhraseSet, str]:
        return plain(path)

    def read_phrase_set(path: Path) -> tuple[PhraseSet, str]:
        return kept(path, path.read_bytes()) if path.parent == bundled and path.is_file() else plain(path)

    phrases.read_phrase_set = read_phrase_set


def share_models() -> None:
    """Lets the tests of one process have the bundled models in common; `test_model_files` loads others."""
    plain = recognizer.load_model
    kept = cache(plain)

    def load_model(folder: Path) -> Any:
        return (kept if folder.parent == bundled_folder("models") else plain)(folder)

    recognizer.load_model = load_model


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
