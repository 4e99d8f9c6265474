"""A process beside the server, for what takes a core, or uses a library that could crash: models and phrase sets."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, Final, TypeVar

from counter_listener.domain import AudioError, CounterListenerError

Result = TypeVar("Result")
PATIENCE: Final = 60.0
"""Seconds that an answer may take."""
IDLE: Final = 600.0
"""Seconds without work after which the process ends, with the model that it holds in memory."""


class Worker:
    """Runs functions one after the other in a process of its own, which starts when it is needed.

    What takes long to load, such as a model, the functions keep in that process (functools.lru_cache).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: Any = None
        self._connection: Connection | None = None

    def run(self, function: Callable[..., Result], *arguments: object, patience: float = PATIENCE) -> Result:
        """What the function returns; it and its arguments can be pickled.

        Raises the CounterListenerError that it raises, and AudioError if the process crashed or took too long.
        """
        with self._lock:
            failed, value = self._ask((function, arguments), patience)
        if failed:
            raise value
        result: Result = value
        return result

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _ask(self, work: object, patience: float) -> tuple[bool, Any]:
        try:
            return self._answer(work, patience)
        except (EOFError, OSError):  # it had ended by itself, or crashed: once more in a new one
            self._end()
        try:
            return self._answer(work, patience)
        except (EOFError, OSError):
            self._end()
            raise AudioError("The recogniser crashed on this; try other words.") from None

    def _answer(self, work: object, patience: float) -> tuple[bool, Any]:
        connection = self._started()
        connection.send(work)
        if not connection.poll(patience):
            self._end()
            raise AudioError("This takes longer than {seconds:g} s here; try it with less.", seconds=patience)
        answer: tuple[bool, Any] = connection.recv()
        return answer

    def _started(self) -> Connection:
        if self._connection is None or not self._process.is_alive():
            self._end()
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._connection = None


def _work(connection: Connection) -> None:
    """In the process: does what is asked until nothing more is asked, or the server is gone."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while connection.poll(IDLE):
            function, arguments = connection.recv()
            try:
                answer = (False, function(*arguments))
            except CounterListenerError as error:
                answer = (True, error)
            connection.send(answer)
