"""Runs the program's chain with a model on recordings, with default settings: words, and the phrases found in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from counter_listener.asr import SpeechModel
from counter_listener.domain import Hit, Utterance, Word
from counter_listener.evaluation import Detection, Label, as_detection, load_case, matcher_hits
from counter_listener.matching import Matcher


@dataclass(frozen=True, slots=True)
class RecognisedRecording:
    """The recognised words of a recording, and the hits in them."""

    words: tuple[Word, ...]
    hits: tuple[Hit, ...]
    """Phrases and offences, in order of time."""

    @property
    def found(self) -> list[Detection]:
        """The hits as detections, which are scored."""
        return [as_detection(hit) for hit in self.hits]


def recognise_recording(label: Label, model: SpeechModel, matcher: Matcher) -> RecognisedRecording:
    """One recording after the program's chain. Raises CounterListenerError."""
    case = load_case(label, model)
    words = tuple(word for utterance in case.utterances for word in utterance.words)
    hits = sorted(matcher_hits(case, matcher), key=lambda hit: (hit.start, hit.owner))
    return RecognisedRecording(words, tuple(hits))


def recognise_all(labels: Sequence[Label], model: Path, matcher: Matcher, jobs: int) -> Iterator[RecognisedRecording]:
    """Every recording, in order, in `jobs` processes. Raises CounterListenerError."""
    if jobs == 1:
        speech_model = SpeechModel(model)
        yield from (recognise_recording(label, speech_model, matcher) for label in labels)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (model, matcher)) as pool:
        yield from pool.map(_recognise_in_worker, labels)


def recognise_utterances(paths: Sequence[Path], model: Path, jobs: int) -> Iterator[tuple[Utterance, ...]]:
    """The utterances of every recording, in order, in `jobs` processes. Raises CounterListenerError."""
    if jobs == 1:
        speech_model = SpeechModel(model)
        yield from (_utterances(path, speech_model) for path in paths)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _load, (model, None)) as pool:
        yield from pool.map(_utterances_in_worker, paths, chunksize=20)


def _utterances(path: Path, model: SpeechModel) -> tuple[Utterance, ...]:
    return tuple(load_case(Label(path, 0.0, ()), model).utterances)


def _utterances_in_worker(path: Path) -> tuple[Utterance, ...]:
    return _utterances(path, _WORKER[0][0])


_WORKER: Final[list[tuple[SpeechModel, Matcher | None]]] = []
"""The model and the matcher of a worker process, created when it starts."""


def _load(model: Path, matcher: Matcher | None) -> None:
    _WORKER.append((SpeechModel(model), matcher))


def _recognise_in_worker(label: Label) -> RecognisedRecording:
    model, matcher = _WORKER[0]
    assert matcher is not None  # noqa: S101 - recognise_all() gives one
    return recognise_recording(label, model, matcher)
