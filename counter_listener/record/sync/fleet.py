"""How the counters are doing: heard from, behind, deaf for how long. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa

from counter_listener.record.browse import known_counters
from counter_listener.record.rows import iso, parse_detail
from counter_listener.record.schema import EVENTS
from counter_listener.record.sync.counters import ENROLMENTS, Counter, counters

Standing = Literal["accepted", "waiting", "closed", "none"]
"""Whether a counter may send: it has a token; a code was made and not typed yet; its token ended; it never had one."""

SILENT: Final = timedelta(hours=1)
"""A counter that was not heard from for this long is told of."""
GAPS_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FleetCounter:
    """A counter, and what it means."""

    counter: Counter
    standing: Standing
    heard: datetime | None
    is_silent: bool
    """Whether it is enrolled, and was not heard from for SILENT."""
    waiting: int
    """Rows of its record that were not here yet when it was heard from last."""
    deaf: float
    """Hours within GAPS_WITHIN in which it listened and no sound reached it."""

    @property
    def has_trouble(self) -> bool:
        """Whether somebody should look."""
        return self.is_silent or self.counter.chain != "ok"


def fleet(connection: sa.Connection, now: datetime, only: Collection[str] | None = None) -> list[FleetCounter]:
    """All counters that send here, were given a place, or have visits; of these, or all for None. In order of names."""
    found = {name: Counter(name) for name in known_counters(connection, only)}
    found |= {each.name: each for each in counters(connection) if only is None or each.name in only}
    deaf, codes = _gaps(connection, now - GAPS_WITHIN), _codes(connection, now)
    return [_seen(found[name], now, deaf.get(name, 0.0), codes.get(name, "none")) for name in sorted(found)]


def silent_counters(connection: sa.Connection, now: datetime) -> list[FleetCounter]:
    """The enrolled counters that were not heard from for SILENT."""
    seen = (_seen(each, now, 0.0, "none") for each in counters(connection))
    return [each for each in seen if each.is_silent]


def _seen(counter: Counter, now: datetime, deaf: float, code: Standing) -> FleetCounter:
    heard = None if counter.heard is None else datetime.fromisoformat(counter.heard)
    since = heard or (None if counter.enrolled is None else datetime.fromisoformat(counter.enrolled))
    end = counter.state.get("end")
    return FleetCounter(
        counter=counter,
        standing=code if counter.enrolled is None else "accepted",
        heard=heard,
        is_silent=counter.enrolled is not None and since is not None and now - since > SILENT,
        waiting=max(0, end - counter.rows) if isinstance(end, int) else 0,
        deaf=deaf,
    )


def _codes(connection: sa.Connection, now: datetime) -> dict[str, Standing]:
    """What the codes of a counter without a token mean: one can be typed yet, or all are used."""
    found: dict[str, Standing] = {}
    for row in connection.execute(sa.select(ENROLMENTS).order_by(ENROLMENTS.c.made)):
        if row.used is not None:
            found.setdefault(row.counter, "closed")
        elif row.expires > iso(now):
            found[row.counter] = "waiting"
    return found


def _gaps(connection: sa.Connection, since: datetime) -> dict[str, float]:
    """Hours of gaps since a time, by counter."""
    is_gap = EVENTS.c.kind == sa.literal_column("'gap'")  # for SQLite a parameter would not fit the index events_gaps
    query = sa.select(EVENTS.c.counter, EVENTS.c.detail).where(is_gap, iso(since) <= EVENTS.c.wall)
    found: dict[str, float] = defaultdict(float)
    for counter, detail in connection.execute(query):
        seconds = parse_detail(detail).get("seconds")
        found[str(counter)] += seconds / 3600 if isinstance(seconds, int | float) else 0.0
    return found
