"""What the server does by itself while it runs, each in a thread of its own: reports, messages, purges, clips."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Final

from counter_listener.domain import N_, CounterListenerError, Sentence
from counter_listener.record import RecordPool, sweep_clips
from counter_listener.web.daily_purge import DailyPurge
from counter_listener.web.disk import free_bytes
from counter_listener.web.log_line import LogLine, no_log
from counter_listener.web.notices import Notices
from counter_listener.web.scheduled import ScheduledReport

TICK: Final = 30.0
"""Seconds between two looks at the clock."""
SWEEP_EVERY: Final = timedelta(hours=1)
BROKEN: Final = N_("{name}: failed for a reason that nobody foresaw ({kind}); it is tried again")


class Duties:
    """Runs them. A fault of one ends neither it nor the others."""

    def __init__(  # noqa: PLR0913 - one for each thing that it works with
        self,
        scheduled: ScheduledReport,
        notices: Notices,
        records: RecordPool,
        clock: Callable[[], datetime],
        log: LogLine = no_log,
        daily: DailyPurge | None = None,
    ) -> None:
        self._scheduled, self._notices, self._records = scheduled, notices, records
        self._clock, self._log, self._daily = clock, log, daily
        self._stop = Event()
        self._told: dict[str, str] = {}
        self._swept: datetime | None = None

    def begin(self) -> None:
        """Begins with those that are asked for."""
        if self._scheduled.state(self._clock()) is not None:
            Thread(target=self._keep, args=("report", self.report), daemon=True).start()
        Thread(target=self._keep, args=("clips", self.sweep), daemon=True).start()
        if self._notices.asked:
            Thread(target=self._keep, args=("notify", self.notify), daemon=True).start()
        if self._daily and self._daily.asked:
            Thread(target=self._keep, args=("purge", self.purge), daemon=True).start()

    def close(self) -> None:
        """Ends them."""
        self._stop.set()

    def report(self) -> None:
        """Makes a report if one is due. Raises CounterListenerError."""
        self._scheduled.step(self._clock())

    def notify(self) -> None:
        """Looks whether something is to be told, and tells it. Raises CounterListenerError."""
        with self._records.reading() as record:
            self._notices.step(record, free_bytes(record.path) / 1e9, self._clock())

    def purge(self) -> None:
        """Removes what is past its date if it is time. Raises CounterListenerError."""
        if self._daily:
            self._daily.step(self._records, self._clock())

    def sweep(self) -> None:
        """Removes clips whose date has come, once an hour. Raises CounterListenerError."""
        now = self._clock()
        if self._swept is None or now - self._swept >= SWEEP_EVERY:
            self._swept = now
            with self._records.reading() as record:
                sweep_clips(record.path, record.query, now)

    def _keep(self, name: str, duty: Callable[[], None]) -> None:
        while True:
            self.run(name, duty)
            if self._stop.wait(TICK):
                return

    def run(self, name: str, duty: Callable[[], None]) -> None:
        """Does one of them once. What is wrong is logged, once until it changes."""
        try:
            duty()
        except CounterListenerError as error:
            self._tell(name, error.sentence)
        except Exception as error:  # noqa: BLE001 - the next look must come whatever happened in this one
            self._tell(name, Sentence(BROKEN, {"name": name, "kind": type(error).__name__}))
        else:
            self._told.pop(name, None)

    def _tell(self, name: str, text: Sentence) -> None:
        if self._told.get(name) != str(text):
            self._told[name] = str(text)
            self._log(name, text, failed=True)
