"""Worker processes of this machine: each loads the model once, and is watched for death and for dawdling."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.parent import end_with_parent
from counter_listener.batch.scheduler import WorkerLost
from counter_listener.batch.warm import context
from counter_listener.domain import AudioError, sentence

EXPECTED_RATIO: Final = 0.1
"""Seconds that a second of sound should take at most, on a slow machine and with a large model."""
TIMEOUT_FACTOR: Final = 20
"""How many times as long it may take before it is given up."""
MIN_TIMEOUT: Final = 60.0
"""Seconds that any recording may take, or a bundle of transcripts, for the model must be loaded, too."""
BYTES_PER_SECOND: Final = 1_000
"""Of sound, where the length is not known: as few as a codec for speech writes."""
TIMEOUT_EXIT_CODE: Final = 1
"""Exit status of a worker that its own alarm has ended (see faulthandler)."""

CheckFunction = Callable[[Path, CheckOptions], CheckResult]

_HERE: list[tuple[CheckFunction, CheckOptions]] = []
"""In a worker: what it does, and how."""


@dataclass
class ProcessWorker:
    """A place for one worker process, which is started at once, and again when it is needed and has died."""

    task: CheckOptions
    work: CheckFunction = check_file
    pool: ProcessPoolExecutor | None = None
    process: BaseProcess | None = None

    def __post_init__(self) -> None:
        self._start()

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Begins to check recordings or transcripts, one after the other."""
        try:
            return (self.pool or self._start()).submit(_check, paths)
        except BrokenExecutor:  # it died while it had nothing to do
            self.end()
            return self._start().submit(_check, paths)

    def lost(self, error: BaseException) -> WorkerLost | None:
        """What an error means, if the worker died."""
        if not isinstance(error, BrokenExecutor):
            return None
        if self.process:
            self.process.join(MIN_TIMEOUT)
        overdue = self.process is not None and self.process.exitcode == TIMEOUT_EXIT_CODE
        self.end()
        if overdue:
            return timed_out()
        return WorkerLost(sentence("made the speech engine crash, twice; is it damaged?"), again=True)

    def end(self) -> None:
        """Ends the worker at once."""
        pool, process, self.pool, self.process = self.pool, self.process, None, None
        if process:
            with suppress(ValueError, OSError):
                process.kill()
        if pool:
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        before = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(1, context(), _settle_in, (self.work, replace(self.task, progress=None)))
        pool.submit(int)  # only with work does the pool start its process
        self.pool, self.process = pool, next(iter(set(multiprocessing.active_children()) - before), None)
        return pool


def _settle_in(work: CheckFunction, task: CheckOptions) -> None:
    """In a worker: remembers its work, leaves Ctrl-C to the parent, ends with it, and sends last words nowhere.

    What it begins with it keeps to its end, so that the garbage collector need never look through it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno() if sys.stderr is not None else 2)
    _HERE[:] = [(work, task)]
    gc.freeze()
    end_with_parent()


def _check(paths: Sequence[Path]) -> list[CheckResult]:
    ((work, task),) = _HERE
    with time_limit(paths):
        return [work(path, task) for path in paths]


@contextmanager
def time_limit(paths: Sequence[Path], least: float = MIN_TIMEOUT) -> Iterator[None]:
    """Ends this process with the status GAVE_UP if the block takes too long for these recordings.

    The alarm is a thread in C, which no native code can keep from ringing. Ending one waits until the thread has had
    its turn, which on busy cores takes longer than a transcript: so there is one for a bundle of them.
    """
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(least, exit=True, file=nowhere)
        if (longer := sum(map(allowed_seconds, paths))) > least:
            faulthandler.dump_traceback_later(longer, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def timed_out() -> WorkerLost:
    """What became of a recording that took too long."""
    return WorkerLost(
        sentence(
            "took more than {count} times as long as it should, and was given up; is it damaged?", count=TIMEOUT_FACTOR
        ),
        again=False,
    )


def allowed_seconds(path: Path) -> float:
    """How many seconds a recording may take, where that is more than the least."""
    return TIMEOUT_FACTOR * EXPECTED_RATIO * recording_seconds(path)


def recording_seconds(path: Path) -> float:
    """How long a recording is, or may be; 0 for a transcript, and for what cannot be read: that is told soon enough."""
    if is_transcript(path):
        return 0.0
    from counter_listener.audio import probe

    try:
        known = probe(path).seconds
        return known if known is not None else path.stat().st_size / BYTES_PER_SECOND
    except (AudioError, OSError, ValueError):
        return 0.0
