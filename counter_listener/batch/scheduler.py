"""Checks many recordings at once, in worker processes or on a cluster, and puts the results into input order."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final, Protocol

from counter_listener.asr import is_transcript
from counter_listener.batch.check import CheckOptions, CheckResult, check_file, failed_result
from counter_listener.batch.inputs import Input, file_size, input_path, is_recording
from counter_listener.domain import AudioError, Sentence

MAX_WAITING_RESULTS: Final = 64
"""Results per worker that may wait for an unfinished earlier recording: about 30 kB each."""
POLL_SECONDS: Final = 0.5
"""Seconds between two checks for Ctrl-C."""
WRITE_INTERVAL: Final = 0.2
"""Seconds between two batches: the results of that time are recorded together."""
TRANSCRIPTS_PER_CALL: Final = 16
"""Transcripts per call to a worker: to check one takes less time than the call."""

KnownResult = Callable[[Path], CheckResult | None]
"""Returns the recorded result of an input that need not be checked again, otherwise None."""
Clock = Callable[[], float]
"""Returns seconds and never goes back."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker was lost together with the inputs that it was checking."""

    why: Sentence
    """The end of a sentence that begins with the path of the recording."""
    retry: bool
    """Whether the input may be tried again."""


class Worker(Protocol):
    """A worker, which checks one recording at a time, or a few transcripts."""

    def check(self, paths: Sequence[Path]) -> Future[list[CheckResult]]:
        """Starts to check recordings or transcripts, one after the other."""
        ...

    def lost(self, error: BaseException) -> WorkerLost | None:
        """Why the worker was lost, if that is what an error means. It can be used again afterwards."""
        ...

    def end(self) -> None:
        """Stops the worker at once."""
        ...


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


@dataclass
class Schedule:
    """The state of a run: what is waiting, what is being checked, what is finished."""

    inputs: Sequence[Input]
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
    """Results that have not been returned to the caller."""
    returned_at: float = -inf
    """When results were last returned to the caller, by the clock."""
    order: InputOrder = field(default_factory=InputOrder)
    """Which results the caller can show; `order.next` is the first input without a returned result."""


def check_inline(
    inputs: Sequence[Input], options: CheckOptions, known: KnownResult
) -> Generator[dict[int, CheckResult], None, None]:
    """The result of each input by its number, one after the other, in this process. Raises ModelError."""
    for number, item in enumerate(inputs):
        yield {number: _result_without_check(item, known) or check_file(input_path(item), options)}


def _result_without_check(item: Input, known: KnownResult) -> CheckResult | None:
    return item if isinstance(item, CheckResult) else known(item)


def check_with_workers(
    inputs: Sequence[Input], workers: Sequence[Worker], known: KnownResult, clock: Clock
) -> Generator[dict[int, CheckResult], None, None]:
    """The results by input number, in batches, in the order in which they are finished.

    An input that kills a worker is tried once more and then fails. Raises ModelError. All workers are stopped at the
    end, whatever the cause.
    """
    schedule = Schedule(inputs, workers, known, clock, idle=list(workers))
    try:
        while schedule.order.next < len(inputs):
            _start_idle(schedule)
            ready, _ = wait(schedule.running, _wait_seconds(schedule), FIRST_COMPLETED)
            schedule.clock()  # a watchdog takes each reading for a sign that the loop goes on
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
        _start(schedule, [schedule.retries.popleft()])
    while schedule.idle and (numbers := _next_inputs(schedule)):
        _start(schedule, numbers)


def _start(schedule: Schedule, numbers: list[int]) -> None:
    worker = schedule.idle.pop()
    schedule.running[worker.check([input_path(schedule.inputs[number]) for number in numbers])] = (numbers, worker)


def _next_inputs(schedule: Schedule) -> list[int]:
    """The next input to check: a recording, or a bundle of transcripts. Known results are finished on the way."""
    _look_ahead(schedule)
    size = max(1, min(TRANSCRIPTS_PER_CALL, len(schedule.waiting) // (2 * len(schedule.workers))))
    numbers: list[int] = []
    while schedule.waiting and len(numbers) < size and (number := _choose(schedule, numbers)) is not None:
        del schedule.waiting[number]
        result = _result_without_check(schedule.inputs[number], schedule.known)
        if result is None:
            numbers.append(number)
        else:
            schedule.finished[number] = result
    return numbers


def _look_ahead(schedule: Schedule) -> None:
    """Considers the inputs that may be started before the next result is shown."""
    most = min(len(schedule.inputs), schedule.order.next + MAX_WAITING_RESULTS * len(schedule.workers))
    while schedule.seen < most:
        item = schedule.inputs[schedule.seen]
        schedule.waiting[schedule.seen] = file_size(input_path(item)) if is_recording(item) else 0
        schedule.seen += 1


def _choose(schedule: Schedule, numbers: Sequence[int]) -> int | None:
    """The next input to start, together with `numbers` if there are any; None if no input may go with them.

    That is the input to be shown next, and then the largest recording that is considered: so at the end no worker has a
    long recording while the others are idle (Graham, Bounds on multiprocessing timing anomalies, 1969). Transcripts,
    which are short, are taken in their order.
    """
    first = next(iter(schedule.waiting))
    ordered = is_transcript(input_path(schedule.inputs[first]))
    if numbers:
        return first if ordered and is_transcript(input_path(schedule.inputs[numbers[0]])) else None
    if ordered or first == schedule.order.next:
        return first
    return max(schedule.waiting, key=schedule.waiting.__getitem__)


def _wait_seconds(schedule: Schedule) -> float:
    """Seconds to wait for workers before the next check for Ctrl-C, or the next batch."""
    if not schedule.finished:
        return POLL_SECONDS
    return max(0.0, schedule.returned_at + WRITE_INTERVAL - schedule.clock())


def _due(schedule: Schedule) -> dict[int, CheckResult]:
    """The finished results, unless more will follow and the last batch was just before."""
    if not schedule.finished or (_wait_seconds(schedule) > 0.0 and schedule.running):
        return {}
    results, schedule.finished = schedule.finished, {}
    schedule.returned_at = schedule.clock()
    for _ in schedule.order.release(results):
        pass  # the caller shows it
    return results


def _collect(schedule: Schedule, future: Future[list[CheckResult]]) -> None:
    """Takes the results of a worker. After a crash the inputs are tried again, each alone."""
    numbers, worker = schedule.running.pop(future)
    error = future.exception()
    lost = worker.lost(error) if error else None
    schedule.idle.append(worker)
    if error and lost is None:
        raise error
    if lost is None:
        schedule.finished.update(zip(numbers, future.result(), strict=True))
    elif len(numbers) > 1:
        schedule.retries.extend(numbers)
    elif lost.retry and numbers[0] not in schedule.retried:
        schedule.retried.update(numbers)
        schedule.retries.extend(numbers)
    else:
        path = input_path(schedule.inputs[numbers[0]])
        schedule.finished[numbers[0]] = failed_result(path, AudioError("{path} {why}", path=path, why=lost.why))
