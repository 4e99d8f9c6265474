"""Who saw, heard or exported what, and who signed in or changed something: rows of the record."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from counter_listener.record.history import visit_history
from counter_listener.record.people import person_row
from counter_listener.record.rows import Columns, Row, iso, storable
from counter_listener.record.schema import EVENTS

if TYPE_CHECKING:
    from counter_listener.record.store import Record

Access = Literal["seen", "heard", "exported", "signed_in", "failed_sign_in", "signed_out", "changed"]
ONCE_WITHIN: Final = timedelta(hours=1)
"""The same account, visit, action and thing is noted once within this time."""
ALWAYS: Final[frozenset[Access]] = frozenset({"changed", "failed_sign_in"})
"""Actions that are noted every time."""
MAX_LETTERS: Final = 200
"""Of what was seen or changed."""


def note_access(  # noqa: PLR0913 - one for each column
    record: "Record", by: str, action: Access, now: datetime, visit: str | None = None, what: str | None = None
) -> Row | None:
    """Notes what an account did; None if the same was noted within the last hour.

    Raises ReviewError if the record does not hold the visit, and RecordError.
    """
    detail = {
        "by": storable(by)[:MAX_LETTERS],
        "action": action,
        "what": storable(what)[:MAX_LETTERS] if what else None,
    }

    def make(connection: sa.Connection) -> list[Columns]:
        origin = visit_history(connection, visit).origin if visit is not None else None
        row = person_row("access", detail, now, origin)
        noted = _is_noted(connection, row, iso(now - ONCE_WITHIN))
        return [] if action not in ALWAYS and noted else [row]

    return next(iter(record.append_rows(make, now)), None)


def _is_noted(connection: sa.Connection, row: Columns, since: str) -> bool:
    """Whether an equal row is there since a time; the index of wall times finds the few rows of the last hour."""
    same = [EVENTS.c[name].is_not_distinct_from(row[name]) for name in ("kind", "visit", "detail")]
    query = sa.select(EVENTS.c.seq).where(EVENTS.c.wall >= since, *same).limit(1)
    return connection.execute(query).first() is not None
