"""Appeals: the staff of a counter dispute a verdict within a set time, and a different person decides."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from counter_listener.domain import ReviewConflict, ReviewError, Verdict
from counter_listener.record.history import PhraseSets, VisitHistory, reviewable_history
from counter_listener.record.people import checked_account, checked_note, person_row, subject_of
from counter_listener.record.places import is_in
from counter_listener.record.reviews import ReviewRequest, review_row
from counter_listener.record.rows import Columns, Row, parse_detail
from counter_listener.record.schema import EVENTS

if TYPE_CHECKING:
    from counter_listener.record.store import Record

WITHIN: Final = timedelta(days=7)
"""The time from the end of a visit in which its verdicts can be disputed; `serve --appeal-days` sets another."""

State = Literal["open", "upheld", "overturned", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal and what became of it."""

    uid: str
    """Of the row that opened it."""
    visit: str
    counter: str | None
    event: str | None
    """Uid of the disputed event; None if the visit as a whole is disputed."""
    phrase: str | None
    opened: str
    """ISO 8601 in UTC."""
    by: str
    note: str
    state: State
    decided: str | None = None
    """When it was decided or withdrawn, ISO 8601 in UTC."""
    decided_by: str | None = None
    answer: str = ""
    """The note of the decision."""


@dataclass(frozen=True, slots=True)
class AppealRequest:
    """What somebody disputes."""

    visit: str
    by: str
    """Account."""
    note: str
    """Why."""
    event: str | None = None
    """Uid of the event; None for the visit as a whole."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides on an appeal."""

    visit: str
    appeal: str
    """Uid of the row that opened it."""
    by: str
    outcome: Literal["upheld", "overturned"]
    """Whether the disputed verdict holds."""
    after: int
    """Number of the last row about this visit that the person has seen."""
    note: str = ""
    verdict: Verdict | None = None
    """If it is overturned: the verdict that holds."""
    reason: str = "appeal"
    """If it is overturned: an id of domain.REASONS."""


def open_appeal(record: "Record", request: AppealRequest, now: datetime, within: timedelta = WITHIN) -> Row:
    """Opens an appeal; it is on the disk when this returns. `within` is the time from the end of the visit.

    Raises ReviewError if that time is over, if the same is already disputed, or if there is nothing to dispute.
    """

    def make(connection: sa.Connection) -> list[Columns]:
        history = reviewable_history(connection, request.visit)
        by, note = checked_account(request.by), checked_note(request.note)
        if note is None:
            raise ReviewError("an appeal needs a reason; write what is wrong")
        _refuse_late(history, now, within)
        event = history.events.get(request.event or "")
        if request.event is not None and (event is None or event.verdict is None):
            raise ReviewError("the visit {visit} has no verdict {uid!r}", visit=request.visit, uid=request.event)
        if any(each.event == request.event and each.state == "open" for each in appeals_of(history)):
            raise ReviewError("the same is already disputed, and not yet decided")
        detail = {"event": request.event, "action": "open", "note": note, "by": by}
        return [person_row("appeal", detail, now, history.origin, subject_of(event, None))]

    (row,) = record.append_rows(make, now)
    return row


def deadline(history: VisitHistory, within: timedelta = WITHIN) -> datetime | None:
    """Until when the verdicts of a visit can be disputed; None while it is open."""
    close = history.close
    return None if close is None else datetime.fromisoformat(max(close.wall or "", close.recorded)) + within


def _refuse_late(history: VisitHistory, now: datetime, within: timedelta) -> None:
    last = deadline(history, within)
    if last is not None and now > last:
        raise ReviewError("the time for an appeal ended at {time:%Y-%m-%d %H:%M} UTC", time=last)


def withdraw_appeal(record: "Record", visit: str, appeal: str, by: str, now: datetime) -> Row:
    """Withdraws an appeal that the same person opened. Raises ReviewError, ReviewConflict if it is decided."""

    def make(connection: sa.Connection) -> list[Columns]:
        history = reviewable_history(connection, visit)
        opened = _open_appeal_of(history, appeal)
        if opened.by != checked_account(by):
            raise ReviewError("only who opened an appeal can withdraw it")
        return [_closing_row(history, opened, {"action": "withdraw", "by": by}, now)]

    (row,) = record.append_rows(make, now)
    return row


