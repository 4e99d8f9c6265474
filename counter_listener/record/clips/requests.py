"""The table of what reviewers ask counters for: the clips of a visit."""

from typing import Final

import sqlalchemy as sa

from counter_listener.record.schema import EVENTS

REQUESTS: Final = sa.table(
    "clip_requests", *map(sa.column, ("visit", "counter", "asked_by", "asked", "answer", "answered"))
)


def forget_requests(connection: sa.Connection) -> None:
    """Removes what was asked about visits that are no longer in the record."""
    there = sa.select(EVENTS.c.visit).where(EVENTS.c.visit == REQUESTS.c.visit).exists()
    connection.execute(sa.delete(REQUESTS).where(~there))
