"""Checks many recordings at once, in worker processes or on a cluster, and gives the results in the order asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from counter_listener.batch import Result, Task, check_one, failed
from counter_listener.errors import AudioError
from counter_listener.inputs import Missing
from counter_listener.messages import Sentence

AHEAD: Final = 64
"""Results, for each worker, that may wait for an earlier recording to be finished: about 30 kB each."""
AWAKE: Final = 0.5
"""Seconds after which an interrupt is looked for."""

Known = Callable[[Path], Result | None]
"""Gives the result of an input that need not be checked any more, or None."""
Done = Callable[[Result], Result]
"""Told each result as soon as it is there, in any order; gives it back as it is to be shown."""


class Lost(Exception):  # noqa: N818 - what happened, not whose fault
    "A worker is gone, and what it was doing with it."

    def __init__(self, why: Sentence, *, again: bool) -> None:
        super().__init__(why, again)
        self.why = why
        """What became of it, as the end of a sentence that begins with the recording."""
        self.again = again
        """Whether another try may go better."""


class Hand(Protocol):
    """One worker's place: at most one recording at a time."""

    def check(self, path: Path) -> Future[Result]:
        """Begins to check a recording or transcript."""
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
    begun: int = 0
    """How many inputs have been handed out."""
    shown: int = 0
    """How many results have been given."""
    idle: list[Hand] = field(default_factory=list)
    again: deque[int] = field(default_factory=deque)
    """Inputs to be tried once more."""
    tried: set[int] = field(default_factory=set)
    underway: dict[Future[Result], tuple[int, Hand]] = field(default_factory=dict)
    finished: dict[int, Result] = field(default_factory=dict)


def check_here(inputs: Sequence[Path | Missing], task: Task, known: Known, done: Done) -> Generator[Result, None, None]:
    """One result for each input, one after the other in this process. Raises ModelError."""
    for one in inputs:
        if isinstance(one, Missing):
            yield done(failed(one.path, one.error))
        else:
            yield done(known(one) or check_one(one, task))


def check_many(
    inputs: Sequence[Path | Missing], hands: Sequence[Hand], known: Known, done: Done
) -> Generator[Result, None, None]:
    """One result for each input, in their order, whoever is finished first.

    What a worker dies of is tried once more and then becomes an error of that input. Raises ModelError. However it
    ends, no worker is left.
    """
    bench = Bench(inputs, hands, known, done, idle=list(hands))
    try:
        while bench.shown < len(inputs):
            _hand_out(bench)
            while bench.shown in bench.finished:
                yield bench.finished.pop(bench.shown)
                bench.shown += 1
            ready, _ = wait(bench.underway, AWAKE, FIRST_COMPLETED)
            came = [_take(bench, future) for future in ready]
            _hand_out(bench)  # nobody waits while what came is recorded
            for number, result in filter(None, came):
                bench.finished[number] = done(result)
    finally:
        for hand in hands:
            hand.end()


def _hand_out(bench: Bench) -> None:
    most = min(len(bench.inputs), bench.shown + AHEAD * len(bench.hands))
    while bench.idle and (bench.again or bench.begun < most):
        if bench.again:
            _begin(bench, bench.again.popleft())
            continue
        number, bench.begun = bench.begun, bench.begun + 1
        one = bench.inputs[number]
        result = failed(one.path, one.error) if isinstance(one, Missing) else bench.known(one)
        if result is None:
            _begin(bench, number)
        else:
            bench.finished[number] = bench.done(result)


def _begin(bench: Bench, number: int) -> None:
    hand = bench.idle.pop()
    one = bench.inputs[number]
    bench.underway[hand.check(one if isinstance(one, Path) else one.path)] = (number, hand)


def _take(bench: Bench, future: Future[Result]) -> tuple[int, Result] | None:
    """What came of an input, by its number; None where it is to be tried again."""
    number, hand = bench.underway.pop(future)
    error = future.exception()
    gone = hand.lost(error) if error else None
    bench.idle.append(hand)
    if error and gone is None:
        raise error
    if gone is None:
        return number, future.result()
    if gone.again and number not in bench.tried:
        bench.tried.add(number)
        bench.again.append(number)
        return None
    one = bench.inputs[number]
    path = one if isinstance(one, Path) else one.path
    return number, failed(path, AudioError("{path} {why}", path=path, why=gone.why))
