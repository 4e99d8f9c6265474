"""Checks recordings as they arrive in folders, by the same path as `check`, and tells what became of each file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from counter_listener.asr import is_transcript
from counter_listener.audio import is_whole, probe
from counter_listener.batch.arrivals import Arrivals, look_at
from counter_listener.batch.check import CheckResult, Tally
from counter_listener.batch.inputs import NO_RIGHTS, is_recording, why_left_out
from counter_listener.batch.moving import Mover
from counter_listener.batch.running import Run, recorded_batches, worker_count
from counter_listener.batch.scheduler import Clock
from counter_listener.domain import (
    N_,
    AudioError,
    CounterListenerError,
    RecordError,
    Sentence,
    UsageError,
    sentence,
    system_reason,
)

Kind = Literal["checked", "known", "again", "failed", "unrecorded", "unmoved", "left_out", "missing", "back"]
"""What became of a file: checked and recorded; it was in the record before; it failed and is tried again; it failed
for good; it could not be recorded, or moved, and is tried again; it is no recording. A watched folder went or came."""

CUT: Final = N_("it is shorter than its header says")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file, or of a watched folder."""

    kind: Kind
    path: Path
    why: Sentence | None = None
    result: CheckResult | None = None
    moved: Path | None = None


@dataclass
class Watcher:
    """Watches folders with one run."""

    folders: Sequence[Path]
    run: Run
    arrivals: Arrivals
    jobs: int | None
    """Worker processes; None for one a core at most."""
    mover: Mover | None
    """None leaves the files where they are."""
    clock: Clock
    now: Callable[[], datetime]
    tell: Callable[[Outcome], None]
    tally: Tally = field(default_factory=Tally)
    """Of the files that are dealt with."""
    left_out: int = 0
    moved: int = 0
    gave_up: list[Path] = field(default_factory=list)
    unrecorded: set[Path] = field(default_factory=set)
    """Files whose results are not in the record yet."""
    _missing: list[Path] = field(default_factory=list)

    def look(self) -> None:
        """Looks at the folders, and tells which cannot be read since, and which can be again."""
        looks, missing = look_at(self.folders, self._is_ours)
        for folder in missing:
            if folder not in self._missing:
                self.tell(Outcome("missing", folder))
        for folder in self._missing:
            if folder not in missing:
                self.tell(Outcome("back", folder))
        self._missing = missing
        self.arrivals.see(looks, missing, self.clock())

    def work(self) -> None:
        """Deals with the files that are whole. Raises ModelError."""
        due = self.arrivals.due(self.clock())
        if inputs := [path for path in due if self._is_ready(path)]:
            left = set(inputs)
            try:
                self._check(inputs, left)
            except (RecordError, UsageError) as error:  # the disk is full, or no cluster answers
                for path in sorted(left):
                    self._not_recorded(path, error)

    def _check(self, inputs: list[Path], left: set[Path]) -> None:
        number = worker_count(self.jobs, inputs) or int(
            any(map(is_recording, inputs))
        )  # a crash must not end the watch
        recorder = self.run.recorder
        workers = self.run.workers(number)
        for batch in recorded_batches(inputs, self.run.options, workers, recorder, self.clock, self.now):
            lost = dict(recorder.failures) if recorder else {}
            for result in batch.values():
                left.discard(result.path)
                if result.path in lost:
                    self._not_recorded(result.path, lost[result.path])
                else:
                    self._finish(result)
            if recorder:
                recorder.failures.clear()

    def _is_ours(self, path: Path) -> bool:
        """Whether it is the record, what lies beside it, or where files are moved to."""
        record = self.run.recorder.record.path if self.run.recorder else None
        if record is not None and path.parent.absolute() == record.parent and path.name.startswith(record.name):
            return True
        return self.mover is not None and path.absolute() == self.mover.target.absolute()

    def _is_ready(self, path: Path) -> bool:
        reason = why_left_out(path)
        if reason is not None and reason != NO_RIGHTS:
            self.left_out += 1
            self.arrivals.done(path)
            self.tell(Outcome("left_out", path, Sentence(reason)))
            return False
        why = Sentence(reason) if reason else _why_not_whole(path)
        if why is not None and self.arrivals.failed(path, self.clock()):
            self.tell(Outcome("again", path, why))
            return False
        return True  # what is still not whole is checked as it is, and told of

    def _finish(self, result: CheckResult) -> None:
        path, why = result.path, result.error.sentence if result.error else None
        if why is not None and self.arrivals.failed(path, self.clock()):
            self.tell(Outcome("again", path, why))
            return
        self.unrecorded.discard(path)
        moved = None
        if why is not None:
            self.gave_up.append(path)
        elif self.mover is not None:
            try:
                moved = self.mover.move(path)
            except OSError as error:
                self.arrivals.failed(path, self.clock(), forever=True)
                self.tell(Outcome("unmoved", path, system_reason(error), result))
                return
            self.moved += 1
        self.tally.add(result)
        self.arrivals.done(path)
        kind: Kind = "failed" if why else "known" if result.recalled or not result.added else "checked"
        self.tell(Outcome(kind, path, why, result, moved))

    def _not_recorded(self, path: Path, error: CounterListenerError) -> None:
        self.arrivals.failed(path, self.clock(), forever=True)
        self.unrecorded.add(path)
        self.tell(Outcome("unrecorded", path, error.sentence))


def _why_not_whole(path: Path) -> Sentence | None:
    """Why a file seems not to be whole yet; None if it does not."""
    if is_transcript(path):
        return None
    try:
        probe(path)
    except AudioError as error:
        return error.sentence
    with suppress(AudioError):
        if not is_whole(path):
            return sentence(CUT)
    return None
