"""The queries of a report: aggregates in SQL, so that Python reads only the events that the report shows."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.domain import Event, Outcome, Review
from counter_listener.record.expressions import (
    as_number,
    at_least_zero,
    count_sum,
    detail_flag,
    detail_number,
    detail_text,
    epoch,
    is_one_of,
    members,
    total,
    whole,
)
from counter_listener.record.figures import (
    CounterCoverage,
    DurationStatistics,
    ReportData,
    ReportScope,
    ReviewedVisit,
    ScenarioTotals,
    ShownVisit,
    VerdictCounts,
    VisitTotals,
    duration_statistics,
    sum_totals,
)
from counter_listener.record.manner_figures import FIGURES
from counter_listener.record.manner_queries import manner_columns, manner_of
from counter_listener.record.places import all_places, in_places, is_in
from counter_listener.record.reviewed_figures import reviewed_visits, reviews_of, totals_after, words_on
from counter_listener.record.rows import LIVE, Row, iso, parse_detail, storable
from counter_listener.record.schema import EVENTS, RECORDINGS
from counter_listener.record.temporary import make_temporary, temporary_table
from counter_listener.record.trust import machine_trust

QUARTER: Final = 900
"""Seconds. The clock of every time zone differs from UTC by whole quarters of an hour."""
NO_LOSS: Final = ("listening began", "listening was stopped", "the listener made room for a new one")
"""Reasons of gaps that mark where listening begins and ends; without a length they are no loss."""

COUNTS: Final = ("heard", "not_heard", "unknown", "forbidden", "broken", "kept", "doubtful")
COLUMNS: Final = ("seq", "stream", "visit", "counter", "source", "phrases", "phrases_hash", "wall", "at", "score")
"""Columns of a closed visit that are columns of its event."""
DETAILS: Final = {
    **dict.fromkeys(("passed", "lost_audio"), detail_flag),
    **dict.fromkeys(("opened", "seconds"), detail_number),
    **dict.fromkeys(("grade", "outcome", "scenarios"), detail_text),
}
"""Columns of a closed visit that stand in the detail of its event, in addition to the counts."""
CLOSED: Final = temporary_table("closed", *COLUMNS, *DETAILS, *COUNTS, *FIGURES, "beyond", "quarter")
"""The closed visits of the period, one row each, without those that were no service."""
LEFT_OUT: Final = temporary_table("left_out", "stream")
"""Streams whose verdicts are history."""
JUDGED: Final = ("phrase", "forbidden", "rule")
"""Kinds of events that hold a verdict."""

Query = sa.Select[*tuple[Any, ...]]


def gather_report_data(
    connection: sa.Connection,
    scope: ReportScope,
    shown: int,
    stages: Mapping[str, Collection[str]],
    left_out: Collection[str] = (),
) -> ReportData:
    """Everything that a report needs.

    `shown` is the number of visits to show, those with the lowest scores first; `stages` are the stages of each
    scenario; `left_out` are streams whose verdicts are history. Rows that are appended meanwhile are left out of all
    figures, and no lock is held between two queries.
    """
    last = connection.execute(sa.select(sa.func.max(EVENTS.c.seq))).scalar() or 0
    make_temporary(connection, LEFT_OUT)
    if left_out:
        connection.execute(sa.insert(LEFT_OUT), [{"stream": storable(stream)} for stream in left_out])
    make_temporary(connection, CLOSED)
    connection.execute(sa.insert(CLOSED).from_select(CLOSED.c.keys(), _closed(scope, last)))
    no_service = _closed(scope, last, service=False).subquery()
    sets = sa.select(CLOSED.c.phrases, CLOSED.c.phrases_hash).distinct()
    earlier = scope.before()
    by_counter = _sums_by(connection, CLOSED, CLOSED.c.counter)
    reviewed = reviewed_visits(connection, last)
    return ReportData(
        scope=scope,
        sets=sorted((name, digest) for name, digest in connection.execute(sets)),
        by_phrase_set=_sums_by(connection, CLOSED, CLOSED.c.phrases),
        by_counter=by_counter,
        places=all_places(connection),
        by_quarter=_sums_by(connection, CLOSED, CLOSED.c.quarter),
        previous=_sums(connection, _closed(earlier, last).subquery()) if earlier else None,
        verdict_counts=_verdict_counts(connection, scope, last),
        scenarios=_scenarios(connection, stages),
        durations=_durations(connection, sa.select(CLOSED.c.seconds.label("seconds"))),
        pauses=_durations(connection, _pauses()),
        coverage=_coverage(connection, scope, last),
        visits=_visits(connection, CLOSED, shown, reviewed),
        no_service=_visits(connection, no_service, shown, reviewed),
        no_service_by_counter=_counts_by(connection, no_service, no_service.c.counter),
        after_reviews=totals_after(connection, CLOSED, sum_totals(by_counter.values()), reviewed),
        trust=machine_trust(connection, scope),
        manner=manner_of(
            connection, sa.select(*(CLOSED.c[name] for name in ("counter", "quarter", *FIGURES, "beyond")))
        ),
    )


def has_counter(connection: sa.Connection, counter: str) -> bool:
    """Whether the record holds a row of this counter."""
    queries = [sa.select(table.c.seq).where(table.c.counter == storable(counter)) for table in (RECORDINGS, EVENTS)]
    return any(connection.execute(query.limit(1)).first() for query in queries)


def _within(table: sa.TableClause, wall: sa.ColumnElement[Any], scope: ReportScope) -> list[sa.ColumnElement[bool]]:
    """The conditions of a scope. A row without a wall time counts by its time of recording, as in `events --since`."""
    when = sa.func.coalesce(wall, table.c.recorded)
    conditions = [when >= iso(scope.since)] if scope.since else []
    conditions += [when < iso(scope.until)] if scope.until else []
    if scope.counters:
        conditions.append(table.c.counter.in_([storable(counter) for counter in scope.counters]))
    if scope.branch or scope.region:
        conditions.append(in_places(table.c.counter, scope.branch, scope.region))
    if scope.only is not None:
        conditions.append(is_in(table.c.counter, scope.only))
    if table is EVENTS:
        conditions.append(EVENTS.c.stream.not_in(sa.select(LEFT_OUT.c.stream)))
        conditions += [EVENTS.c.phrases == storable(scope.phrases)] if scope.phrases is not None else []
    return conditions


def _closed(scope: ReportScope, last: int, *, service: bool = True) -> Query:
    """The rows of CLOSED: closed visits up to row `last`; or those that were no service."""
    opened = detail_number(EVENTS.c.detail, "opened")
    begun = epoch(EVENTS.c.wall) - whole(EVENTS.c.at - opened)
    columns: list[sa.ColumnElement[Any]] = [EVENTS.c[name] for name in COLUMNS]
    columns += [read(EVENTS.c.detail, name).label(name) for name, read in DETAILS.items()]
    columns += [whole(detail_number(EVENTS.c.detail, f"counts.{name}")).label(name) for name in COUNTS]
    columns += [*manner_columns(), (begun // QUARTER).label("quarter")]
    outcome: Outcome = "no_service"
    named = detail_text(EVENTS.c.detail, "outcome")
    told = named.is_distinct_from(outcome) if service else named == outcome
    return sa.select(*columns).where(
        EVENTS.c.kind == "visit_closed", told, EVENTS.c.seq <= last, *_within(EVENTS, EVENTS.c.wall, scope)
    )


def _sum_columns(table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """The fields of VisitTotals."""
    score = table.c.score
    special: dict[str, sa.ColumnElement[Any]] = {
        "visits": sa.func.count(),
        "scored": sa.func.count(score),
        "points": total(score),
        "squares": total(score * score),
        "offending": count_sum(table.c.forbidden > 0),
        "not_understood": count_sum(table.c.outcome == "not_understood"),
    }
    names = [field.name for field in fields(VisitTotals)]
    return [special[name] if name in special else count_sum(table.c[name]) for name in names]


def _sums(connection: sa.Connection, table: sa.FromClause) -> VisitTotals:
    return VisitTotals(*connection.execute(sa.select(*_sum_columns(table))).one())


def _sums_by(connection: sa.Connection, table: sa.FromClause, key: sa.ColumnElement[Any]) -> dict[Any, VisitTotals]:
    query = sa.select(key, *_sum_columns(table)).group_by(key).order_by(key.nulls_first())
    return {row[0]: VisitTotals(*row[1:]) for row in connection.execute(query)}


def _counts_by(connection: sa.Connection, table: sa.FromClause, key: sa.ColumnElement[Any]) -> dict[Any, int]:
    query = sa.select(key, sa.func.count()).select_from(table).group_by(key).order_by(key.nulls_first())
    return {row[0]: row[1] for row in connection.execute(query)}


def verdict_query(scope: ReportScope, last: int) -> Query:
    """The number of each verdict on each phrase. The index events_told holds every column of this query."""
    key = (EVENTS.c.phrases, EVENTS.c.kind, EVENTS.c.stage, EVENTS.c.step, EVENTS.c.phrase)
    return (
        sa.select(*key, EVENTS.c.verdict, sa.func.count(), sa.func.max(EVENTS.c.seq))
        .where(EVENTS.c.kind.in_(JUDGED), EVENTS.c.seq <= last)
        .where(*_within(EVENTS, EVENTS.c.wall, scope))
        .group_by(EVENTS.c.kind, EVENTS.c.phrases, *key[2:], EVENTS.c.verdict)
    )


def _verdict_counts(connection: sa.Connection, scope: ReportScope, last: int) -> list[VerdictCounts]:
    verdicts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    newest: dict[tuple[str, str, str | None, str | None, str], int] = {}
    for *columns, verdict, count, seq in connection.execute(verdict_query(scope, last)):
        key = (columns[0], columns[1], columns[2], columns[3], columns[4])
        verdicts[key][verdict] = count
        newest[key] = max(seq, newest.get(key, 0))
    query = sa.select(EVENTS.c.seq, EVENTS.c.detail).where(is_one_of(EVENTS.c.seq, list(newest.values())))
    details = {row.seq: parse_detail(row.detail) for row in connection.execute(query)}
    ordered = sorted(newest, key=lambda key: (key[1], key[0], *((each is not None, each or "") for each in key[2:])))
    return [VerdictCounts(*key, verdicts[key], newest[key], details.get(newest[key], {})) for key in ordered]


def _scenarios(connection: sa.Connection, stages: Mapping[str, Collection[str]]) -> list[ScenarioTotals]:
    each = members(CLOSED.c.scenarios)
    begun = sa.select(each.c.value.label("scenario"), CLOSED).select_from(CLOSED.join(each, sa.true())).subquery()
    totals = []
    for scenario, sums in _sums_by(connection, begun, begun.c.scenario).items():
        visits = sa.select(begun.c.visit).where(begun.c.scenario == scenario)
        owed = (EVENTS.c.stage.in_(stages.get(scenario, ())), detail_flag(EVENTS.c.detail, "required") == 1)
        incomplete = (
            sa.select(sa.func.max(as_number(EVENTS.c.verdict == "not_heard")).label("missed"))
            .where(EVENTS.c.visit.in_(visits), EVENTS.c.verdict.in_(("not_heard", "unknown")), *owed)
            .group_by(EVENTS.c.visit)
            .subquery()
        )
        count, missed = connection.execute(sa.select(sa.func.count(), total(incomplete.c.missed))).one()
        totals.append(ScenarioTotals(scenario, sums, int(missed), count - int(missed)))
    return totals


def _pauses() -> Query:
    """From the last speech of a visit to the opening of the next one in the same recording or live stream."""
    ended = sa.func.lag(CLOSED.c.opened + CLOSED.c.seconds)
    previous = ended.over(partition_by=CLOSED.c.stream, order_by=(CLOSED.c.opened, CLOSED.c.seq))
    pause = sa.select((CLOSED.c.opened - previous).label("seconds")).subquery()
    return sa.select(at_least_zero(pause.c.seconds).label("seconds")).where(pause.c.seconds.is_not(None))


def _durations(connection: sa.Connection, query: Query) -> DurationStatistics:
    """Statistics of `seconds`, counted by whole seconds, which saves a sort; the mean and the longest are exact."""
    durations = query.subquery()
    rounded = whole(durations.c.seconds)
    counts = sa.select(rounded, sa.func.count(), total(durations.c.seconds), sa.func.max(durations.c.seconds))
    counts = counts.where(durations.c.seconds.is_not(None))
    rows = connection.execute(counts.group_by(rounded).order_by(rounded))
    return duration_statistics([(row[0], row[1], row[2], row[3]) for row in rows])


def _coverage(connection: sa.Connection, scope: ReportScope, last: int) -> list[CounterCoverage]:
    within = (EVENTS.c.seq <= last, *_within(EVENTS, EVENTS.c.wall, scope))
    lost = sa.select(EVENTS.c.counter, total(detail_number(EVENTS.c.detail, "seconds")), sa.func.count()).where(
        EVENTS.c.kind == "gap",
        detail_text(EVENTS.c.detail, "reason").not_in(NO_LOSS) | (detail_number(EVENTS.c.detail, "seconds") > 0),
        *within,
    )
    heard: dict[str | None, float] = defaultdict(float)
    for query in (_recorded_seconds(scope, last), _live_seconds(within)):
        for counter, seconds in connection.execute(query):
            heard[counter] += seconds
    gaps = {row[0]: row[1:] for row in connection.execute(lost.group_by(EVENTS.c.counter))}
    counters = sorted(heard, key=lambda counter: counter or "")
    return [CounterCoverage(counter, heard[counter], *gaps.get(counter, (0.0, 0))) for counter in counters]


def _recorded_seconds(scope: ReportScope, last: int) -> Query:
    """The length of all recordings of each counter."""
    recorded = sa.select(RECORDINGS.c.counter, total(RECORDINGS.c.seconds)).where(
        RECORDINGS.c.seq <= last, *_within(RECORDINGS, RECORDINGS.c.started, scope)
    )
    if scope.phrases is not None:
        of_set = sa.select(EVENTS.c.source).where(EVENTS.c.phrases == storable(scope.phrases))
        recorded = recorded.where(RECORDINGS.c.sha256.in_(of_set))
    return recorded.group_by(RECORDINGS.c.counter)


def _live_seconds(within: Sequence[sa.ColumnElement[bool]]) -> Query:
    """The length of all live streams of each counter, each from its first event to its last."""
    events = sa.union_all(
        sa.select(EVENTS.c.counter, EVENTS.c.stream, EVENTS.c.at.label("begun"), EVENTS.c.at).where(
            EVENTS.c.source == LIVE, EVENTS.c.kind == "gap", *within
        ),
        sa.select(CLOSED.c.counter, CLOSED.c.stream, CLOSED.c.opened, CLOSED.c.at).where(CLOSED.c.source == LIVE),
    ).subquery()
    live = (
        sa.select(events.c.counter, (sa.func.max(events.c.at) - sa.func.min(events.c.begun)).label("seconds"))
        .group_by(events.c.counter, events.c.stream)
        .subquery()
    )
    return sa.select(live.c.counter, total(live.c.seconds)).group_by(live.c.counter)


def _visits(
    connection: sa.Connection, table: sa.FromClause, shown: int, reviewed: Mapping[str, ReviewedVisit]
) -> list[ShownVisit]:
    """The visits with the lowest scores first; of equal ones, and of those without a score, the newest first."""
    query = (
        sa.select(table, RECORDINGS.c.path)
        .select_from(table.outerjoin(RECORDINGS, RECORDINGS.c.sha256 == table.c.source))
        .order_by(table.c.score.is_(None), table.c.score, table.c.seq.desc())
        .limit(shown)
    )
    rows = connection.execute(query).all()
    evidence: dict[str, list[tuple[str, Event]]] = defaultdict(list)
    people: list[Row] = []
    of_visits = sa.select(EVENTS).where(is_one_of(EVENTS.c.visit, [row.visit for row in rows])).order_by(EVENTS.c.seq)
    for event in connection.execute(of_visits):
        if event.kind in JUDGED:  # as a condition, it would make SQLite search by kind instead of by visit
            evidence[event.visit].append((event.uid, _shown_event(event)))
        elif event.kind == "review":
            people.append(Row(*event))
    reviews = reviews_of(people)
    return [_shown_visit(row, evidence[row.visit], reviews.get(row.visit, ()), reviewed) for row in rows]


def _shown_event(row: sa.Row[*tuple[Any, ...]]) -> Event:
    detail = parse_detail(row.detail)
    said = detail.get("said_at")
    at = float(said) if isinstance(said, int | float) else row.at
    return Event(row.kind, at, None, row.stage, row.step, row.phrase, row.verdict, row.score, row.heard, detail)


def _shown_visit(
    row: sa.Row[*tuple[Any, ...]],
    evidence: Sequence[tuple[str, Event]],
    reviews: Sequence[Review],
    reviewed: Mapping[str, ReviewedVisit],
) -> ShownVisit:
    closed = datetime.fromisoformat(row.wall) if row.wall else None
    told = sorted(words_on(evidence, reviews), key=lambda pair: pair[0].at)
    return ShownVisit(
        visit=row.visit,
        counter=row.counter,
        wall=closed - timedelta(seconds=row.at - row.opened) if closed else None,
        score=row.score,
        grade=row.grade,
        passed=None if row.passed is None else bool(row.passed),
        opened=row.opened,
        seconds=row.seconds,
        lost_audio=bool(row.lost_audio),
        outcome=row.outcome,
        recording=row.path,
        evidence=[event for event, _ in told],
        reviews=[review for _, review in told] if reviews else (),
        reviewed=reviewed.get(row.visit),
        manner={name: _figure(getattr(row, name)) for name in FIGURES},
    )


def _figure(value: float | None) -> float | None:
    """Whole numbers as such: databases give times as 2.0."""
    return int(value) if value is not None and value == int(value) else value
