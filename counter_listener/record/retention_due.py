"""How many visits are past the date of their rule: for a page, from the table of visits, in a moment. Reads only.

What a purge really removes it finds by the rows themselves: purge.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from counter_listener.record.browse import VISITS
from counter_listener.record.expressions import count_sum, is_one_of, later
from counter_listener.record.keeping import HoldScope, Limits
from counter_listener.record.places import is_in
from counter_listener.record.rows import storable


@dataclass(frozen=True, slots=True)
class Due:
    """The visits of a counter that are past their date."""

    visits: int
    held: int
    """How many of them are under a hold, and stay."""


def due_visits(
    connection: sa.Connection, limits: Limits, holds: Sequence[HoldScope], only: Collection[str] | None = None
) -> dict[str | None, Due]:
    """The visits past their limit, by counter; of these counters, or of all for None."""
    ended = later(VISITS.c.moment, sa.func.coalesce(VISITS.c.seconds, sa.literal_column("0.0")))
    held = sa.or_(sa.false(), *(_keeps(hold, ended) for hold in holds))
    found: dict[str | None, Due] = {}
    for limit, chosen in _parts(limits):
        conditions = [VISITS.c.moment < limit, ended < limit, chosen]
        if only is not None:
            conditions.append(is_in(VISITS.c.counter, only))
        query = sa.select(VISITS.c.counter, sa.func.count(), count_sum(held)).where(*conditions)
        for counter, visits, kept in connection.execute(query.group_by(VISITS.c.counter)):
            found[counter] = Due(int(visits), int(kept or 0))
    return found


def _parts(limits: Limits) -> list[tuple[str, sa.ColumnElement[bool]]]:
    """Each limit, with the condition on the visits that it is for."""
    counter = VISITS.c.counter
    others = [storable(name) for counters in limits.groups.values() for name in counters]
    parts = [(limit, is_one_of(counter, counters)) for limit, counters in limits.groups.items() if limit]
    if limits.everywhere:
        parts.append((limits.everywhere, counter.is_(None) | ~is_one_of(counter, others)))
    return parts


def _keeps(hold: HoldScope, ended: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if hold.counters is not None:
        conditions.append(sa.func.coalesce(is_one_of(VISITS.c.counter, hold.counters), sa.false()))
    if hold.visit is not None:
        conditions.append(VISITS.c.visit == hold.visit)
    if hold.since is not None:
        conditions.append(ended >= hold.since)
    if hold.until is not None:
        conditions.append(VISITS.c.moment < hold.until)
    return sa.and_(*conditions)
