"""What a version of a phrase set would change: found out in a thread and a process of its own, one at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock, Thread
from typing import Final

from counter_listener.batch import Estimate
from counter_listener.domain import CounterListenerError, Sentence
from counter_listener.web.set_work import judge_again
from counter_listener.web.versions import Version
from counter_listener.web.worker import Worker

BACK: Final = timedelta(days=30)
"""The visits that are judged again."""
PATIENCE: Final = 900.0
"""Seconds."""
MOST_KEPT: Final = 8

Key = tuple[str, str]
"""The digests of the version and of the one that is in force."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """What was found out."""

    at: datetime
    found: Estimate | None
    failed: Sentence | None = None


class Estimates:
    """Estimates by what was asked; they are kept until the server ends, or others need the room."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._worker = Worker()
        self._running: Key | None = None
        self._done: OrderedDict[Key, Estimated] = OrderedDict()

    def close(self) -> None:
        """Ends what runs."""
        self._worker.close()

    def is_running(self, draft: Version, old: Version) -> bool:
        """Whether this is being found out."""
        return self._running == (draft.digest, old.digest)

    def is_busy(self) -> bool:
        """Whether something is being found out."""
        return self._running is not None

    def result(self, draft: Version, old: Version) -> Estimated | None:
        """What was found out about two versions."""
        return self._done.get((draft.digest, old.digest))

    def begin(self, record: str, draft: Version, old: Version, clock: Callable[[], datetime]) -> bool:
        """Begins to judge the visits of the last month again; false while another such work runs."""
        key = draft.digest, old.digest
        with self._lock:
            if self._running is not None:
                return False
            self._running = key
        asked = record, (draft.path, key[0]), (old.path, key[1]), clock() - BACK
        Thread(target=self._run, args=(key, asked, clock), daemon=True).start()
        return True

    def _run(self, key: Key, asked: tuple[object, ...], clock: Callable[[], datetime]) -> None:
        try:
            done = Estimated(clock(), self._worker.run(judge_again, *asked, patience=PATIENCE))
        except CounterListenerError as error:
            done = Estimated(clock(), None, error.sentence)
        self._done[key] = done
        while len(self._done) > MOST_KEPT:
            self._done.popitem(last=False)
        self._running = None
