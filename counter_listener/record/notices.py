"""What a server tells people of at once, as counts: offences since it last looked, and counters that are silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from counter_listener.record.overview import counters_heard
from counter_listener.record.schema import EVENTS, chain_tail
from counter_listener.record.sync.counters import counters

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


def without_sign(connection: sa.Connection, now: datetime, longest: timedelta, awake: datetime) -> list[str]:
    """The counters that gave no sign for `longest`, of which the time before `awake` does not count.

    A sign is a visit, and of a counter that sends its record here anything that it sends.
    """
    return sorted(
        name
        for name, sign in _signs(connection).items()
        if now - max(sign, awake) >= longest and now - sign < FORGOTTEN
    )


def _signs(connection: sa.Connection) -> dict[str, datetime]:
    """The last sign of each counter."""
    signs = {counter or "": heard for counter, heard in counters_heard(connection)}
    for counter in counters(connection):
        if counter.enrolled is not None:
            heard = datetime.fromisoformat(counter.heard or counter.enrolled)
            signs[counter.name] = max(heard, signs.get(counter.name, heard))
    return signs
