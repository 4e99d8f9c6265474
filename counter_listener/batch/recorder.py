"""Writes the results of `check` to the record, and answers from it what is recorded already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from counter_listener import __version__
from counter_listener.asr import is_transcript
from counter_listener.audio import StartTime
from counter_listener.batch.check import CheckResult, file_sha256, guessed_start
from counter_listener.batch.stored_transcripts import store_transcript
from counter_listener.domain import AudioError, RecordError, readable
from counter_listener.record import Judgement, Origin, Recording, event_columns

if TYPE_CHECKING:
    from counter_listener.record import Record


@dataclass(slots=True)
class RecorderCounts:
    """What became of the results of a run."""

    recorded: int = 0
    known: int = 0
    """Recordings that were in the record already and added nothing."""
    known_differently: int = 0
    """How many of those were judged by another phrase set or model, or with other options."""
    judged_again: int = 0
    failed: int = 0
    """Results that could not be written."""
    unkept: int = 0
    """Results that were written, but whose transcripts could not be stored."""


@dataclass
class Recorder:
    """The record, and how one run of `check` uses it."""

    record: Record
    phrases: str
    """Name of the phrase set."""
    digest: str
    """SHA-256 of the phrase set."""
    model: str
    counter: str | None
    options: Mapping[str, object] = field(default_factory=dict)
    """What changes verdicts besides phrase set and model; empty by default."""
    again: bool = False
    """Whether recordings in the record are judged again."""
    transcripts: Path | None = None
    """The folder for transcripts, if they are to be stored."""
    place: Callable[[Path], Path] = field(default=lambda path: path)
    """Where a file will lie once it was checked, for the record."""
    counts: RecorderCounts = field(default_factory=RecorderCounts)
    failures: list[tuple[Path, RecordError]] = field(default_factory=list)
    """Results that could not be written and have not been reported yet."""
    unkept: list[RecordError] = field(default_factory=list)
    """Why transcripts could not be stored, where that has not been reported yet."""

    @cached_property
    def has_recordings(self) -> bool:
        """Whether the record held a recording before this run. If not, no input needs to be looked up."""
        return next(self.record.recordings(), None) is not None

    def find_recorded(self, path: Path) -> CheckResult | None:
        """The recorded result of an input, if checking it again would give the same result. Raises RecordError."""
        if not self.has_recordings:
            return None
        try:
            sha256 = file_sha256(path)
        except AudioError:  # check_file reports it
            return None
        judgement = self.record.latest_judgement(sha256)
        if judgement is None or not judgement.same_settings(self._judgement(path)):
            return None
        if self.again and judgement.program != __version__:
            return None
        if self.transcripts is not None and not (self.transcripts / f"{sha256}.jsonl").exists():
            return None
        if judgement.started:
            started = StartTime(datetime.fromisoformat(judgement.started), "record")
        else:
            started = StartTime(None, "unknown", guessed_start(path, judgement.seconds))
        events = tuple(self.record.events(judgement.stream))
        result = CheckResult(path, events, sha256, judgement.seconds, started, judgement.model)
        return replace(result, judgement=judgement.number, recalled=True)

    def write(self, results: Mapping[int, CheckResult], now: datetime) -> dict[int, CheckResult]:
        """Writes results in one transaction and returns them with the number of their judgement.

        `now` is the time of recording. If the transaction fails, each result is written alone, and those that fail are
        added to `failures`.
        """
        if sum(map(_is_new, results.values())) > 1:
            before = replace(self.counts)
            try:
                with self.record.transaction():
                    written = {number: self._write(result, now) for number, result in results.items()}
            except RecordError:
                self.counts = before
            else:
                for result in written.values():
                    self._keep_transcript(result)
                return written
        return {number: self._write_alone(result, now) for number, result in results.items()}

    def _write_alone(self, result: CheckResult, now: datetime) -> CheckResult:
        try:
            written = self._write(result, now)
        except RecordError as error:
            self.counts.failed += 1
            self.failures.append((result.path, error))
            return result
        self._keep_transcript(written)
        return written

    def _keep_transcript(self, result: CheckResult) -> None:
        """Stores what was recognised, once the result is in the record: nothing is left of what is not recorded.

        The transcript of a recording that was known is replaced only if it was judged again.
        """
        if self.transcripts is None or not _is_new(result):
            return
        if result.added or not (self.transcripts / f"{result.sha256}.jsonl").exists():
            try:
                store_transcript(self.transcripts, result, self.options)
            except RecordError as error:
                self.counts.unkept += 1
                self.unkept.append(error)

    def _write(self, result: CheckResult, now: datetime) -> CheckResult:
        if not _is_new(result):
            self.counts.known += result.recalled
            return result
        before = self.record.latest_judgement(result.sha256 or "")
        judgement = self._judgement(result.path)
        if before is not None:
            if not self._is_judged_again(result, before, judgement):
                self.counts.known += 1
                self.counts.known_differently += not before.same_settings(judgement)
                return replace(result, judgement=before.number)
            result = replace(result, judgement=before.number + 1)
        recording = Recording(result.sha256 or "", readable(str(self.place(result.path).resolve())), result.seconds)
        plain = before is None and not self.options and result.events
        note = replace(judgement, stream=result.stream, number=result.judgement, program=__version__)
        origin = self._origin(result, before)
        added = self.record.add_recording(recording, result.events, origin, now, None if plain else note)
        self.counts.recorded += added and before is None
        self.counts.judged_again += added and before is not None
        self.counts.known += not added
        return replace(result, added=added)

    def _is_judged_again(self, result: CheckResult, before: Judgement, judgement: Judgement) -> bool:
        """Whether the result is recorded as a new judgement: with --again, and if the settings or the events differ."""
        if not self.again:
            return False
        recorded = [event_columns(event) for event in self.record.events(before.stream)]
        changed = recorded != [event_columns(event) for event in result.events]
        return changed or not before.same_settings(judgement)

    def _judgement(self, path: Path) -> Judgement:
        """How an input is judged in this run."""
        transcript = is_transcript(path)
        unused = "channels" if transcript else "speakers"
        options = {name: value for name, value in self.options.items() if name != unused}
        model = "transcript" if transcript else self.model
        return Judgement("", phrases_hash=self.digest, model=model, options=options)

    def _origin(self, result: CheckResult, before: Judgement | None) -> Origin:
        started = result.started.at if result.started else None
        if before and before.started and (started is None or (result.started and result.started.how != "given")):
            started = datetime.fromisoformat(before.started)
        counter = self.counter if self.counter or before is None else before.counter
        source = result.sha256 or ""
        return Origin(result.stream, source, counter, started, self.phrases, self.digest, result.model)


def _is_new(result: CheckResult) -> bool:
    return not (result.error or result.recalled)
