"""A verdict that the clerk marks as wrong at the counter: an appeal in the record, which she can take back at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from counter_listener.domain import N_, CounterListenerError, Event, _
from counter_listener.judging import AGAINST
from counter_listener.live.screen_state import Message
from counter_listener.record import (
    MARKED,
    AppealRequest,
    Origin,
    Record,
    Row,
    open_appeal,
    visit_history,
    withdraw_appeal,
)

UNDO_SECONDS: Final = 10.0
"""How long a mark can be taken back at the counter."""
KEPT: Final = 12
"""Verdicts that can be marked, the newest first."""
NOTHING: Final = N_("there is no verdict to mark")
UNRECORDED: Final = N_("nothing is recorded here, so nothing can be marked")
TOO_LATE: Final = N_("the mark cannot be taken back here any more; your supervisor decides on it")


@dataclass
class Marks:
    """The newest verdicts that cost something, and the last mark."""

    record: Record | None
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    wall_clock: Callable[[], datetime]
    verdicts: list[Event] = field(default_factory=list)
    """Those that are written and not marked, the newest last."""
    last: tuple[float, Row, Event] | None = None
    """When, by the clock, the row of the mark, and the verdict."""

    def add(self, events: Iterable[Event]) -> None:
        """Adds what was written; of verdicts only those that cost something."""
        self.verdicts = [*self.verdicts, *(event for event in events if event.verdict in AGAINST)][-KEPT:]

    def press(self, key: str, origin: Origin) -> Message:
        """What a key does, `wrong` or `undo`, as a message for the screen. Raises nothing of the record."""
        try:
            return self._undo(origin) if key == "undo" else self._mark(origin)
        except CounterListenerError as error:
            return {"trouble": error.translated(_)}

    def _mark(self, origin: Origin) -> Message:
        if self.record is None:
            return {"trouble": UNRECORDED}
        if not self.verdicts:
            return {"trouble": NOTHING}
        event = self.verdicts[-1]
        visit = f"{origin.stream}-{event.visit}"
        uid = _uid(self.record, visit, event)
        request = AppealRequest(visit, _who(origin), MARKED, uid, at_counter=True)
        row = open_appeal(self.record, request, self.wall_clock())
        self.verdicts.pop()
        self.last = self.clock(), row, event
        return {"marked": str(event.detail.get("title", event.phrase)), "for": UNDO_SECONDS}

    def _undo(self, origin: Origin) -> Message:
        if self.record is None or self.last is None or self.clock() - self.last[0] > UNDO_SECONDS:
            return {"trouble": TOO_LATE if self.last else NOTHING}
        _at, row, event = self.last
        withdraw_appeal(self.record, row.visit or "", row.uid, _who(origin), self.wall_clock())
        self.verdicts.append(event)
        self.last = None
        return {"marked": ""}


def _who(origin: Origin) -> str:
    """Who marks: the counter, for nobody signs in at it."""
    return f"counter {origin.counter}" if origin.counter else "counter"


def _uid(record: Record, visit: str, event: Event) -> str | None:
    """The uid of an event that was written."""
    history = record.query(partial(visit_history, visit=visit))
    wanted = (event.kind, event.phrase, event.at)
    return next((uid for uid, each in history.events.items() if (each.kind, each.phrase, each.at) == wanted), None)
