"""The purge that the server makes by itself each day, if that is asked for: what is past the date of its rule goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from counter_listener.domain import CounterListenerError, Sentence, packed, unpacked
from counter_listener.record import RecordPool, all_retention
from counter_listener.web.memory import Memory
from counter_listener.web.moments import last_moment, next_moment
from counter_listener.web.server_file import ReportTable, RetentionTable

TABLE: Final = "retention"
AGAIN: Final = timedelta(hours=1)
"""After which a purge that failed is tried again."""
BY: Final = "serve"
"""Who the row of the purge says has done it."""


@dataclass(frozen=True, slots=True)
class PurgeState:
    """How things stand."""

    done: datetime | None
    """When the last one was done."""
    rows: int
    """How many rows it removed."""
    next: datetime
    failed: Sentence | None
    """Why the last try failed; None if it did not."""


class DailyPurge:
    """Makes the purges of one server."""

    def __init__(self, given: RetentionTable, memory: Memory) -> None:
        self.asked = given.daily
        """Whether there are any."""
        self._day, self._memory = ReportTable(every="day", at=given.at), memory

    def state(self, now: datetime) -> PurgeState | None:
        """How things stand; None if no purge is asked for."""
        if not self.asked:
            return None
        table = self._memory.get(TABLE)
        done = datetime.fromisoformat(table["at"]) if "at" in table else None
        rows, failed = int(table.get("rows", 0)), unpacked(table.get("failed"))
        return PurgeState(done, rows, next_moment(self._day, now.astimezone()), failed)

    def step(self, records: RecordPool, now: datetime) -> None:
        """Purges if it is time, once a day; what was due before it was asked for is not made up for.

        Raises CounterListenerError if that fails; it is tried again later.
        """
        table, moment = self._memory.get(TABLE), last_moment(self._day, now.astimezone())
        if not self.asked or "done" not in table:
            if self.asked:
                self._memory.put(TABLE, {"done": moment.isoformat()})
            return
        again = datetime.fromisoformat(table["again"]) if "again" in table else moment
        if datetime.fromisoformat(table["done"]) >= moment or now < again:
            return
        try:
            rows = self._purge(records, now)
        except CounterListenerError as error:
            tried = {"again": (now + AGAIN).isoformat(), "failed": packed(error.sentence)}
            self._memory.put(TABLE, {**table, **tried})
            raise
        self._memory.put(TABLE, {"done": moment.isoformat(), "at": now.isoformat(), "rows": rows})

    def _purge(self, records: RecordPool, now: datetime) -> int:
        from counter_listener.batch import purge_by_rules  # PyAV

        with records.writing() as record:
            if not record.query(lambda connection: all_retention(connection, record.path)).rules:
                return 0
            return purge_by_rules(record, now, BY)[0].rows
