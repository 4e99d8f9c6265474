"""Checks many recordings at once, in worker processes or on a cluster, and gives the results in the order asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final, Protocol

from counter_listener.asr import is_transcript
from counter_listener.batch.check import Result, Task, check_one, failed
from counter_listener.batch.inputs import Missing, is_recording, size_of
from counter_listener.domain import AudioError, Sentence

AHEAD: Final = 64
"""Results, for each worker, that may wait for an earlier recording to be finished: about 30 kB each."""
AWAKE: Final = 0.5
"""Seconds after which an interrupt is looked for."""
GATHERED: Final = 0.2
"""Seconds between two times of recording: what comes meanwhile is recorded together."""
BUNDLE: Final = 16
"""Transcripts that a worker is given at a time, for each takes it less time than it takes to give it one."""

Known = Callable[[Path], Result | None]
"""Gives the result of an input that need not be checked any more, or None."""
Done = Callable[[Sequence[Result]], Sequence[Result]]
"""Told results soon after they are there, in any order; gives each back as it is to be shown."""
Clock = Callable[[], float]
"""Seconds; it never goes back."""


class Lost(Exception):  # noqa: N818 - what happened, not whose fault
    "A worker is gone, and what it was doing with it."

    def __init__(self, why: Sentence, *, again: bool) -> None:
        super().__init__(why, again)
        self.why = why
        """What became of it, as the end of a sentence that begins with the recording."""
        self.again = again
        """Whether another try may go better."""


class Hand(Protocol):
    """One worker's place: at most one recording at a time, or a few transcripts."""

    def check(self, paths: Sequence[Path]) -> Future[list[Result]]:
        """Begins to check recordings or transcripts, one after the other."""
        ...

    def lost(self, error: BaseException) -> Lost | None:
        """What an error that came instead of a result means, if the worker is gone; it has a new one afterwards."""
        ...

    def end(self) -> None:
        """Ends the worker at once."""
        ...


@dataclass
class Bench:
    """What is under way and what has been finished out of turn."""

    inputs: Sequence[Path | Missing]
    hands: Sequence[Hand]
    known: Known
    done: Done
    clock: Clock
    seen: int = 0
    """How many inputs have come into view."""
    shown: int = 0
    """How many results have been given."""
    waiting: dict[int, int] = field(default_factory=dict)
    """Inputs in view that nobody has begun, in their order, and the bytes of each recording."""
    idle: list[Hand] = field(default_factory=list)
    again: deque[int] = field(default_factory=deque)
    """Inputs to be tried once more."""
    tried: set[int] = field(default_factory=set)
    underway: dict[Future[list[Result]], tuple[list[int], Hand]] = field(default_factory=dict)
    came: dict[int, Result] = field(default_factory=dict)
    """What is to be recorded."""
    recorded: float = -inf
    """When something was recorded last, by the clock."""
    finished: dict[int, Result] = field(default_factory=dict)


def check_here(inputs: Sequence[Path | Missing], task: Task, known: Known, done: Done) -> Generator[Result, None, None]:
    """One result for each input, one after the other in this process. Raises ModelError."""
    for one in inputs:
        result = failed(one.path, one.error) if isinstance(one, Missing) else known(one) or check_one(one, task)
        yield from done([result])


def check_many(
    inputs: Sequence[Path | Missing], hands: Sequence[Hand], known: Known, done: Done, clock: Clock
) -> Generator[Result, None, None]:
    """One result for each input, in their order, whoever is finished first.

    What a worker dies of is tried once more and then becomes an error of that input. Raises ModelError. However it
    ends, no worker is left.
    """
    bench = Bench(inputs, hands, known, done, clock, idle=list(hands))
    try:
        while bench.shown < len(inputs):
            _hand_out(bench)
            while bench.shown in bench.finished:
                yield bench.finished.pop(bench.shown)
                bench.shown += 1
            ready, _ = wait(bench.underway, _patience(bench), FIRST_COMPLETED)
            for future in ready:
                _take(bench, future)
            _hand_out(bench)  # nobody waits while what came is recorded
            _record(bench)
    finally:
        for hand in hands:
            hand.end()


def _hand_out(bench: Bench) -> None:
    while bench.idle and bench.again:
        _begin(bench, [bench.again.popleft()])
    while bench.idle and (numbers := _next(bench)):
        _begin(bench, numbers)


def _next(bench: Bench) -> list[int]:
    """What is to be checked next: a recording, or a bundle of transcripts; what is known needs no checking."""
    _look_ahead(bench)
    size = max(1, min(BUNDLE, len(bench.waiting) // (2 * len(bench.hands))))
    numbers: list[int] = []
    while bench.waiting and len(numbers) < size and (number := _chosen(bench, numbers)) is not None:
        del bench.waiting[number]
        one = bench.inputs[number]
        result = failed(one.path, one.error) if isinstance(one, Missing) else bench.known(one)
        if result is None:
            numbers.append(number)
        else:
            bench.came[number] = result
    return numbers


def _look_ahead(bench: Bench) -> None:
    """Brings into view what may be begun before the next result is shown."""
    most = min(len(bench.inputs), bench.shown + AHEAD * len(bench.hands))
    while bench.seen < most:
        one = bench.inputs[bench.seen]
        bench.waiting[bench.seen] = size_of(_path(one)) if is_recording(one) else 0
        bench.seen += 1


def _chosen(bench: Bench, numbers: Sequence[int]) -> int | None:
    """The input that goes next, with these if there are any; None where none may go with them.

    That is the one to be shown next, and after it the largest recording in view: at the end no worker is then left with
    a long one while the others have nothing to do (Graham, Bounds on multiprocessing timing anomalies, 1969).
    Transcripts, which are short, go in their order.
    """
    first = next(iter(bench.waiting))
    ordered = is_transcript(_path(bench.inputs[first]))
    if numbers:
        return first if ordered and is_transcript(_path(bench.inputs[numbers[0]])) else None
    if ordered or first == bench.shown:
        return first
    return max(bench.waiting, key=bench.waiting.__getitem__)


def _patience(bench: Bench) -> float:
    """Seconds until something must be seen to, whatever the workers do."""
    return max(0.0, bench.recorded + GATHERED - bench.clock()) if bench.came else AWAKE


def _record(bench: Bench) -> None:
    """Records what came, unless more is to come and something was recorded just now."""
    if bench.came and (_patience(bench) <= 0.0 or not bench.underway):
        bench.finished.update(zip(bench.came, bench.done(list(bench.came.values())), strict=True))
        bench.came.clear()
        bench.recorded = bench.clock()


def _begin(bench: Bench, numbers: list[int]) -> None:
    hand = bench.idle.pop()
    bench.underway[hand.check([_path(bench.inputs[number]) for number in numbers])] = (numbers, hand)


def _take(bench: Bench, future: Future[list[Result]]) -> None:
    """Takes what came of inputs; they are tried again, each alone, where that may go better."""
    numbers, hand = bench.underway.pop(future)
    error = future.exception()
    gone = hand.lost(error) if error else None
    bench.idle.append(hand)
    if error and gone is None:
        raise error
    if gone is None:
        bench.came.update(zip(numbers, future.result(), strict=True))
    elif len(numbers) > 1:
        bench.again.extend(numbers)
    elif gone.again and numbers[0] not in bench.tried:
        bench.tried.update(numbers)
        bench.again.extend(numbers)
    else:
        path = _path(bench.inputs[numbers[0]])
        bench.came[numbers[0]] = failed(path, AudioError("{path} {why}", path=path, why=gone.why))


def _path(one: Path | Missing) -> Path:
    return one if isinstance(one, Path) else one.path
