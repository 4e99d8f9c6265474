"""What the program makes of recordings with a model, at its defaults: words, and what was found in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from counter_listener.asr.speech_model import SpeechModel
from counter_listener.domain.types import Hit, Word
from counter_listener.evaluation.evaluation import as_found, load_case, matcher_hits
from counter_listener.evaluation.labels import Label
from counter_listener.evaluation.scoring import Detection
from counter_listener.matching.matcher import Matcher


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as the program heard it."""

    words: tuple[Word, ...]
    hits: tuple[Hit, ...]
    """Phrases and offences, in order of time."""

    @property
    def found(self) -> list[Detection]:
        """The hits as scoring.count() takes them."""
        return [as_found(hit) for hit in self.hits]


def heard(label: Label, ears: SpeechModel, matcher: Matcher) -> Recording:
    """One recording through the program's own chain. Raises CounterListenerError."""
    case = load_case(label, ears)
    words = tuple(word for utterance in case.utterances for word in utterance.words)
    return Recording(words, tuple(sorted(matcher_hits(case, matcher), key=lambda hit: (hit.start, hit.owner))))


def heard_all(labels: Sequence[Label], model: Path, matcher: Matcher, jobs: int) -> Iterator[Recording]:
    """Every recording, in order, on so many processors. Raises CounterListenerError."""
    if jobs == 1:
        ears = SpeechModel(model)
        yield from (heard(label, ears, matcher) for label in labels)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (model, matcher)) as pool:
        yield from pool.map(_heard_here, labels)


_HERE: Final[list[tuple[SpeechModel, Matcher]]] = []
"""A worker's own: made once, when it starts."""


def _load(model: Path, matcher: Matcher) -> None:
    _HERE.append((SpeechModel(model), matcher))


def _heard_here(label: Label) -> Recording:
    return heard(label, *_HERE[0])
