"""Removes old rows from the record in one transaction, and appends the row that reports it. What is held stays."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.chain import contiguous_runs, linked
from counter_listener.record.clips.requests import forget_requests
from counter_listener.record.databases import dialect_of
from counter_listener.record.expressions import is_one_of
from counter_listener.record.holding import held_recordings, spare_held
from counter_listener.record.keeping import Held, HoldScope, Limits, Purged
from counter_listener.record.people import PEOPLE
from counter_listener.record.purge_marks import BEGAN, BEGUN, ENDED, HAPPENED, JUDGED, MARKED, find_starts, marking
from counter_listener.record.received import forget_rows
from counter_listener.record.retention import RETENTION
from counter_listener.record.rows import Origin, note_row
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail, insert_rows, next_number
from counter_listener.record.temporary import drop_temporary

STREAM: Final = "purge"
"""The stream and the kind of the rows that report purges."""
KEY: Final = "key"
"""The stream and the kind of the rows that report a new key."""
Holds = Sequence[HoldScope]


def purge_rows(
    connection: sa.Connection, limits: Limits, holds: Holds, recorded: datetime, note: Mapping[str, object]
) -> Purged:
    """Removes what is before its limit and not held. `note` is what the row that reports it says besides."""
    with marking(connection):
        found = _marked_old(connection, limits, holds)
        _remove(connection, {"before": limits.latest, **note}, found.held, recorded)
    return found


def purgeable(connection: sa.Connection, limits: Limits, holds: Holds) -> Purged:
    """What purge_rows() would remove. Reads only."""
    with marking(connection):
        return _marked_old(connection, limits, holds)


def purge_received(
    connection: sa.Connection, removed: Sequence[tuple[int, int]], before: str, holds: Holds, recorded: datetime
) -> Purged:
    """Removes what a purge at its source removed, given as first and last number here, as purge_rows() does.

    What people added here about a visit of which nothing is left goes with it. What is held here stays; the row that
    reports the purge then says so, also if nothing was removed.
    """
    with marking(connection):
        for first, last in removed:
            for table in (EVENTS, RECORDINGS):
                _mark(connection, table, table.c.seq.between(first, last))
        marked = sa.select(MARKED.c.seq)
        touched = sa.select(EVENTS.c.visit).where(EVENTS.c.seq.in_(marked), EVENTS.c.visit.is_not(None))
        left = sa.select(EVENTS.c.visit).where(
            EVENTS.c.visit.in_(touched), EVENTS.c.kind.not_in(PEOPLE), EVENTS.c.seq.not_in(marked)
        )
        words = EVENTS.c.visit.in_(touched) & EVENTS.c.visit.not_in(left) & EVENTS.c.seq.not_in(marked)
        _mark(connection, EVENTS, words)
        found = _counted(connection, spare_held(connection, holds))
        _remove(connection, {"before": before}, found.held, recorded, tell_held=True)
    return found


def _remove(
    connection: sa.Connection, note: Mapping[str, object], held: Held, recorded: datetime, *, tell_held: bool = False
) -> None:
    """Removes the marked rows, and appends the row that reports it; with nothing to tell it does nothing."""
    rows_marked = connection.execute(sa.select(MARKED.c.seq, MARKED.c.chain).order_by(MARKED.c.seq))
    runs = contiguous_runs((row.seq, row.chain) for row in rows_marked)
    if not runs and not (tell_held and held.visits):
        return
    forget_rows(connection, [(first, last) for first, last, _ in runs])
    detail = {**note, "rows": sum(last - first + 1 for first, last, _ in runs), "runs": runs}
    if held.visits:
        detail |= {"held": held.visits, "holds": dict(held.holds)}
    origin = Origin(STREAM, STREAM, None, recorded, "", "", "")
    row = note_row("purge", detail, origin, recorded, next_number(connection, STREAM))
    insert_rows(connection, EVENTS, linked([row], chain_tail(connection)))
    if runs:
        marked = sa.select(MARKED.c.seq)
        dialect_of(connection).remove(
            connection, [sa.delete(table).where(table.c.seq.in_(marked)) for table in (EVENTS, RECORDINGS)]
        )
        forget_requests(connection)


def purge_details(connection: sa.Connection) -> list[str]:
    """The `detail` of every row that reports a purge, in order."""
    query = sa.select(EVENTS.c.detail).where(EVENTS.c.stream == STREAM).order_by(EVENTS.c.seq)
    return list(connection.execute(query).scalars())


def kept_from(connection: sa.Connection, visits: Limits, transcripts: Limits, holds: Holds) -> dict[str, float]:
    """For each recording in the record, after a purge: the second from which on its words may be kept.

    That is the limit of visits or, if it is earlier, the opening of the first visit that is left; and not before the
    limit of transcripts. Of what is held all may be kept.
    """
    held = held_recordings(connection, holds)
    find_starts(connection)
    opened = sa.select(sa.func.min(EVENTS.c.at)).where(
        EVENTS.c.source == RECORDINGS.c.sha256, EVENTS.c.kind == "visit_opened"
    )
    columns = (RECORDINGS.c.sha256, RECORDINGS.c.counter, BEGAN, RECORDINGS.c.recorded, opened.scalar_subquery())
    kept = {}
    for sha256, counter, begun, written, first in connection.execute(sa.select(*columns)):
        since = _seconds_until(visits.of(counter), begun, begun)
        words = _seconds_until(transcripts.of(counter), begun, written)
        kept[sha256] = 0.0 if sha256 in held else max(0.0, since if first is None else min(since, first), words)
    drop_temporary(connection, BEGUN)
    return kept


def _seconds_until(limit: str | None, begun: str | None, written: str | None) -> float:
    """The second of a recording at which a limit is; of one without a start all is before it, or nothing."""
    if limit is None or written is None:
        return 0.0
    if begun is None:
        return math.inf if written < limit else 0.0
    return (datetime.fromisoformat(limit) - datetime.fromisoformat(begun)).total_seconds()


def _marked_old(connection: sa.Connection, limits: Limits, holds: Holds) -> Purged:
    """Marks what is before its limit, but for what is held."""
    _mark_rows(connection, limits)
    return _counted(connection, spare_held(connection, holds))


def _counted(connection: sa.Connection, held: Held) -> Purged:
    """What is marked, in numbers."""
    marked = sa.select(MARKED.c.seq)
    rows = connection.execute(sa.select(sa.func.count()).select_from(MARKED)).scalar_one()
    of_machine = (EVENTS.c.seq.in_(marked), EVENTS.c.kind.not_in(PEOPLE), EVENTS.c.visit.is_not(None))
    query = sa.select(EVENTS.c.counter, sa.func.count(EVENTS.c.visit.distinct())).where(*of_machine)
    by_counter = connection.execute(query.group_by(EVENTS.c.counter)).all()
    return Purged(int(rows), {counter: int(visits) for counter, visits in by_counter}, held)


def _mark(connection: sa.Connection, table: sa.TableClause, chosen: sa.ColumnElement[bool]) -> None:
    """Marks rows to be removed."""
    rows = sa.select(table.c.seq, table.c.chain).where(chosen)
    connection.execute(sa.insert(MARKED).from_select(["seq", "chain"], rows))


def _limit_of(limits: Limits, counter: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The limit of a row; null for none."""
    everywhere = sa.cast(sa.null() if limits.everywhere is None else sa.literal(limits.everywhere), sa.Text)
    groups = [
        (is_one_of(counter, counters), sa.cast(sa.null() if limit is None else sa.literal(limit), sa.Text))
        for limit, counters in limits.groups.items()
    ]
    return sa.case(*groups, else_=everywhere) if groups else everywhere


