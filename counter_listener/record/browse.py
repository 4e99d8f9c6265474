"""Finds closed visits among hundreds of thousands, for the pages: filtered, sorted, a page at a time. Reads only.

It reads the table `visits`, which triggers keep (migrations/versions/v0005.sql): without visits that are history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

import sqlalchemy as sa

from counter_listener.domain import Outcome, Verdict
from counter_listener.record.expressions import detail_flag, detail_text, holds, is_one_of
from counter_listener.record.manner_figures import MANNER_COLUMNS, MANNER_OVER
from counter_listener.record.places import in_places, is_in
from counter_listener.record.rows import LIVE, iso, storable
from counter_listener.record.schema import EVENTS, RECORDINGS, column

Order = Literal["time", "score", "counter", "length", "faults"]
Passed = Literal["passed", "failed", "unscored"]
FAULTS: Final[tuple[Verdict, ...]] = ("not_heard", "unknown", "forbidden", "broken")
"""The verdicts that a person may want to hear for herself."""
EXPORTED: Final = 1_000
"""Visits that an export reads at once."""


@dataclass(frozen=True, slots=True)
class FoundVisit:
    """A closed visit in a list. The fields are the columns of the table `visits`, and the path of its recording."""

    seq: int
    """Number of the row that closed it."""
    visit: str
    counter: str | None
    moment: str
    """When it was opened or, if that is unknown, recorded; ISO 8601 in UTC."""
    began: str | None
    source: str
    phrases: str
    score: float | None
    passed: bool | None
    grade: str | None
    outcome: Outcome | None
    opened: float
    seconds: float
    lost: bool
    heard: int
    not_heard: int
    unknown: int
    forbidden: int
    broken: int
    doubtful: int
    faults: str | None
    """Verdicts and ids of the machine that are no `heard`, one a line: `not_heard:hello`."""
    reviewed: int | None
    """Number of the last row of a review that decides something."""
    score_after: float | None
    """After the reviews; None if there are none."""
    passed_after: bool | None
    path: str | None
    """Of the recording; None for a visit that was heard live."""

    @property
    def score_now(self) -> float | None:
        """The score that counts: after the reviews, if there are any."""
        return self.score if self.reviewed is None else self.score_after

    @property
    def passed_now(self) -> bool | None:
        """Whether it passes, after the reviews."""
        return self.passed if self.reviewed is None else self.passed_after

    def before_reviews(self) -> FoundVisit:
        """The same for somebody who may not know what was said of it."""
        return replace(self, reviewed=None, score_after=None, passed_after=None)

    def fault_list(self) -> list[tuple[str, str]]:
        """Verdict and id of each phrase, offence and rule that was not `heard`."""
        pairs = (line.partition(":") for line in (self.faults or "").split("\n") if line)
        return [(verdict, phrase) for verdict, _, phrase in pairs]


_NAMES: Final = tuple(field.name for field in fields(FoundVisit) if field.name != "path")
VISITS: Final = sa.table(
    "visits",
    *(sa.column(name, sa.Integer) if name == "heard" else column(name) for name in _NAMES),
    *(column(name) for name in (*MANNER_COLUMNS.values(), MANNER_OVER)),
)
FOUND: Final = tuple(VISITS.c[name] for name in _NAMES)
"""The columns that a list shows."""


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits are wanted. What is None or empty does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    counters: tuple[str, ...] = ()
    branch: str | None = None
    region: str | None = None
    only: tuple[str, ...] | None = None
    """What the reader may see at all: these counters; None is all, and empty is nothing."""
    passed: Passed | None = None
    verdict: Verdict | None = None
    """Visits in which something has this verdict of the machine."""
    phrase: str | None = None
    """Id of a phrase, an offence or a rule that was not `heard`; together with `verdict`, the one with this verdict."""
    outcome: Outcome | Literal["service"] | None = None
    """`service` is every outcome but `no_service`."""
    least: float | None = None
    most: float | None = None
    """Of the score, 0-100."""
    reviewed: bool | None = None
    file: str = ""
    """A part of the path of the recording."""
    search: str = ""
    """A part of the path, of the counter, or the beginning of the id."""

    undecided: bool = False
    """Only visits with a fault that nobody has given a word on."""
    as_judged: tuple[str, ...] = ()
    """Visits that are found and shown as the machine judged them, whatever was said of them since."""

    def limited_to(self, only: tuple[str, ...] | None) -> Self:
        """The same for somebody who may see these counters only; None may see all."""
        return replace(self, only=only)


@dataclass(frozen=True, slots=True)
class VisitPage:
    """A part of the visits that were found."""

    visits: list[FoundVisit]
    total: int
    """How many were found in all."""


def find_visits(  # noqa: PLR0913 - what a page asks for
    connection: sa.Connection,
    wanted: VisitFilter,
    *,
    order: Order = "time",
    ascending: bool = False,
    first: int = 0,
    count: int = 50,
) -> VisitPage:
    """`count` of the visits that are wanted, from number `first` on, counted from 0, and how many there are."""
    conditions = list(conditions_of(wanted))
    total = connection.execute(sa.select(sa.func.count()).select_from(VISITS).where(*conditions)).scalar_one()
    query = sa.select(*FOUND).where(*conditions).order_by(*_order(wanted, order, ascending=ascending))
    return VisitPage(_read(connection, query.offset(first).limit(count), wanted), int(total))


def visits_before(
    connection: sa.Connection, wanted: VisitFilter, last: FoundVisit | None, count: int = EXPORTED
) -> list[FoundVisit]:
    """The newest visits that are wanted, or those right before the last one of a part that was read already."""
    conditions = list(conditions_of(wanted))
    if last is not None:
        conditions.append(sa.tuple_(VISITS.c.moment, VISITS.c.seq) < sa.tuple_(sa.literal(last.moment), last.seq))
    query = sa.select(*FOUND).where(*conditions).order_by(*_order(wanted, "time", ascending=False))
    return _read(connection, query.limit(count), wanted)


def neighbours(
    connection: sa.Connection, seq: int, only: Collection[str] | None = None
) -> tuple[str | None, str | None]:
    """The visits right before and after a closed one in time; at these counters, or at all for None."""
    at = sa.select(VISITS.c.moment).where(VISITS.c.seq == seq).scalar_subquery()
    here = [] if only is None else [is_in(VISITS.c.counter, only)]
    key = sa.tuple_(VISITS.c.moment, VISITS.c.seq)
    before = sa.select(VISITS.c.visit).where(key < sa.tuple_(at, seq), *here)
    after = sa.select(VISITS.c.visit).where(key > sa.tuple_(at, seq), *here)
    return (
        connection.execute(before.order_by(VISITS.c.moment.desc(), VISITS.c.seq.desc()).limit(1)).scalar(),
        connection.execute(after.order_by(VISITS.c.moment, VISITS.c.seq).limit(1)).scalar(),
    )


def found_visit(connection: sa.Connection, visit: str) -> FoundVisit | None:
    """A closed visit by its id; None if there is none, or if it is history."""
    query = sa.select(*FOUND).where(VISITS.c.visit == storable(visit)).limit(1)
    return next(iter(_read(connection, query, VisitFilter())), None)


def known_counters(connection: sa.Connection, only: Collection[str] | None = None) -> list[str]:
    """The names of the counters that have closed visits; of these, or all for None.

    From each name the index leads to the next one: to read all visits for it took a tenth of a second.
    """
    first = sa.select(sa.func.min(VISITS.c.counter).label("name")).cte("names", recursive=True)
    following = sa.select(sa.func.min(VISITS.c.counter)).where(VISITS.c.counter > first.c.name).scalar_subquery()
    names = first.union_all(sa.select(following).where(first.c.name.is_not(None)))
    found = connection.execute(sa.select(names.c.name).where(names.c.name.is_not(None))).scalars()
    return sorted((name for name in found if only is None or name in only), key=natural_order)


def natural_order(name: str) -> tuple[int, str]:
    """Sorts 10 after 9."""
    return (len(name), name) if name.isdigit() else (1_000, name)


def conditions_of(wanted: VisitFilter) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions on a row of the table `visits`."""
    yield from _of_time_and_place(wanted)
    yield from _of_score(wanted)
    if wanted.verdict or wanted.phrase:
        yield _has_fault(wanted.verdict, wanted.phrase)
    if wanted.outcome == "service":
        yield VISITS.c.outcome.is_distinct_from("no_service")
    elif wanted.outcome:
        yield VISITS.c.outcome == wanted.outcome
    if wanted.reviewed is not None:
        yield _reviewed(wanted).is_not(None) if wanted.reviewed else _reviewed(wanted).is_(None)
    if wanted.undecided:
        yield _has_undecided_fault()
    if wanted.file:
        yield _of_file(wanted.file)
    if wanted.search:
        text = storable(wanted.search)
        by_id = VISITS.c.visit.istartswith(text, autoescape=True)
        yield by_id | VISITS.c.counter.icontains(text, autoescape=True) | _of_file(wanted.search)


