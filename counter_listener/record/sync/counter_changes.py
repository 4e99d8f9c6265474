"""Somebody adds a counter, accepts its record as it is, or ends its token: a row of the record tells who."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from counter_listener.record.people import checked_account, person_row
from counter_listener.record.rows import Columns
from counter_listener.record.store import Record
from counter_listener.record.sync.counters import Counter, accept_record, add_counter, close_counter

Answer = TypeVar("Answer")


def add_counter_by(record: Record, counter: Counter, by: str, now: datetime) -> str:
    """add_counter(), and the row that tells who did it. Raises AccountError, RecordError."""
    name, several = counter.name.strip(), ", for several counters" if counter.many else ""
    what = f"counter {name}: branch {counter.branch or '-'}, region {counter.region or '-'}{several}; new code"
    return _told(record, lambda connection: add_counter(connection, counter, now), what, by, now)


def accept_record_by(record: Record, name: str, by: str, now: datetime) -> Counter:
    """accept_record(), and the row that tells who did it. Raises AccountError, RecordError."""
    what = f"counter {name}: its record is taken as it is"
    return _told(record, lambda connection: accept_record(connection, name), what, by, now)


def close_counter_by(record: Record, name: str, by: str, now: datetime) -> Counter:
    """close_counter(), and the row that tells who did it. Raises AccountError, RecordError."""
    return _told(record, lambda connection: close_counter(connection, name), f"counter {name}: closed", by, now)


def _told(record: Record, work: Callable[[Any], Answer], what: str, by: str, now: datetime) -> Answer:
    done: list[Answer] = []

    def make(connection: sa.Connection) -> list[Columns]:
        done.append(work(connection))
        return [person_row("access", {"by": checked_account(by), "action": "changed", "what": what}, now)]

    record.append_rows(make, now)
    return done[-1]
