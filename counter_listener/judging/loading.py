"""A phrase set by its name: found, read, proven by its own examples, and ready for matching."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counter_listener.matching import Matcher


def load_phrases(name: str, *, proven: bool = True) -> tuple[Matcher, str]:
    """A phrase set ready for matching, and its SHA-256.

    Raises PhraseSetError, where `proven` also for an example that fails.
    """
    from counter_listener.domain import PhraseSetError
    from counter_listener.judging.examples import failures
    from counter_listener.matching import prepare
    from counter_listener.phrases import find_phrase_set, read_phrase_set

    path = find_phrase_set(name)
    with uncollected():
        phrases, digest = read_phrase_set(path)
        matcher = prepare(phrases)
    for failure in failures(matcher) if proven else ():
        raise PhraseSetError("{path}: {failure}", path=path, failure=failure)
    return matcher, digest


@contextmanager
def uncollected() -> Iterator[None]:
    """Leaves the garbage collector out, which would look again and again through what all stays."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