def decide_appeal(record: "Record", decision: Decision, now: datetime, sets: PhraseSets = ()) -> list[Row]:
    """Decides an appeal, and overturns the verdict in the same step if that is the decision.

    Raises ReviewError if the person opened the appeal or gave the disputed verdict, and ReviewConflict if it is decided
    already or if somebody reviewed the verdict since.
    """

    def make(connection: sa.Connection) -> list[Columns]:
        history = reviewable_history(connection, decision.visit)
        opened = _open_appeal_of(history, decision.appeal)
        by = checked_account(decision.by)
        _refuse_involved(history, opened, by)
        detail = {"action": "decide", "outcome": decision.outcome, "note": checked_note(decision.note), "by": by}
        rows = [_closing_row(history, opened, detail, now)]
        if decision.outcome == "overturned" and opened.event is not None:
            request = ReviewRequest(
                decision.visit,
                "overturn",
                by,
                decision.after,
                opened.event,
                decision.verdict,
                reason=decision.reason,
                note=decision.note,
                scored=True,
            )
            rows.append(review_row(history, request, now, sets))
        return rows

    return record.append_rows(make, now)


def _refuse_involved(history: VisitHistory, opened: Appeal, by: str) -> None:
    """Raises ReviewError for a person who cannot decide: who opened the appeal, or gave the disputed verdict."""
    reviewed = {each.by for each in history.reviews if each.stands and opened.event in (None, each.event)}
    if by == opened.by or by in reviewed:
        raise ReviewError("an appeal is decided by somebody who neither opened it nor reviewed the verdict")


def _open_appeal_of(history: VisitHistory, uid: str) -> Appeal:
    found = next((each for each in appeals_of(history) if each.uid == uid), None)
    if found is None:
        raise ReviewError("there is no appeal {uid!r}", uid=uid)
    if found.state != "open":
        raise ReviewConflict("{who} has closed this appeal in the meantime", who=found.decided_by)
    return found


def _closing_row(history: VisitHistory, opened: Appeal, detail: Mapping[str, object], now: datetime) -> Columns:
    event = history.events.get(opened.event or "")
    columns = {**detail, "event": opened.event, "appeal": opened.uid}
    return person_row("appeal", columns, now, history.origin, subject_of(event, None))


def appeals_of(history: VisitHistory) -> list[Appeal]:
    """The appeals of a visit, the oldest first."""
    return _appeals([row for row in history.rows if row.kind == "appeal"])


def find_appeals(
    connection: sa.Connection, *, open_only: bool = False, only: Collection[str] | None = None
) -> list[Appeal]:
    """The appeals of the record, the newest first; of these counters, or all for None."""
    query = sa.select(EVENTS).where(EVENTS.c.kind == "appeal").order_by(EVENTS.c.seq)
    if only is not None:
        query = query.where(is_in(EVENTS.c.counter, only))
    found = _appeals([Row(*row) for row in connection.execute(query)])
    return [each for each in reversed(found) if not open_only or each.state == "open"]


def _appeals(rows: Sequence[Row]) -> list[Appeal]:
    """The appeals in rows of their kind; a closing row without its opening one, which somebody changed, is left out."""
    closed = {str(detail.get("appeal")): (row, detail) for row, detail in _with_detail(rows) if "appeal" in detail}
    return [
        _appeal(row, detail, *closed.get(row.uid, (None, {})))
        for row, detail in _with_detail(rows)
        if detail.get("action") == "open"
    ]


def _with_detail(rows: Sequence[Row]) -> list[tuple[Row, dict[str, object]]]:
    return [(row, parse_detail(row.detail)) for row in rows]


def _appeal(row: Row, detail: dict[str, object], end: Row | None, closed: dict[str, object]) -> Appeal:
    event, outcome = detail.get("event"), closed.get("outcome")
    state: State = "open"
    if end is not None:
        state = "overturned" if outcome == "overturned" else "upheld" if outcome else "withdrawn"
    return Appeal(
        uid=row.uid,
        visit=row.visit or "",
        counter=row.counter,
        event=event if isinstance(event, str) else None,
        phrase=row.phrase,
        opened=row.recorded,
        by=str(detail.get("by", "")),
        note=str(detail.get("note", "")),
        state=state,
        decided=end.recorded if end else None,
        decided_by=str(closed.get("by", "")) if end else None,
        answer=str(closed.get("note") or ""),
    )
