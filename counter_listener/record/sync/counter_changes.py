"""Somebody adds a counter, accepts its record as it is, or ends its token: a row of the record tells who.

An account of a branch or a region changes the counters of that part alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from counter_listener.domain import AccountError
from counter_listener.record.people import checked_account, person_row
from counter_listener.record.place_changes import check_change
from counter_listener.record.places import EVERYTHING, Place, Sight
from counter_listener.record.rows import Columns
from counter_listener.record.store import Record
from counter_listener.record.sync.counters import Counter, accept_record, add_counter, close_counter, sends_many

Answer = TypeVar("Answer")


def add_counter_by(record: Record, counter: Counter, by: str, now: datetime, sight: Sight = EVERYTHING) -> str:
    """add_counter(), and the row that tells who did it. Raises AccountError, RecordError."""
    name, several = counter.name.strip(), ", for several counters" if counter.many else ""
    what = f"counter {name}: branch {counter.branch or '-'}, region {counter.region or '-'}{several}; new code"

    def add(connection: sa.Connection) -> str:
        if sight.is_limited and (counter.many or sends_many(connection, name)):
            raise AccountError("a computer that sends for several counters wants an account that sees all of them")
        check_change(connection, sight, name, Place(name, counter.branch, counter.region))
        return add_counter(connection, counter, now)

    return _told(record, add, what, by, now)


def accept_record_by(record: Record, name: str, by: str, now: datetime, sight: Sight = EVERYTHING) -> Counter:
    """accept_record(), and the row that tells who did it. Raises AccountError, RecordError."""
    what = f"counter {name}: its record is taken as it is"
    return _told(record, _seen(accept_record, name, sight), what, by, now)


def close_counter_by(record: Record, name: str, by: str, now: datetime, sight: Sight = EVERYTHING) -> Counter:
    """close_counter(), and the row that tells who did it. Raises AccountError, RecordError."""
    what = f"counter {name}: closed"
    return _told(record, _seen(close_counter, name, sight), what, by, now)


def _seen(change: Callable[[sa.Connection, str], Counter], name: str, sight: Sight) -> Callable[[Any], Counter]:
    """The change of a counter, which raises AccountError unless the account sees that counter."""

    def work(connection: sa.Connection) -> Counter:
        check_change(connection, sight, name)
        return change(connection, name)

    return work


def _told(record: Record, work: Callable[[Any], Answer], what: str, by: str, now: datetime) -> Answer:
    done: list[Answer] = []

    def make(connection: sa.Connection) -> list[Columns]:
        done.append(work(connection))
        return [person_row("access", {"by": checked_account(by), "action": "changed", "what": what}, now)]

    record.append_rows(make, now)
    return done[-1]