def _of_time_and_place(wanted: VisitFilter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.since:
        yield VISITS.c.moment >= iso(wanted.since)
    if wanted.until:
        yield VISITS.c.moment < iso(wanted.until)
    if wanted.counters:
        yield VISITS.c.counter.in_([storable(counter) for counter in wanted.counters])
    if wanted.branch or wanted.region:
        yield in_places(VISITS.c.counter, wanted.branch, wanted.region)
    if wanted.only is not None:
        yield is_in(VISITS.c.counter, wanted.only)


def _of_score(wanted: VisitFilter) -> Iterator[sa.ColumnElement[bool]]:
    score = _score(wanted)
    if wanted.passed == "unscored":
        yield score.is_(None)
    elif wanted.passed:
        yield _passed(wanted) == int(wanted.passed == "passed")
    if wanted.least is not None:
        yield score >= wanted.least
    if wanted.most is not None:
        yield score <= wanted.most


def _reviewed(wanted: VisitFilter) -> sa.ColumnElement[Any]:
    """The column `reviewed` as the reader may know it."""
    if not wanted.as_judged:
        return VISITS.c.reviewed
    return sa.case((VISITS.c.visit.in_(wanted.as_judged), None), else_=VISITS.c.reviewed)


def _score(wanted: VisitFilter) -> sa.ColumnElement[Any]:
    """The score that counts: after the reviews, if there are any."""
    return sa.case((_reviewed(wanted).is_(None), VISITS.c.score), else_=VISITS.c.score_after)


def _passed(wanted: VisitFilter) -> sa.ColumnElement[Any]:
    return sa.case((_reviewed(wanted).is_(None), VISITS.c.passed), else_=VISITS.c.passed_after)


SCORE: Final = _score(VisitFilter())
PASSED: Final = _passed(VisitFilter())


def _has_fault(verdict: str | None, phrase: str | None) -> sa.ColumnElement[bool]:
    """Whether the faults hold a line with this verdict, with this phrase, or with both."""
    lines = sa.literal("\n", sa.Text) + VISITS.c.faults + sa.literal("\n", sa.Text)
    part = f"\n{verdict}:" if verdict else ":"
    part += f"{storable(phrase)}\n" if phrase else ""
    return holds(lines, part)


def _has_undecided_fault() -> sa.ColumnElement[bool]:
    """Whether a fault of the machine was neither decided by itself nor with its visit as a whole.

    Words of people are found by what they did: a condition on `kind` would make SQLite search by kind, not by visit.
    """
    fault, word = EVENTS.alias("fault"), EVENTS.alias("word")
    action, about = (detail_text(word.c.detail, name) for name in ("action", "event"))
    words = sa.select(word.c.seq).where(word.c.visit == VISITS.c.visit)
    owed = (fault.c.kind != "phrase") | (detail_flag(fault.c.detail, "required") == 1)
    faults = sa.select(fault.c.seq).where(fault.c.visit == VISITS.c.visit, fault.c.verdict.in_(FAULTS), owed)
    whole = words.where(action == "uphold", about.is_(None)).correlate(VISITS).exists()
    told = words.where(action.in_(("uphold", "overturn")), about == fault.c.uid).correlate(VISITS, fault).exists()
    untouched = VISITS.c.reviewed.is_(None) & (VISITS.c.faults != "")
    partly = VISITS.c.reviewed.is_not(None) & ~whole & faults.where(~told).correlate(VISITS).exists()
    return untouched | partly


def _of_file(part: str) -> sa.ColumnElement[bool]:
    named = sa.select(RECORDINGS.c.sha256).where(RECORDINGS.c.path.icontains(storable(part), autoescape=True))
    return VISITS.c.source.in_(named)


def _read(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], wanted: VisitFilter) -> list[FoundVisit]:
    """The visits of a query on the table `visits`, with the paths of their recordings.

    Paths are asked for these alone: within the query, PostgreSQL looked for that of every visit that it sorted.
    """
    rows = connection.execute(query).all()
    sources = sorted({str(row.source) for row in rows} - {LIVE})
    recordings = sa.select(RECORDINGS.c.sha256, RECORDINGS.c.path).where(is_one_of(RECORDINGS.c.sha256, sources))
    paths = {row.sha256: row.path for row in connection.execute(recordings)} if sources else {}
    return [_found(FoundVisit(*(*row, paths.get(row.source))), wanted) for row in rows]


def _order(wanted: VisitFilter, order: Order, *, ascending: bool) -> list[sa.ColumnElement[Any]]:
    """The columns to sort by. Visits without a score are the last, whichever way; equal ones are sorted by time."""
    faults = VISITS.c.forbidden + VISITS.c.broken + VISITS.c.not_heard
    columns: dict[Order, sa.ColumnElement[Any]] = {
        "time": VISITS.c.moment,
        "score": _score(wanted),
        "counter": VISITS.c.counter,
        "length": VISITS.c.seconds,
        "faults": faults,
    }
    column = columns[order]
    chosen = column.asc() if ascending else column.desc()
    if order == "time":
        return [chosen, VISITS.c.seq.asc() if ascending else VISITS.c.seq.desc()]
    return [column.is_(None), chosen, VISITS.c.moment.desc(), VISITS.c.seq.desc()]


def _found(found: FoundVisit, wanted: VisitFilter) -> FoundVisit:
    if found.visit in wanted.as_judged:
        found = found.before_reviews()
    return replace(
        found,
        passed=None if found.passed is None else bool(found.passed),
        passed_after=None if found.passed_after is None else bool(found.passed_after),
        lost=bool(found.lost),
    )
