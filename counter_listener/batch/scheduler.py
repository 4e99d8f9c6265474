"""Checks many recordings at once, in worker processes or on a cluster, and gives the results in the order asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final, Protocol

from counter_listener.asr import is_transcript
from counter_listener.batch.check import CheckOptions, CheckResult, check_file, failed_result
from counter_listener.batch.inputs import MissingInput, file_size, is_recording
from counter_listener.domain import AudioError, Sentence

MAX_WAITING_RESULTS: Final = 64
"""Results, for each worker, that may wait for an earlier recording to be finished: about 30 kB each."""
POLL_SECONDS: Final = 0.5
"""Seconds after which an interrupt is looked for."""
WRITE_INTERVAL: Final = 0.2
"""Seconds between two times of recording: what comes meanwhile is recorded together."""
TRANSCRIPTS_PER_CALL: Final = 16
"""Transcripts that a worker is given at a time, for each takes it less time than it takes to give it one."""

KnownResult = Callable[[Path], CheckResult | None]
"""Returns the recorded result of an input that need not be checked again, else None."""
Clock = Callable[[], float]
"""Seconds; it never goes back."""


class WorkerLost(Exception):  # noqa: N818 - what happened, not whose fault
    "A worker is gone, and what it was doing with it."

    def __init__(self, why: Sentence, *, again: bool) -> None:
        super().__init__(why, again)
        self.why = why
        """What became of it, as the end of a sentence that begins with the recording."""
        self.again = again
        """Whether another try may go better."""


class Worker(Protocol):
    """One worker's place: at most one recording at a time, or a few transcripts."""

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Begins to check recordings or transcripts, one after the other."""
        ...

    def lost(self, error: BaseException) -> WorkerLost | None:
        """What an error that came instead of a result means, if the worker is gone; it has a new one afterwards."""
        ...

    def end(self) -> None:
        """Ends the worker at once."""
        ...


@dataclass
class Schedule:
    """The state of a run: what is waiting, what is being checked, what is finished."""

    inputs: Sequence[Path | MissingInput]
    workers: Sequence[Worker]
    known: KnownResult
    clock: Clock
    seen: int = 0
    """Number of inputs that have been considered."""
    waiting: dict[int, int] = field(default_factory=dict)
    """Inputs that were considered and not started, in input order, with the bytes of each recording."""
    idle: list[Worker] = field(default_factory=list)
    retries: deque[int] = field(default_factory=deque)
    """Inputs that are tried once more."""
    retried: set[int] = field(default_factory=set)
    running: dict[Future[list[CheckResult]], tuple[list[int], Worker]] = field(default_factory=dict)
    finished: dict[int, CheckResult] = field(default_factory=dict)
    """Results that have not been given to the caller."""
    given_at: float = -inf
    """When results were last given to the caller, by the clock."""
    given: set[int] = field(default_factory=set)
    """Inputs whose results were given before the result of an earlier input."""
    complete: int = 0
    """Number of inputs from the first on whose results were given."""


@dataclass
class InputOrder:
    """Puts results back into the order of the inputs."""

    waiting: dict[int, CheckResult] = field(default_factory=dict)
    """Results of inputs that follow an unfinished input."""
    next: int = 0

    def release(self, results: Mapping[int, CheckResult]) -> Iterator[CheckResult]:
        """The results that can be shown now."""
        self.waiting.update(results)
        while self.next in self.waiting:
            yield self.waiting.pop(self.next)
            self.next += 1


def check_inline(
    inputs: Sequence[Path | MissingInput], options: CheckOptions, known: KnownResult
) -> Generator[dict[int, CheckResult], None, None]:
    """The result of each input by its number, one after the other, in this process. Raises ModelError."""
    for number, one in enumerate(inputs):
        if isinstance(one, MissingInput):
            yield {number: failed_result(one.path, one.error)}
        else:
            yield {number: known(one) or check_file(one, options)}


def check_with_workers(
    inputs: Sequence[Path | MissingInput], workers: Sequence[Worker], known: KnownResult, clock: Clock
) -> Generator[dict[int, CheckResult], None, None]:
    """The results by input number, in batches, in the order in which they are finished.

    An input that kills a worker is tried once more and then fails. Raises ModelError. All workers are stopped at the
    end, whatever the cause.
    """
    schedule = Schedule(inputs, workers, known, clock, idle=list(workers))
    try:
        while schedule.complete < len(inputs):
            _start_idle(schedule)
            ready, _ = wait(schedule.running, _wait_seconds(schedule), FIRST_COMPLETED)
            for future in ready:
                _collect(schedule, future)
            _start_idle(schedule)  # no worker is idle while the caller records the results
            if results := _due(schedule):
                yield results
    finally:
        for worker in workers:
            worker.end()


def _start_idle(schedule: Schedule) -> None:
    while schedule.idle and schedule.retries:
        _begin(schedule, [schedule.retries.popleft()])
    while schedule.idle and (numbers := _next(schedule)):
        _begin(schedule, numbers)


def _next(schedule: Schedule) -> list[int]:
    """What is to be checked next: a recording, or a bundle of transcripts; what is known needs no checking."""
    _look_ahead(schedule)
    size = max(1, min(TRANSCRIPTS_PER_CALL, len(schedule.waiting) // (2 * len(schedule.workers))))
    numbers: list[int] = []
    while schedule.waiting and len(numbers) < size and (number := _chosen(schedule, numbers)) is not None:
        del schedule.waiting[number]
        one = schedule.inputs[number]
        result = failed_result(one.path, one.error) if isinstance(one, MissingInput) else schedule.known(one)
        if result is None:
            numbers.append(number)
        else:
            schedule.finished[number] = result
    return numbers


def _look_ahead(schedule: Schedule) -> None:
    """Brings into view what may be begun before the next result is shown."""
    most = min(len(schedule.inputs), schedule.complete + MAX_WAITING_RESULTS * len(schedule.workers))
    while schedule.seen < most:
        one = schedule.inputs[schedule.seen]
        schedule.waiting[schedule.seen] = file_size(_path(one)) if is_recording(one) else 0
        schedule.seen += 1


def _chosen(schedule: Schedule, numbers: Sequence[int]) -> int | None:
    """The input that goes next, with these if there are any; None where none may go with them.

    That is the one to be shown next, and after it the largest recording in view: at the end no worker is then left with
    a long one while the others have nothing to do (Graham, Bounds on multiprocessing timing anomalies, 1969).
    Transcripts, which are short, go in their order.
    """
    first = next(iter(schedule.waiting))
    ordered = is_transcript(_path(schedule.inputs[first]))
    if numbers:
        return first if ordered and is_transcript(_path(schedule.inputs[numbers[0]])) else None
    if ordered or first == schedule.complete:
        return first
    return max(schedule.waiting, key=schedule.waiting.__getitem__)


def _wait_seconds(schedule: Schedule) -> float:
    """Seconds to wait for workers before something else is due."""
    if not schedule.finished:
        return POLL_SECONDS
    return max(0.0, schedule.given_at + WRITE_INTERVAL - schedule.clock())


def _due(schedule: Schedule) -> dict[int, CheckResult]:
    """The finished results, unless more will follow and results were given just before."""
    if not schedule.finished or (_wait_seconds(schedule) > 0.0 and schedule.running):
        return {}
    results, schedule.finished = schedule.finished, {}
    schedule.given_at = schedule.clock()
    schedule.given.update(results)
    while schedule.complete in schedule.given:
        schedule.given.remove(schedule.complete)
        schedule.complete += 1
    return results


def _begin(schedule: Schedule, numbers: list[int]) -> None:
    worker = schedule.idle.pop()
    schedule.running[worker.check([_path(schedule.inputs[number]) for number in numbers])] = (numbers, worker)


def _collect(schedule: Schedule, future: Future[list[CheckResult]]) -> None:
    """Takes what came of inputs; they are tried again, each alone, where that may go better."""
    numbers, worker = schedule.running.pop(future)
    error = future.exception()
    gone = worker.lost(error) if error else None
    schedule.idle.append(worker)
    if error and gone is None:
        raise error
    if gone is None:
        schedule.finished.update(zip(numbers, future.result(), strict=True))
    elif len(numbers) > 1:
        schedule.retries.extend(numbers)
    elif gone.again and numbers[0] not in schedule.retried:
        schedule.retried.update(numbers)
        schedule.retries.extend(numbers)
    else:
        path = _path(schedule.inputs[numbers[0]])
        schedule.finished[numbers[0]] = failed_result(path, AudioError("{path} {why}", path=path, why=gone.why))


def _path(one: Path | MissingInput) -> Path:
    return one if isinstance(one, Path) else one.path
