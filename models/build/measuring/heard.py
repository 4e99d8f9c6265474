"""What the program makes of a recording with a model: words, and what was found in them, all at its defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from counter_listener.audio import blocks, read_recording
from counter_listener.findings import Heard
from counter_listener.matching import Matcher, match, prepare
from counter_listener.phrases import read_phrase_set
from counter_listener.recognizer import VoskRecognizer, load_model, transcribe
from counter_listener.scoring import Span
from counter_listener.types import Hit, Word


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the program heard it."""

    words: tuple[Word, ...]
    hits: tuple[Hit, ...]
    """Phrases and offences, in order of time."""

    @property
    def found(self) -> list[Span]:
        """The hits as scoring.count() takes them."""
        return [Span(hit.owner, hit.start, hit.end) for hit in self.hits]


_Loaded = tuple[Any, Matcher]
_loaded: list[_Loaded] = []


def loaded(model: Path, phrases: Path) -> _Loaded:
    """A model and a matcher. Raises CounterListenerError."""
    return load_model(model), prepare(read_phrase_set(phrases)[0])


def hear(path: Path, model: Any, matcher: Matcher) -> Recording:  # noqa: ANN401 - vosk has no types
    """One recording through the program's own chain, as `check` has it. Raises CounterListenerError."""
    items = match(transcribe(blocks(read_recording(path)), VoskRecognizer(model)), matcher)
    heard = [item for item in items if isinstance(item, Heard)]
    hits = [hit for one in heard for hit in (*one.findings.phrases, *one.findings.offences)]
    words = tuple(word for one in heard for word in one.utterance.words)
    return Recording(words, tuple(sorted(hits, key=lambda hit: (hit.start, hit.owner))))


def hear_all(paths: Sequence[Path], model: Path, phrases: Path, jobs: int) -> Iterator[Recording]:
    """Every recording, in order, on so many processors."""
    if jobs == 1:
        ready = loaded(model, phrases)
        yield from (hear(path, *ready) for path in paths)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (model, phrases)) as pool:
        yield from pool.map(_hear_loaded, paths)


def _load(model: Path, phrases: Path) -> None:
    _loaded.append(loaded(model, phrases))


def _hear_loaded(path: Path) -> Recording:
    return hear(path, *_loaded[0])


def words_heard(recordings: Iterable[Recording]) -> int:
    """How many words were recognised in all."""
    return sum(len(one.words) for one in recordings)
