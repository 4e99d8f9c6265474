"""One run of `check`, `watch` or a job of the pages over recordings: model, phrase set, record, workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counter_listener.asr import SpeechModel, find_model, find_speaker_model
from counter_listener.batch.check import CheckOptions, CheckResult
from counter_listener.batch.cluster import cluster_workers
from counter_listener.batch.inputs import Input, is_recording
from counter_listener.batch.recorder import Recorder
from counter_listener.batch.scheduler import Clock, Worker, check_inline, check_with_workers
from counter_listener.batch.stored_transcripts import transcripts_folder
from counter_listener.batch.workers import ProcessWorker, start_preloading
from counter_listener.domain import Speaker
from counter_listener.judging import load_matcher
from counter_listener.matching import Matcher, with_cache

if TYPE_CHECKING:
    from counter_listener.record import Record

TRANSCRIPTS_PER_WORKER: Final = 100
"""Transcripts that one process checks in the time in which a worker process starts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How recordings are checked and recorded. It can be pickled."""

    phrases: str
    """A .toml file, or the name of a phrase set."""
    model: str
    """A folder, or the name of a model."""
    record: str | None
    """The file or URL of the record; None records nothing."""
    beside: Path | None = None
    """The file of the record, beside which phrase sets in force lie."""
    key: Path | None = None
    """The key that signs the record."""
    counter: str | None = None
    started: datetime | None = None
    """Start time of every recording, if it was given."""
    one_visit: bool = False
    channels: tuple[Speaker, ...] = ()
    speakers: Mapping[str, Speaker] = field(default_factory=dict)
    executor: str | None = None
    """The address of a dask cluster, `dask:tcp://HOST:PORT`; None works on this machine."""
    again: bool = False
    keep_transcripts: bool = False
    skip_silence: bool = True
    who_spoke: bool = False
    """Whether the clerk's voice is learnt from each recording."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run works with."""

    matcher: Matcher
    options: CheckOptions
    recorder: Recorder | None
    executor: str | None

    def workers(self, number: int) -> list[Worker]:
        """So many new worker processes, or those of the cluster. Raises UsageError."""
        if self.executor is not None:
            return list(cluster_workers(self.executor, self.options))
        return [ProcessWorker(self.options) for _ in range(number)]


@contextmanager
def open_run(plan: Plan, *, preload: bool, sound: bool = True, modules: Sequence[str] = ()) -> Iterator[Run]:
    """Opens the model, the phrase set and the record.

    With `preload` the process that workers are copied from begins meanwhile to load `modules`, and the model if there
    is `sound` to check. Raises ModelError, PhraseSetError, RecordError.
    """
    model = SpeechModel(find_model(plan.model), find_speaker_model() if plan.who_spoke else None)
    if preload and plan.executor is None:
        start_preloading(model.folder if sound else None, modules=modules)
    matcher, digest = load_matcher(plan.phrases, beside=plan.beside)
    options = CheckOptions(
        with_cache(matcher),
        model,
        skip_silence=plan.skip_silence,
        given_start=plan.started,
        one_visit=plan.one_visit,
        roles=plan.channels,
        speakers=plan.speakers,
        keep=plan.keep_transcripts,
    )
    with ExitStack() as stack:
        recorder = None
        if plan.record is not None:
            from counter_listener.record import open_record

            record = stack.enter_context(open_record(plan.record, key_file=plan.key))
            record.require_key()
            recorder = make_recorder(record, plan, matcher.phrases.name, digest, model.name)
        yield Run(matcher, options, recorder, plan.executor)


def make_recorder(record: Record, plan: Plan, phrases: str, digest: str, model: str) -> Recorder:
    """What writes the results to the record, under the names of the phrase set and the model that judged them."""
    judged_with = {
        "one_visit": plan.one_visit,
        "who_spoke": plan.who_spoke,
        "channels": list(plan.channels),
        "speakers": dict(sorted(plan.speakers.items())),
    }
    return Recorder(
        record,
        phrases,
        digest,
        model,
        plan.counter,
        options={name: value for name, value in judged_with.items() if value},
        again=plan.again,
        transcripts=transcripts_folder(record.path) if plan.keep_transcripts else None,
    )


def recorded_batches(  # noqa: PLR0913 - one for each thing that it works with
    inputs: Sequence[Input],
    options: CheckOptions,
    workers: Sequence[Worker],
    recorder: Recorder | None,
    clock: Clock,
    now: Callable[[], datetime],
) -> Generator[dict[int, CheckResult], None, None]:
    """The results by input number, in batches, recorded; without workers this process checks the inputs itself.

    Raises ModelError, RecordError. All workers are stopped at the end.
    """
    known = recorder.find_recorded if recorder else lambda _path: None
    batches = check_with_workers(inputs, workers, known, clock) if workers else check_inline(inputs, options, known)
    with closing(batches):
        for batch in batches:
            yield recorder.write(batch, now()) if recorder else batch


def worker_count(jobs: int | None, inputs: Sequence[Input]) -> int:
    """The number of worker processes; 0 if this process does the work.

    Without `jobs` a worker is started for each recording or TRANSCRIPTS_PER_WORKER transcripts, at most one a core. A
    single recording needs no worker: if it crashes the engine, no other recording is affected.
    """
    recordings = sum(map(is_recording, inputs))
    useful = recordings + (len(inputs) - recordings) // TRANSCRIPTS_PER_WORKER
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    number = min(cores, useful) if jobs is None else min(jobs, len(inputs))
    return 0 if number <= 1 and recordings <= 1 else number
