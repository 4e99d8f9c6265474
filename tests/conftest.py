"""What holds for all tests: English, a key of theirs, a phrase set that is made ready once, the longest files first."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from counter_listener import judging
from counter_listener.domain import PhraseSetError
from counter_listener.phrases import find_phrase_set

if TYPE_CHECKING:
    from counter_listener.matching import Matcher

settings.register_profile("any machine", deadline=None)  # a busy one may stop for a second anywhere
settings.load_profile("any machine")
os.environ["LANGUAGE"] = "en"
SETTINGS = tempfile.TemporaryDirectory(prefix="counter-listener-settings-")
os.environ["COUNTER_LISTENER_KEY"] = f"{SETTINGS.name}/record-key.pem"

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
        return kept(str(path), content, proven=proven)

    judging.load_matcher = load_phrases
