"""What a server tells people of at once, as counts: offences since it last looked, and counters that are silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from counter_listener.record.overview import counters_heard
from counter_listener.record.schema import EVENTS, chain_tail

FORGOTTEN: Final = timedelta(days=14)
"""A counter that was not heard for this long is taken to be closed, and not told of."""


def offences_after(connection: sa.Connection, seq: int) -> tuple[dict[str, int], int]:
    """How many offences each counter has in the rows after `seq`, and the number of the last row. "" has no name."""
    last = chain_tail(connection)[0]
    query = sa.select(EVENTS.c.counter, sa.func.count()).where(
        EVENTS.c.seq > seq, EVENTS.c.seq <= last, EVENTS.c.kind == "forbidden", EVENTS.c.verdict == "forbidden"
    )
    found = {counter or "": int(count) for counter, count in connection.execute(query.group_by(EVENTS.c.counter))}
    return found, last


def silent_counters(connection: sa.Connection, now: datetime, longest: timedelta, awake: datetime) -> list[str]:
    """The counters that had no visit for `longest`, of which the time before `awake` does not count."""
    return sorted(
        counter or ""
        for counter, heard in counters_heard(connection)
        if now - max(heard, awake) >= longest and now - heard < FORGOTTEN
    )
