"""Checks recordings and transcripts, one after the other, each to a result that stands alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any

from counter_listener.audio import blocks, in_bursts, probe, read_recording
from counter_listener.errors import AudioError, CounterListenerError
from counter_listener.inputs import Missing, is_transcript
from counter_listener.matching import Matcher
from counter_listener.pipeline import listen, read, timed
from counter_listener.recognizer import VoskRecognizer, load_model, transcribe
from counter_listener.started import Started, started
from counter_listener.transcripts import read_transcript
from counter_listener.types import Event, Recognised

STREAM_DIGITS = 12
"""Hex digits of a recording's SHA-256 that name its stream: less than one chance in 100 of a clash in 2 000 000."""


@dataclass
class Ears:
    """The speech model, loaded when the first recording needs it."""

    folder: Path

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 - vosk has no types
        return load_model(self.folder)

    @property
    def name(self) -> str:
        return self.folder.resolve().name


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one input."""

    path: Path
    events: tuple[Event, ...]
    """In order of time; one event of kind `error` where the input could not be read."""
    sha256: str | None = None
    seconds: float = 0.0
    """Length of what was read."""
    started: Started | None = None
    model: str = ""
    """Name of the model that heard it; `transcript` where none did."""

    @property
    def stream(self) -> str:
        """The id of its stream, with which its visits' ids begin."""
        return (self.sha256 or "")[:STREAM_DIGITS]

    @property
    def error(self) -> str | None:
        """Why it could not be read, if so."""
        return next((str(event.detail["message"]) for event in self.events if event.kind == "error"), None)

    @property
    def losses(self) -> list[str]:
        """What of it could not be read."""
        return [str(event.detail["reason"]) for event in self.events if event.kind == "gap"]


@dataclass(frozen=True, slots=True)
class Task:
    """How the inputs are to be checked."""

    matcher: Matcher
    ears: Ears
    zone: tzinfo | None = None
    """Of times in file names; None is the zone of this machine."""
    given: datetime | None = None
    """When every recording began, if the user says so."""
    one_visit: bool = False
    progress: Callable[[Path, float], None] = field(default=lambda _path, _seconds: None)
    """Told how many seconds of an input have been read."""


def check(inputs: Iterable[Path | Missing], task: Task) -> Iterator[Result]:
    """One result for each input; what cannot be read becomes a result with an error. Raises ModelError."""
    for one in inputs:
        if isinstance(one, Missing):
            yield _failed(one.path, one.error)
        else:
            yield check_one(one, task)


def check_one(path: Path, task: Task) -> Result:
    """The events of one recording or transcript. Raises ModelError: without a model no recording can be checked."""
    if not is_transcript(path):
        task.ears.model  # noqa: B018 - a model that does not load is no recording's fault
    try:
        return _check_transcript(path, task) if is_transcript(path) else _check_recording(path, task)
    except CounterListenerError as error:
        return _failed(path, error)


def hear(path: Path, ears: Ears, progress: Callable[[float], None] | None = None) -> Iterator[Recognised]:
    """What is recognised in a recording, or stands in a transcript; `progress` is told the seconds read so far.

    Raises AudioError, TranscriptError, ModelError.
    """
    if is_transcript(path):
        return timed(read_transcript(path))
    return transcribe(blocks(in_bursts(read_recording(path, progress))), VoskRecognizer(ears.model))


def _check_recording(path: Path, task: Task) -> Result:
    facts = probe(path)
    reached = [0.0]

    def progress(seconds: float) -> None:
        reached[0] = seconds
        task.progress(path, seconds)

    chunks = in_bursts(read_recording(path, progress))
    events = tuple(listen(chunks, VoskRecognizer(task.ears.model), task.matcher, one_visit=task.one_visit))
    began = started(path, facts.stamped, task.given, task.zone)
    return Result(path, events, fingerprint(path), reached[0], began, task.ears.name)


def _check_transcript(path: Path, task: Task) -> Result:
    utterances = list(read_transcript(path))
    events = tuple(read(utterances, task.matcher, one_visit=task.one_visit))
    began = started(path, None, task.given, task.zone)
    return Result(path, events, fingerprint(path), max(one.end for one in utterances), began, "transcript")


def _failed(path: Path, error: CounterListenerError) -> Result:
    return Result(path, (Event("error", 0.0, detail={"message": str(error)}),))


def fingerprint(path: Path) -> str:
    """SHA-256 of the file in hex: recordings are known by content. Raises AudioError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(f"{path}: the file cannot be read ({error.strerror}).") from None
