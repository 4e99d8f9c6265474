"""What legal holds keep from a purge: marked rows of visits and recordings that are held are marked no longer."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.expressions import is_one_of
from counter_listener.record.keeping import Held, HoldScope
from counter_listener.record.people import PEOPLE
from counter_listener.record.purge_marks import BEGAN, BEGUN, ENDED, HAPPENED, JUDGED, MARKED, find_starts
from counter_listener.record.schema import EVENTS, RECORDINGS, WHEN
from counter_listener.record.temporary import drop_temporary, make_temporary, temporary_table

HELD: Final = temporary_table("held", "mark", "hold", "visit")
"""The visits that are marked and held, once for each hold."""


def spare_held(connection: sa.Connection, holds: Sequence[HoldScope]) -> Held:
    """Takes the marks from what is held: whole visits, what lies between them, recordings; tells how much that is."""
    if not holds:
        return Held()
    find_starts(connection)
    make_temporary(connection, HELD)
    for hold in holds:
        _find_visits(connection, hold)
    held = sa.select(HELD.c.visit)
    _spare(connection, EVENTS, EVENTS.c.visit.in_(held))
    for hold in holds:
        if hold.visit is None:
            between = EVENTS.c.visit.is_(None) & (EVENTS.c.kind != JUDGED)
            _spare(connection, EVENTS, between, *_reaches(hold, EVENTS.c.counter, HAPPENED, WHEN))
            _spare(connection, RECORDINGS, *_recording(hold))
    sources = sa.select(EVENTS.c.source).where(EVENTS.c.visit.in_(held))
    _spare(connection, RECORDINGS, RECORDINGS.c.sha256.in_(sources))
    staying = sa.select(RECORDINGS.c.sha256).where(RECORDINGS.c.seq.not_in(sa.select(MARKED.c.seq)))
    _spare(connection, EVENTS, EVENTS.c.kind == JUDGED, EVENTS.c.source.in_(staying))
    found = _counted(connection)
    for table in (HELD, BEGUN):
        drop_temporary(connection, table)
    return found


def held_recordings(connection: sa.Connection, holds: Sequence[HoldScope]) -> frozenset[str]:
    """The recordings of which all is kept."""
    if not holds:
        return frozenset()
    find_starts(connection)
    found: set[str] = set()
    for hold in holds:
        query = sa.select(RECORDINGS.c.sha256).where(*_recording(hold))
        if hold.visit is not None:
            query = sa.select(EVENTS.c.source).where(EVENTS.c.visit == hold.visit)
        found.update(connection.execute(query).scalars())
    drop_temporary(connection, BEGUN)
    return frozenset(found)


def held_among(connection: sa.Connection, holds: Sequence[HoldScope], visits: Collection[str]) -> set[str]:
    """Which of these visits are held, by the times of their events as they are recorded."""
    found: set[str] = set()
    for hold in holds:
        query = sa.select(EVENTS.c.visit).where(is_one_of(EVENTS.c.visit, list(visits)))
        if hold.visit is not None:
            query = query.where(EVENTS.c.visit == hold.visit)
        if hold.counters is not None:
            query = query.where(is_one_of(EVENTS.c.counter, hold.counters))
        times = _overlaps(hold, sa.func.min(WHEN), sa.func.max(WHEN))
        found.update(connection.execute(query.group_by(EVENTS.c.visit).having(sa.and_(sa.true(), *times))).scalars())
    return found


def _find_visits(connection: sa.Connection, hold: HoldScope) -> None:
    """Fills HELD with the marked visits that a hold keeps."""
    marked = sa.select(EVENTS.c.visit).where(EVENTS.c.seq.in_(sa.select(MARKED.c.seq)), EVENTS.c.visit.is_not(None))
    name = sa.literal(hold.id, sa.Text)
    query = sa.select(name + " " + EVENTS.c.visit, name, EVENTS.c.visit).where(
        EVENTS.c.visit.in_(marked), EVENTS.c.kind.not_in(PEOPLE)
    )
    if hold.visit is not None:
        query = query.where(EVENTS.c.visit == hold.visit)
    if hold.counters is not None:
        query = query.where(is_one_of(EVENTS.c.counter, hold.counters))
    times = _overlaps(hold, sa.func.min(HAPPENED), sa.func.max(WHEN))
    chosen = query.group_by(EVENTS.c.visit).having(sa.and_(sa.true(), *times))
    connection.execute(sa.insert(HELD).from_select(["mark", "hold", "visit"], chosen))


def _recording(hold: HoldScope) -> list[sa.ColumnElement[bool]]:
    begun = sa.func.coalesce(BEGAN, RECORDINGS.c.recorded)
    return _reaches(hold, RECORDINGS.c.counter, begun, sa.func.coalesce(ENDED, RECORDINGS.c.recorded))


def _reaches(
    hold: HoldScope, counter: sa.ColumnElement[Any], first: sa.ColumnElement[Any], last: sa.ColumnElement[Any]
) -> list[sa.ColumnElement[bool]]:
    """The conditions on a row that a hold keeps by its counter and its time."""
    times = _overlaps(hold, first, last)
    return times if hold.counters is None else [is_one_of(counter, hold.counters), *times]


def _overlaps(
    hold: HoldScope, first: sa.ColumnElement[Any], last: sa.ColumnElement[Any]
) -> list[sa.ColumnElement[bool]]:
    since = [] if hold.since is None else [last >= hold.since]
    return since if hold.until is None else [*since, first < hold.until]


def _spare(connection: sa.Connection, table: sa.TableClause, *chosen: sa.ColumnElement[bool]) -> None:
    rows = sa.select(table.c.seq).where(table.c.seq.in_(sa.select(MARKED.c.seq)), *chosen)
    connection.execute(sa.delete(MARKED).where(MARKED.c.seq.in_(rows)))


def _counted(connection: sa.Connection) -> Held:
    visits = connection.execute(sa.select(sa.func.count(HELD.c.visit.distinct()))).scalar_one()
    query = sa.select(HELD.c.hold, sa.func.count()).group_by(HELD.c.hold).order_by(HELD.c.hold)
    return Held(int(visits), {hold: int(count) for hold, count in connection.execute(query)})
