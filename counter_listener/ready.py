"""A phrase set by its name: found, read, proven by its own examples, and ready for matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counter_listener.matcher import Matcher


def load_phrases(name: str, *, proven: bool = True) -> tuple[Matcher, str]:
    """A phrase set ready for matching, and its SHA-256.

    Raises PhraseSetError, where `proven` also for an example that fails.
    """
    from counter_listener.errors import PhraseSetError
    from counter_listener.examples import failures
    from counter_listener.matcher import prepare
    from counter_listener.phrases import find_phrase_set, read_phrase_set

    path = find_phrase_set(name)
    phrases, digest = read_phrase_set(path)
    matcher = prepare(phrases)
    for failure in failures(matcher) if proven else ():
        raise PhraseSetError("{path}: {failure}", path=path, failure=failure)
    return matcher, digest
