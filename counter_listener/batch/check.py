"""Checks one recording or transcript, and counts results. A result is complete: it can be recorded and shown."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path

from counter_listener.asr import SpeechModel, is_transcript
from counter_listener.audio import Facts, StartTime, find_start_time, probe
from counter_listener.domain import (
    AudioError,
    CounterListenerError,
    Event,
    Gap,
    Sentence,
    Speaker,
    Utterance,
    read_errors,
    sentence,
)
from counter_listener.matching import Matcher
from counter_listener.pipeline import StreamLog, file_source, judge_events, recognise
from counter_listener.record import stream_id


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How the inputs are checked."""

    matcher: Matcher
    model: SpeechModel
    skip_silence: bool = True
    """Whether long stretches of unchanging sound without speech are skipped."""
    zone: tzinfo | None = None
    """Time zone of times in file names; None is the zone of this machine."""
    given_start: datetime | None = None
    """Start time of every recording, if the user gave one."""
    one_visit: bool = False
    roles: tuple[Speaker, ...] = ()
    """The speaker of each channel; empty mixes the channels."""
    speakers: Mapping[str, Speaker] = field(default_factory=dict)
    """Whom the names in transcripts stand for, besides the usual ones."""
    keep: bool = False
    """Whether the result holds what was recognised."""
    progress: Callable[[Path, float], None] | None = None
    """Called with the seconds of an input that have been read."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one input."""

    path: Path
    events: tuple[Event, ...]
    """In order of time; one event of kind `error` if the input could not be read."""
    sha256: str | None = None
    seconds: float = 0.0
    """Length of what was read."""
    started: StartTime | None = None
    model: str = ""
    """Name of the model that recognised it; `transcript` for a transcript."""
    items: tuple[Utterance | Gap, ...] = ()
    """The recognised utterances and the gaps, if CheckOptions.keep is set."""
    judgement: int = 1
    """How many times the recording has been judged, this time included."""
    added: bool = False
    """Whether it was written to the record in this run."""
    recalled: bool = False
    """Whether the result was read from the record instead of being computed."""
    notes: tuple[Sentence, ...] = ()
    """What a user must know of how the input was read."""
    error: CounterListenerError | None = None
    """Why the input could not be read; None if it was read."""

    @property
    def stream(self) -> str:
        """The id of its stream; the ids of its visits start with it."""
        return stream_id(self.sha256 or "", self.judgement)

    @property
    def losses(self) -> list[str]:
        """The reasons why it is incomplete: of sound that never arrived, and of visits that were not understood."""
        whole = {event.visit for event in self.events if event.detail.get("outcome") == "not_understood"}
        gaps = (event for event in self.events if event.kind == "gap")
        return [str(gap.detail["reason"]) for gap in gaps if "understood" not in gap.detail or gap.visit in whole]


def check_file(path: Path, options: CheckOptions) -> CheckResult:
    """The events of one recording or transcript; an input that cannot be read gives a failed result.

    Raises ModelError, for without a model no recording can be checked.
    """
    if not is_transcript(path):
        options.model.model  # noqa: B018 - a model that does not load is not the fault of a recording
    try:
        return _check(path, options)
    except CounterListenerError as error:
        return failed_result(path, error)


def _check(path: Path, options: CheckOptions) -> CheckResult:
    transcript = is_transcript(path)
    stamped = None if transcript else _stamped_time(path, len(options.roles))
    notes: list[Sentence] = []
    source = file_source(
        path,
        options.model,
        roles=options.roles,
        speakers=options.speakers,
        skip_silence=options.skip_silence,
        progress=partial(options.progress, path) if options.progress else None,
        tell=notes.append,
    )
    log = StreamLog(keep=options.keep)
    events = tuple(judge_events(log.observe(recognise(source)), options.matcher, one_visit=options.one_visit))
    written = _written(path) - timedelta(seconds=log.seconds)
    started = find_start_time(path, stamped, options.given_start, options.zone, written)
    model = "transcript" if transcript else options.model.name
    items = tuple(log.items)
    return CheckResult(path, events, file_sha256(path), log.seconds, started, model, items, notes=tuple(notes))


def guessed_start(path: Path, seconds: float) -> datetime | None:
    """When an input of this length may have started, if the record does not know it; None if nothing tells."""
    with suppress(AudioError):  # it can no longer be read
        stamped = None if is_transcript(path) else probe(path).stamped
        found = find_start_time(path, stamped, None, None, _written(path) - timedelta(seconds=seconds))
        return found.guess or found.at
    return None


def _written(path: Path) -> datetime:
    """When the file was last written. Raises AudioError."""
    with read_errors(path, AudioError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _stamped_time(path: Path, roles: int) -> datetime | None:
    """The time in the tags of a recording. Raises AudioError if it does not have a channel or track for each role."""
    facts = probe(path)
    if roles and facts.sides != roles:
        raise AudioError(
            "{path} has {sides}, and --channels names {roles}; check it on its own, without --channels",
            path=path,
            sides=_sides(facts),
            roles=roles,
        )
    return facts.stamped


def _sides(facts: Facts) -> Sentence:
    if facts.tracks > 1:
        return sentence("sound tracks: {count}", count=facts.tracks)
    return sentence("channels: {count}", count=facts.channels)


def failed_result(path: Path, error: CounterListenerError) -> CheckResult:
    """The result of an input that could not be checked."""
    return CheckResult(path, (Event("error", 0.0, detail={"message": str(error)}),), error=error)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file in hex; recordings are identified by their content. Raises AudioError."""
    with read_errors(path, AudioError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Tally:
    """Running totals of results."""

    checked: int = 0
    failed: int = 0
    """Inputs that could not be read."""
    incomplete: int = 0
    """Inputs of which a part could not be read or understood."""
    lost: float = 0.0
    """Length of those parts, as far as it is known."""
    seconds: float = 0.0
    """Length of everything that was read."""
    visits: int = 0
    """Without those that were no service."""
    no_service: int = 0
    not_understood: int = 0
    passed: int = 0
    scored: int = 0
    """Visits with a score."""
    points: float = 0.0
    """Sum of all scores."""
    lowest: float | None = None
    """The lowest score of a visit."""
    missed: Counter[str] = field(default_factory=Counter)
    """How often each owed phrase was not heard, by title."""
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, result: CheckResult) -> None:
        """Adds one result."""
        self.failed += result.error is not None
        self.checked += result.error is None
        self.incomplete += bool(result.losses)
        self.seconds += result.seconds
        for event in result.events:
            self.verdicts[event.verdict or ""] += 1
            if event.kind == "gap":
                self.lost += float(str(event.detail["seconds"]))
            elif event.verdict == "not_heard":
                self.missed[str(event.detail["title"])] += 1
            elif event.kind == "visit_closed":
                outcome = event.detail.get("outcome")
                self.visits += outcome != "no_service"
                self.no_service += outcome == "no_service"
                self.not_understood += outcome == "not_understood"
                if event.score is not None:
                    self.scored += 1
                    self.passed += bool(event.detail["passed"])
                    self.points += event.score
                    self.lowest = event.score if self.lowest is None else min(self.lowest, event.score)
