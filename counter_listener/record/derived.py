"""Whether the table of visits, from which lists and figures are made, says what the rows say."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import sentence
from counter_listener.record.browse import VISITS
from counter_listener.record.chain import Broken
from counter_listener.record.databases import Database, dialect_of
from counter_listener.record.judgements import replaced_streams
from counter_listener.record.manner_figures import MANNER_COLUMNS, MANNER_OVER

PAGE: Final = 5_000
"""Visits a transaction: a writer waits for a few tenths of a second at most."""
NEARLY: Final = timedelta(milliseconds=2)
"""Versions of SQLite round the times of day differently, and so does PostgreSQL."""
LAST: Final = 2**62
NAMES: Final = tuple(VISITS.c.keys())
MANNER: Final = (*MANNER_COLUMNS.values(), MANNER_OVER)
"""The columns that MANNER_SINCE added."""

Visit = dict[str, Any]
"""A row of the table, by the names of its columns."""
Left = tuple[float | None, int | None] | None
"""The score that a review leaves, and whether the visit passes with it; None if it tells nothing of them."""
Reviewing = Callable[[Visit, int, Left], None]
SCORES_END_SINCE: Final = "0007"
"""The version of the schema from which on a review can leave a visit without a score."""
MANNER_SINCE: Final = "0009"
"""The version of the schema from which on the table holds how the clerk spoke."""


def visits_fault(database: Database, connection: sa.Connection, version: str) -> Broken | None:
    """The first visit of the table that is not what the rows say; None also for damaged text: the chain tells."""
    review = _review if version >= SCORES_END_SINCE else _review_before
    names = NAMES if version >= MANNER_SINCE else tuple(name for name in NAMES if name not in MANNER)
    after = -1
    try:
        while after < LAST:
            connection.rollback()  # what an earlier query began
            with database.begin(connection, "snapshot"):
                until, fault = _page_fault(connection, after, names, review)
            if fault is not None:
                return fault
            after = until
    except sa.exc.DBAPIError as error:
        if not dialect_of(connection).is_about_text(error):
            raise
    return None


def _page_fault(
    connection: sa.Connection, after: int, names: Sequence[str], review: Reviewing
) -> tuple[int, Broken | None]:
    """The first fault behind a row in these columns, and the row up to which was looked."""
    dialect = dialect_of(connection)
    closes = dialect.closed_visits(connection, after, PAGE)
    expected = {row[0]: dict(zip(names, row, strict=False)) for row in closes}  # SQLite tells the newest columns too
    until = max(expected) if len(expected) == PAGE else LAST
    closed: dict[str, list[Visit]] = defaultdict(list)
    for visit in expected.values():
        closed[visit["visit"]].append(visit)
    for seq, name, score, passed, unscored in dialect.deciding_reviews(connection, after, until):
        for visit in closed[name]:
            review(visit, seq, None if unscored else (score, passed))
    columns = [VISITS.c[name] for name in names]
    rows = connection.execute(sa.select(*columns).where(VISITS.c.seq > after, VISITS.c.seq <= until))
    there = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    return until, next(_faults(connection, expected, there), None)


def _review(visit: Visit, seq: int, left: Left) -> None:
    """What the trigger `visits_reviewed` does; None for a review that tells nothing of the score."""
    if left is None and visit["reviewed"] is None:
        left = visit["score"], visit["passed"]
    if left is not None:
        visit["score_after"], visit["passed_after"] = left
    visit["reviewed"] = seq


def _review_before(visit: Visit, seq: int, left: Left) -> None:
    """What it did before SCORES_END_SINCE: a score that was there stayed."""
    for name, now in zip(("score", "passed"), left or (None, None), strict=True):
        values = (now, visit[f"{name}_after"], visit[name])
        visit[f"{name}_after"] = next((value for value in values if value is not None), None)
    visit["reviewed"] = seq


def _faults(connection: sa.Connection, expected: Mapping[int, Visit], there: Mapping[int, Visit]) -> Iterator[Broken]:
    if added := sorted(there.keys() - expected.keys()):
        yield Broken(added[0], sentence("closes no visit, and the table of visits, from which pages are made, has it"))
    if missing := sorted(expected.keys() - there.keys()):
        history = replaced_streams(connection)
        lost = (seq for seq in missing if str(expected[seq]["visit"]).rpartition("-")[0] not in history)
        yield from (Broken(seq, sentence("missing in the table of visits, from which pages are made")) for seq in lost)
    for seq in sorted(expected.keys() & there.keys()):
        if not all(_equal(name, value, there[seq][name]) for name, value in expected[seq].items()):
            yield Broken(seq, sentence("not what the table of visits says, from which pages are made"))


def _equal(name: str, one: Any, other: Any) -> bool:  # noqa: ANN401 - values of any column
    if one == other:
        return True
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    if name == "faults":
        return sorted(one.split("\n")) == sorted(other.split("\n"))
    if name in ("moment", "began"):
        with suppress(ValueError, TypeError):
            return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < NEARLY
    return False
