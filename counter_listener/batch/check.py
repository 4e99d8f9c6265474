"""Checks one recording or transcript, to a result that stands alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from counter_listener.asr import Ears, is_transcript, read_transcript
from counter_listener.audio import Started, probe, started
from counter_listener.domain import AudioError, CounterListenerError, Event, Gap, Recognised, Speaker, Utterance, cause
from counter_listener.matching import Matcher
from counter_listener.pipeline import hear, hear_channels, judged, timed

STREAM_DIGITS = 12
"""Hex digits of a recording's SHA-256 that name its stream: less than one chance in 100 of a clash in 2 000 000."""


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
    kept: tuple[Utterance | Gap, ...] = ()
    """What was recognised and what was lost, where it is to be kept."""
    judging: int = 1
    """How often it has been judged, this time included."""
    recalled: bool = False
    """Whether it stands in the record like this, and was not checked now."""
    wrong: CounterListenerError | None = None
    """Why it could not be read, if so, for people."""

    @property
    def stream(self) -> str:
        """The id of its stream, with which its visits' ids begin."""
        return stream_of(self.sha256 or "", self.judging)

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
    roles: tuple[Speaker, ...] = ()
    """Who speaks on each channel; empty mixes the channels."""
    keep: bool = False
    """Whether what was recognised goes with the result."""
    progress: Callable[[Path, float], None] | None = None
    """Told how many seconds of an input have been read."""


def stream_of(sha256: str, judging: int = 1) -> str:
    """The id of the stream of events that came of a recording when it was judged for the n-th time."""
    return sha256[:STREAM_DIGITS] + (f".{judging}" if judging > 1 else "")


def check_one(path: Path, task: Task) -> Result:
    """The events of one recording or transcript. Raises ModelError: without a model no recording can be checked."""
    if not is_transcript(path):
        task.ears.model  # noqa: B018 - a model that does not load is no recording's fault
    try:
        return _check_transcript(path, task) if is_transcript(path) else _check_recording(path, task)
    except CounterListenerError as error:
        return failed(path, error)


def _check_recording(path: Path, task: Task) -> Result:
    facts = probe(path)
    if task.roles and facts.channels != len(task.roles):
        raise AudioError(
            "{path} has channels: {channels}, and --channels names {roles}; check it on its own, without --channels",
            path=path,
            channels=facts.channels,
            roles=len(task.roles),
        )
    reached = [0.0]

    def progress(seconds: float) -> None:
        reached[0] = max(reached[0], seconds)
        if task.progress:
            task.progress(path, seconds)

    ears = task.ears
    heard = hear_channels(path, ears, task.roles, progress) if task.roles else hear(path, ears, progress)
    events, kept = _judged(heard, task)
    began = started(path, facts.stamped, task.given, task.zone)
    return Result(path, events, fingerprint(path), reached[0], began, task.ears.name, kept)


def _check_transcript(path: Path, task: Task) -> Result:
    utterances = list(read_transcript(path))
    events, kept = _judged(timed(utterances), task)
    began = started(path, None, task.given, task.zone)
    return Result(path, events, fingerprint(path), max(one.end for one in utterances), began, "transcript", kept)


def _judged(heard: Iterable[Recognised], task: Task) -> tuple[tuple[Event, ...], tuple[Utterance | Gap, ...]]:
    """The events of what was recognised, and what of it is to be kept."""
    kept: list[Utterance | Gap] = []

    def noted() -> Iterator[Recognised]:
        for item in heard:
            if task.keep and isinstance(item, Utterance | Gap):
                kept.append(item)
            yield item

    events = tuple(judged(noted(), task.matcher, one_visit=task.one_visit))
    return events, tuple(kept)


def failed(path: Path, error: CounterListenerError) -> Result:
    """The result of an input that could not be checked."""
    return Result(path, (Event("error", 0.0, detail={"message": str(error)}),), wrong=error)


def fingerprint(path: Path) -> str:
    """SHA-256 of the file in hex: recordings are known by content. Raises AudioError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError("{path}: the file cannot be read ({why}).", path=path, why=cause(error)) from None
