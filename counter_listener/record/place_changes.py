"""Somebody sets which branch and which region a counter belongs to: a row of the record tells who."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from counter_listener.domain import AccountError, ReviewError
from counter_listener.record.aggregates import has_counter
from counter_listener.record.figures import Place
from counter_listener.record.people import checked_account, person_row
from counter_listener.record.places import COUNTERS, EVERYTHING, Sight, all_places
from counter_listener.record.rows import Columns, Row, storable

if TYPE_CHECKING:
    from counter_listener.record.store import Record

MAX_LETTERS: Final = 100
"""Of the name of a branch or a region."""


def check_change(connection: sa.Connection, sight: Sight, name: str, place: Place | None = None) -> None:
    """Raises AccountError unless an account sees the counter that it changes, and sees it still at its new place.

    A counter that nobody placed but that has rows is not new: who names it would see its visits.
    """
    if not sight.is_limited:
        return
    before = {each.name: each for each in all_places(connection)}.get(storable(name))
    taken = place is None or has_counter(connection, name)
    if taken if before is None else not sight.covers(before):
        raise AccountError("your account looks after no counter of this name")
    if place is not None and not sight.covers(place):
        level = sight.branch or sight.region or sight.counter
        raise AccountError("your account looks after the counters of {place} alone", place=level)


def set_place(record: Record, place: Place, by: str, now: datetime, sight: Sight = EVERYTHING) -> Row | None:
    """Sets the branch and the region of a counter, and notes who did it; None if they are so already.

    Raises ReviewError for a name that is empty or too long, AccountError for a counter that the account does not see,
    and RecordError.
    """
    checked = Place(*(_checked(text) for text in (place.name, place.branch, place.region)))  # type: ignore[arg-type]
    if checked.name is None:
        raise ReviewError("the name of a counter has at least one letter")

    def make(connection: sa.Connection) -> list[Columns]:
        check_change(connection, sight, checked.name, checked)
        before = {each.name: each for each in all_places(connection)}.get(checked.name)
        if before == checked:
            return []
        values = {"branch": checked.branch, "region": checked.region}
        if before is None:
            connection.execute(sa.insert(COUNTERS).values(name=checked.name, many=0, **values))
        else:
            connection.execute(sa.update(COUNTERS).where(COUNTERS.c.name == checked.name).values(values))
        what = f"counter {checked.name}: branch {checked.branch or '-'}, region {checked.region or '-'}"
        return [person_row("access", {"by": checked_account(by), "action": "changed", "what": what}, now)]

    return next(iter(record.append_rows(make, now)), None)


def _checked(text: str | None) -> str | None:
    """A name as it is kept; None for an empty one. Raises ReviewError."""
    name = storable((text or "").strip())
    if len(name) > MAX_LETTERS or not name.isprintable():
        raise ReviewError("a name of a counter, a branch or a region has at most {most} letters", most=MAX_LETTERS)
    return name or None