def _mark_rows(connection: sa.Connection, limits: Limits) -> None:
    """Marks the rows to be removed."""
    find_starts(connection)
    limit = _limit_of(limits, EVENTS.c.counter)
    of_machine = sa.select(EVENTS.c.visit).where(EVENTS.c.kind.not_in(PEOPLE))
    old_visits = of_machine.group_by(EVENTS.c.visit).having(sa.func.max(HAPPENED) < sa.func.max(limit))
    about_record = EVENTS.c.stream.in_((STREAM, KEY, RETENTION)) | (EVENTS.c.kind == JUDGED)
    old_without_visit = EVENTS.c.visit.is_(None) & ~about_record & (limit > HAPPENED)
    marked = sa.select(MARKED.c.seq)
    left = sa.select(EVENTS.c.source).where(EVENTS.c.seq.not_in(marked), EVENTS.c.kind != JUDGED)
    removed = sa.select(RECORDINGS.c.sha256).where(RECORDINGS.c.seq.in_(marked))
    for table, old in (
        (EVENTS, EVENTS.c.visit.in_(old_visits) | old_without_visit),
        (RECORDINGS, RECORDINGS.c.sha256.not_in(left) & (_limit_of(limits, RECORDINGS.c.counter) > ENDED)),
        (EVENTS, (EVENTS.c.kind == JUDGED) & EVENTS.c.source.in_(removed)),
    ):
        _mark(connection, table, old)
    drop_temporary(connection, BEGUN)
