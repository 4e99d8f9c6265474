"""Worker processes of this machine. Each is watched for crashes and time-outs, and replaced after them.

On Linux they are copies of one process, Python's fork server, which loads the program and the model while this process
prepares the rest: a model of a gigabyte is read once and is in memory once. The fork server has no threads, not even of
libvosk, and none of our open files, so copying it is safe. On other systems, where there is no fork server or native
libraries do not survive a fork (macOS), each worker starts from nothing, 0.5 s later, and loads the model itself.
"""

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.audio import probe
from counter_listener.batch.check import CheckOptions, CheckResult, check_file
from counter_listener.batch.scheduler import WorkerLost
from counter_listener.domain import AudioError, sentence

EXPECTED_RATIO: Final = 0.1
"""Seconds to check a second of sound, at most, on a slow machine and with a large model."""
TIMEOUT_FACTOR: Final = 20
"""A recording times out after this many times the expected time."""
MIN_TIMEOUT: Final = 60.0
"""Seconds allowed for any recording, or a bundle of transcripts; the model must be loaded in that time too."""
BYTES_PER_SECOND: Final = 1_000
"""Of a recording of unknown length: the lowest rate of a speech codec."""
TIMEOUT_EXIT_CODE: Final = 1
"""Exit code of a worker that its own alarm has ended (see faulthandler)."""
MODEL_VARIABLE: Final = "COUNTER_LISTENER_SHARED_MODEL"
"""Environment variable with the folder of the model to load; a fork server takes no arguments."""

CheckFunction = Callable[[Path, CheckOptions], CheckResult]

_JOB: list[tuple[CheckFunction, CheckOptions]] = []
"""In a worker: the function that checks a file, and its options."""


@dataclass
class ProcessWorker:
    """A worker process, started at once, and started again when it is needed after a crash."""

    options: CheckOptions
    function: CheckFunction = check_file
    pool: ProcessPoolExecutor | None = None
    process: BaseProcess | None = None

    def __post_init__(self) -> None:
        self._start()

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Starts to check recordings or transcripts, one after the other."""
        try:
            return (self.pool or self._start()).submit(_check, paths)
        except BrokenExecutor:  # it crashed while it was idle
            self.end()
            return self._start().submit(_check, paths)

    def lost(self, error: BaseException) -> WorkerLost | None:
        """Why the worker was lost, if that is what the error means."""
        if not isinstance(error, BrokenExecutor):
            return None
        if self.process:
            self.process.join(MIN_TIMEOUT)
        has_timed_out = self.process is not None and self.process.exitcode == TIMEOUT_EXIT_CODE
        self.end()
        if has_timed_out:
            return timed_out()
        return WorkerLost(sentence("made the speech engine crash, twice; is it damaged?"), retry=True)

    def end(self) -> None:
        """Stops the worker at once."""
        pool, process, self.pool, self.process = self.pool, self.process, None, None
        if process:
            with suppress(ValueError, OSError):
                process.kill()
        if pool:
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        before = set(multiprocessing.active_children())
        job = (self.function, replace(self.options, progress=None))
        pool = ProcessPoolExecutor(1, worker_context(), _prepare_worker, job)
        pool.submit(int)  # the pool starts its process with the first call
        self.pool, self.process = pool, next(iter(set(multiprocessing.active_children()) - before), None)
        return pool


def worker_context() -> BaseContext:
    """How worker processes are started."""
    return multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")


def start_preloading(model: Path | None, modules: Sequence[str] = ()) -> None:
    """Starts to load what workers need, in the background: these modules, and the model in this folder, if any."""
    context = worker_context()
    if context.get_start_method() == "forkserver":
        from multiprocessing.forkserver import ensure_running

        context.set_forkserver_preload([*modules, "counter_listener.batch.preload"])
        if model is not None:
            os.environ[MODEL_VARIABLE] = str(model)
        ensure_running()
        os.environ.pop(MODEL_VARIABLE, None)


def _prepare_worker(function: CheckFunction, options: CheckOptions) -> None:
    """In a worker: stores its job, ignores Ctrl-C, ends with the parent, and discards what a crash prints.

    What is in memory now stays to the end, so the garbage collector need not search it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno() if sys.stderr is not None else 2)
    _JOB[:] = [(function, options)]
    gc.freeze()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when its parent has ended: a parent that was killed cannot do it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(0)


def _check(paths: Sequence[Path]) -> list[CheckResult]:
    ((function, options),) = _JOB
    with time_limit(paths):
        return [function(path, options) for path in paths]


@contextmanager
def time_limit(paths: Sequence[Path], least: float = MIN_TIMEOUT) -> Iterator[None]:
    """Ends this process with TIMEOUT_EXIT_CODE if the block takes too long for these recordings.

    The alarm is a thread in C, which native code cannot block. To cancel it takes longer than to check a transcript on
    busy cores, so a bundle of transcripts has one alarm.
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
    """The outcome of a recording that took too long."""
    why = sentence(
        "took more than {count} times as long as it should, and was given up; is it damaged?", count=TIMEOUT_FACTOR
    )
    return WorkerLost(why, retry=False)


def allowed_seconds(path: Path) -> float:
    """Seconds that a recording may take by its length; 0 for a transcript and for a file that cannot be read."""
    if is_transcript(path):
        return 0.0
    try:
        seconds = probe(path).seconds
        seconds = path.stat().st_size / BYTES_PER_SECOND if seconds is None else seconds
    except (AudioError, OSError, ValueError):  # checking the file reports it
        return 0.0
    return TIMEOUT_FACTOR * EXPECTED_RATIO * seconds
