"""Which branch and which region a counter belongs to: the levels above a counter in figures, filters and rights.

A counter is known by the name that stands in its rows. That somebody set its branch or region is a row of the record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import sqlalchemy as sa

from counter_listener.record.figures import Place, VisitTotals, sum_totals
from counter_listener.record.rows import storable

COUNTERS: Final = sa.table(
    "counters",
    *(sa.column(name, sa.Text) for name in ("name", "branch", "region")),
    sa.column("many", sa.Integer),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What an account may see: everything, or what is of one counter, of one branch, of one region."""

    counter: str | None = None
    branch: str | None = None
    region: str | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is anything that the account may not see."""
        return (self.counter, self.branch, self.region) != (None, None, None)

    def covers(self, place: Place) -> bool:
        """Whether a counter that belongs there is seen."""
        levels = ((self.counter, place.name), (self.branch, place.branch), (self.region, place.region))
        return all(wanted in (None, given) for wanted, given in levels)


EVERYTHING: Final = Sight()
"""What an account of no branch, region or counter sees, and the command line."""


def all_places(connection: sa.Connection) -> list[Place]:
    """Every counter that was given a branch or a region, or that sends its record here; in order of names."""
    query = sa.select(COUNTERS.c.name, COUNTERS.c.branch, COUNTERS.c.region).order_by(COUNTERS.c.name)
    return [Place(*row) for row in connection.execute(query)]


def counters_in_sight(connection: sa.Connection, sight: Sight) -> tuple[str, ...] | None:
    """The counters that an account may see; None for all. A counter without a branch is in none."""
    if not sight.is_limited:
        return None
    if sight.counter is not None:
        return (sight.counter,)
    return tuple(connection.execute(_names(sight.branch, sight.region)).scalars())


def in_places(column: sa.ColumnElement[Any], branch: str | None, region: str | None) -> sa.ColumnElement[bool]:
    """Whether a counter belongs to a branch and a region; None matters not."""
    return column.in_(_names(branch, region))


def is_in(column: sa.ColumnElement[Any], only: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a counter is one of these; none is if there are none."""
    return column.in_([storable(counter) for counter in only]) if only else sa.false()


def _names(branch: str | None, region: str | None) -> sa.Select[str]:
    query = sa.select(COUNTERS.c.name)
    for column, wanted in ((COUNTERS.c.branch, branch), (COUNTERS.c.region, region)):
        query = query if wanted is None else query.where(column == storable(wanted))
    return query


def places_in(connection: sa.Connection, only: Collection[str] | None = None) -> list[Place]:
    """The places of these counters, or of all for None."""
    return [each for each in all_places(connection) if only is None or each.name in only]


def branches_of(placed: Iterable[Place], region: str | None = None) -> list[str]:
    """The branches of a region, or all, in order."""
    return sorted({each.branch for each in placed if each.branch and region in (None, each.region)})


def regions_of(placed: Iterable[Place]) -> list[str]:
    """The regions, in order."""
    return sorted({each.region for each in placed if each.region})


def totals_by_place(
    by_counter: Mapping[str | None, VisitTotals], placed: Iterable[Place], level: Literal["branch", "region"]
) -> dict[str | None, VisitTotals]:
    """The totals of each branch or region, in order; None for counters that belong to none."""
    known = {each.name: getattr(each, level) for each in placed}
    groups: dict[str | None, list[VisitTotals]] = defaultdict(list)
    for counter, totals in by_counter.items():
        groups[known.get(counter or "")].append(totals)
    return {name: sum_totals(groups[name]) for name in sorted(groups, key=lambda each: (each is None, each or ""))}


def with_names(known: Collection[str], placed: Collection[Place]) -> list[Place]:
    """Every counter that has visits or a place, in order of names."""
    found = {each.name: each for each in placed}
    return [replace(found.get(name, Place(name)), name=name) for name in sorted({*known, *found})]
