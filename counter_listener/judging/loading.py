"""A phrase set by its name: found, read, proven by its own examples, and ready for matching."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counter_listener.matching import Matcher


def load_matcher(name: str, *, proven: bool = True) -> tuple[Matcher, str]:
    """A phrase set ready for matching, and its SHA-256.

    Raises PhraseSetError, where `proven` also for an example that fails.
    """
    from counter_listener.domain import PhraseSetError
    from counter_listener.judging.examples import failing_examples
    from counter_listener.matching import prepare_matcher
    from counter_listener.phrases import find_phrase_set, read_phrase_set

    path = find_phrase_set(name)
    with garbage_collection_paused():
        phrases, digest = read_phrase_set(path)
        matcher = prepare_matcher(phrases)
    for failure in failing_examples(matcher) if proven else ():
        raise PhraseSetError("{path}: {failure}", path=path, failure=failure)
    return matcher, digest


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Leaves the garbage collector out, which would look again and again through what all stays."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
