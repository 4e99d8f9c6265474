"""The last verification of the record that somebody asked for on the pages; one runs at a time, in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock, Thread

from counter_listener.domain import CounterListenerError, Sentence
from counter_listener.record import RecordPool, Verification


@dataclass(frozen=True, slots=True)
class Checked:
    """A verification that is done."""

    at: datetime
    found: Verification | None
    """None if the record could not be read."""
    failed: Sentence | None = None


class Checks:
    """Runs verifications, and keeps the result of the last one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.running = False
        self.last: Checked | None = None

    def begin(self, records: RecordPool, clock: Callable[[], datetime]) -> bool:
        """Begins to verify; false if it is being done already."""
        with self._lock:
            if self.running:
                return False
            self.running = True
        Thread(target=self._run, args=(records, clock), daemon=True).start()
        return True

    def _run(self, records: RecordPool, clock: Callable[[], datetime]) -> None:
        try:
            with records.reading() as record:
                found = record.verify()
            self.last = Checked(clock(), found)
        except CounterListenerError as error:
            self.last = Checked(clock(), None, error.sentence)
        finally:
            self.running = False
