"""What a report asks of the record: aggregates in SQL, so that no event passes through Python but those shown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.figures import (
    CounterCoverage,
    DurationStatistics,
    ReportData,
    ReportScope,
    ScenarioTotals,
    ShownEvent,
    ShownVisit,
    VerdictCounts,
    VisitTotals,
    duration_statistics,
)
from counter_listener.record.rows import iso, text
from counter_listener.record.store import LIVE
from counter_listener.record.store_tables import EVENTS, RECORDINGS

QUARTER: Final = 900
"""Seconds. Every zone's clock differs from UTC by whole quarters of an hour."""
NO_LOSS: Final = ("listening began", "listening was stopped", "the listener made room for a new one")
"""Reasons of gaps that tell where listening begins and ends; with no length they are no loss."""
ASKED_AT_ONCE: Final = 500
"""Ids in one question: SQLite takes no more than 999 in its older versions."""

COUNTS: Final = ("heard", "not_heard", "unknown", "forbidden", "broken", "kept", "doubtful")
KEPT: Final = ("seq", "stream", "visit", "counter", "source", "phrases", "phrases_hash", "wall", "at", "score")
"""Columns of the record that a closed visit keeps."""
TOLD: Final = ("passed", "grade", "opened", "seconds", "lost_audio", "scenarios")
"""What stands in its detail, beside the counts."""
CLOSED: Final = sa.table("closed", *map(sa.column, (*KEPT, *TOLD, *COUNTS, "quarter")))
"""A passing table: the closed visits of the period, one row each."""
LEFT_OUT: Final = sa.table("left_out", sa.column("stream"))
"""A passing table: streams whose verdicts are history."""
JUDGED: Final = ("phrase", "forbidden", "rule")
"""Kinds of events that hold a verdict."""

EXACT: Final = tuple(one.name in {"points", "squares"} for one in fields(VisitTotals))
"""Which sums are no whole numbers."""

Rows = sa.Select[*tuple[Any, ...]]


def gather_report_data(
    connection: sa.Connection,
    scope: ReportScope,
    shown: int,
    stages: Mapping[str, Collection[str]],
    left_out: Collection[str] = (),
) -> ReportData:
    """Everything a report says, with the `shown` visits that most need a look; `stages` are those of each scenario.

    `left_out` are streams whose verdicts are history, because their recordings were judged anew. Rows that others
    append meanwhile are left out of all of it alike, and no lock is held between two questions.
    """
    last = connection.execute(sa.select(sa.func.max(EVENTS.c.seq))).scalar() or 0
    _leave_out(connection, left_out)
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp.closed")
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE closed ({', '.join(CLOSED.c.keys())})")
    connection.execute(sa.insert(CLOSED).from_select(CLOSED.c.keys(), _closed(scope, last)))
    earlier = scope.before()
    return ReportData(
        scope=scope,
        sets=_pairs(connection, sa.select(CLOSED.c.phrases, CLOSED.c.phrases_hash).distinct()),
        judged=_sums_by(connection, CLOSED, CLOSED.c.phrases),
        counters=_sums_by(connection, CLOSED, CLOSED.c.counter),
        quarters=_sums_by(connection, CLOSED, CLOSED.c.quarter),
        before=_sums(connection, _closed(earlier, last).subquery()) if earlier else None,
        told=_told(connection, scope, last),
        scenarios=_scenarios(connection, stages),
        lengths=_spread(connection, sa.select(CLOSED.c.seconds.label("seconds"))),
        between=_spread(connection, _between()),
        listening=_listening(connection, scope, last),
        visits=_visits(connection, shown),
    )


def _leave_out(connection: sa.Connection, streams: Collection[str]) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS temp.left_out")
    connection.exec_driver_sql("CREATE TEMPORARY TABLE left_out (stream TEXT PRIMARY KEY) WITHOUT ROWID")
    if streams:
        connection.execute(sa.insert(LEFT_OUT), [{"stream": text(one)} for one in streams])


def has_counter(connection: sa.Connection, counter: str) -> bool:
    """Whether anything in the record is of this counter."""
    asked = [sa.select(table.c.seq).where(table.c.counter == text(counter)) for table in (RECORDINGS, EVENTS)]
    return any(connection.execute(one.limit(1)).first() for one in asked)


def _detail(name: str) -> sa.ColumnElement[Any]:
    return sa.func.json_extract(EVENTS.c.detail, f"$.{name}")


def _within(table: sa.TableClause, wall: sa.ColumnElement[Any], scope: ReportScope) -> list[sa.ColumnElement[bool]]:
    """By wall time, or by the time of recording where that is unknown, as `events --since` has it."""
    when = sa.func.coalesce(wall, table.c.recorded)
    wanted = [when >= iso(scope.since)] if scope.since else []
    wanted += [when < iso(scope.until)] if scope.until else []
    if scope.counters:
        wanted.append(table.c.counter.in_([text(one) for one in scope.counters]))
    if table is EVENTS:
        wanted.append(EVENTS.c.stream.not_in(sa.select(LEFT_OUT.c.stream)))
        wanted += [EVENTS.c.phrases == text(scope.phrases)] if scope.phrases is not None else []
    return wanted


def _closed(scope: ReportScope, last: int) -> Rows:
    opened = _detail("opened")
    begun = sa.cast(sa.func.strftime("%s", EVENTS.c.wall), sa.Integer) - sa.cast(EVENTS.c.at - opened, sa.Integer)
    columns: list[sa.ColumnElement[Any]] = [EVENTS.c[name] for name in KEPT]
    columns += [_detail(name).label(name) for name in TOLD]
    columns += [_detail(f"counts.{name}").label(name) for name in COUNTS]
    columns.append((begun // QUARTER).label("quarter"))
    return sa.select(*columns).where(
        EVENTS.c.kind == "visit_closed", EVENTS.c.seq <= last, *_within(EVENTS, EVENTS.c.wall, scope)
    )


def _sum_columns(table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    score = table.c.score
    total = sa.func.total
    special: dict[str, sa.ColumnElement[Any]] = {
        "visits": sa.func.count(),
        "scored": sa.func.count(score),
        "passed": total(table.c.passed),
        "points": total(score),
        "squares": total(score * score),
        "offending": total(table.c.forbidden > 0),
        "lost_audio": total(table.c.lost_audio),
    }
    return [special[one.name] if one.name in special else total(table.c[one.name]) for one in fields(VisitTotals)]


def _as_sums(cells: Sequence[Any]) -> VisitTotals:
    """SQL's total() gives a float where nothing is summed up, too."""
    return VisitTotals(*(cell if exact else int(cell) for exact, cell in zip(EXACT, cells, strict=True)))


def _sums(connection: sa.Connection, table: sa.FromClause) -> VisitTotals:
    return _as_sums(connection.execute(sa.select(*_sum_columns(table))).one())


def _sums_by(connection: sa.Connection, table: sa.FromClause, key: sa.ColumnElement[Any]) -> dict[Any, VisitTotals]:
    asked = sa.select(key, *_sum_columns(table)).group_by(key).order_by(key)
    return {row[0]: _as_sums(row[1:]) for row in connection.execute(asked)}


def _pairs(connection: sa.Connection, asked: Rows) -> list[tuple[str, str]]:
    return sorted((row[0], row[1]) for row in connection.execute(asked))


def told_asked(scope: ReportScope, last: int) -> Rows:
    """How often each verdict was told of each phrase; the index events_told holds all that this asks for."""
    key = (EVENTS.c.phrases, EVENTS.c.kind, EVENTS.c.stage, EVENTS.c.step, EVENTS.c.phrase)
    return (
        sa.select(*key, EVENTS.c.verdict, sa.func.count(), sa.func.max(EVENTS.c.seq))
        .where(EVENTS.c.kind.in_(JUDGED), EVENTS.c.seq <= last)
        .where(*_within(EVENTS, EVENTS.c.wall, scope))
        .group_by(EVENTS.c.kind, EVENTS.c.phrases, *key[2:], EVENTS.c.verdict)
    )


def _told(connection: sa.Connection, scope: ReportScope, last: int) -> list[VerdictCounts]:
    verdicts: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    newest: dict[tuple[str, str, str | None, str | None, str], int] = {}
    for *one, verdict, count, seq in connection.execute(told_asked(scope, last)):
        name = (one[0], one[1], one[2], one[3], one[4])
        verdicts[name][verdict] = count
        newest[name] = max(seq, newest.get(name, 0))
    details = _details(connection, newest.values())
    return [VerdictCounts(*key_of, verdicts[key_of], seq, details.get(seq, {})) for key_of, seq in newest.items()]


def _details(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, dict[str, object]]:
    found: dict[int, dict[str, object]] = {}
    for some in _in_parts(sorted(numbers)):
        asked = sa.select(EVENTS.c.seq, EVENTS.c.detail).where(EVENTS.c.seq.in_(some))
        found |= {row.seq: _parsed(row.detail) for row in connection.execute(asked)}
    return found


def _in_parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[first : first + ASKED_AT_ONCE] for first in range(0, len(items), ASKED_AT_ONCE))


def _parsed(detail: str) -> dict[str, object]:
    """Nothing where somebody changed it; `events verify` says so."""
    try:
        found = json.loads(detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _scenarios(connection: sa.Connection, stages: Mapping[str, Collection[str]]) -> list[ScenarioTotals]:
    each = sa.func.json_each(CLOSED.c.scenarios).table_valued("value")
    begun = sa.select(each.c.value.label("scenario"), CLOSED).select_from(CLOSED.join(each, sa.true())).subquery()
    sums = _sums_by(connection, begun, begun.c.scenario)
    found = []
    for scenario, total in sums.items():
        of_it = sa.select(begun.c.visit).where(begun.c.scenario == scenario)
        owed = (EVENTS.c.stage.in_(stages.get(scenario, ())), _detail("required").is_(sa.true()))
        asked = (
            sa.select(sa.func.max(EVENTS.c.verdict == "not_heard").label("missed"))
            .where(EVENTS.c.visit.in_(of_it), EVENTS.c.verdict.in_(("not_heard", "unknown")), *owed)
            .group_by(EVENTS.c.visit)
            .subquery()
        )
        ill, missed = connection.execute(sa.select(sa.func.count(), sa.func.total(asked.c.missed))).one()
        found.append(ScenarioTotals(scenario, total, int(missed), ill - int(missed)))
    return found


def _between() -> Rows:
    """From the last speech of a visit to the opening of the next in the same recording or listening."""
    ended = sa.func.lag(CLOSED.c.opened + CLOSED.c.seconds)
    after = ended.over(partition_by=CLOSED.c.stream, order_by=(CLOSED.c.opened, CLOSED.c.seq))
    spell = sa.select((CLOSED.c.opened - after).label("seconds")).subquery()
    return sa.select(sa.func.max(spell.c.seconds, 0.0).label("seconds")).where(spell.c.seconds.is_not(None))


def _spread(connection: sa.Connection, asked: Rows) -> DurationStatistics:
    """Counted by whole seconds, which spares a sort by ranks; the mean and the longest are exact."""
    lengths = asked.subquery()
    whole = sa.cast(lengths.c.seconds, sa.Integer)
    counts = sa.select(whole, sa.func.count(), sa.func.total(lengths.c.seconds), sa.func.max(lengths.c.seconds))
    rows = connection.execute(counts.group_by(whole).order_by(whole))
    return duration_statistics([(row[0], row[1], row[2], row[3]) for row in rows])


def _listening(connection: sa.Connection, scope: ReportScope, last: int) -> list[CounterCoverage]:
    """Recordings by their length; what was heard live from the first to the last event of each listening."""
    total = sa.func.total
    recorded = sa.select(RECORDINGS.c.counter, total(RECORDINGS.c.seconds)).where(
        RECORDINGS.c.seq <= last, *_within(RECORDINGS, RECORDINGS.c.started, scope)
    )
    if scope.phrases is not None:
        of_set = sa.select(EVENTS.c.source).where(EVENTS.c.phrases == text(scope.phrases))
        recorded = recorded.where(RECORDINGS.c.sha256.in_(of_set))
    within = (EVENTS.c.seq <= last, *_within(EVENTS, EVENTS.c.wall, scope))
    edges = sa.union_all(
        sa.select(EVENTS.c.counter, EVENTS.c.stream, EVENTS.c.at.label("begun"), EVENTS.c.at).where(
            EVENTS.c.source == LIVE, EVENTS.c.kind == "gap", *within
        ),
        sa.select(CLOSED.c.counter, CLOSED.c.stream, CLOSED.c.opened, CLOSED.c.at).where(CLOSED.c.source == LIVE),
    ).subquery()
    live = (
        sa.select(edges.c.counter, (sa.func.max(edges.c.at) - sa.func.min(edges.c.begun)).label("seconds"))
        .group_by(edges.c.counter, edges.c.stream)
        .subquery()
    )
    lost = sa.select(EVENTS.c.counter, total(_detail("seconds")), sa.func.count()).where(
        EVENTS.c.kind == "gap", _detail("reason").not_in(NO_LOSS) | (_detail("seconds") > 0), *within
    )
    heard: dict[str | None, float] = defaultdict(float)
    for asked in (
        recorded.group_by(RECORDINGS.c.counter),
        sa.select(live.c.counter, total(live.c.seconds)).group_by(live.c.counter),
    ):
        for counter, seconds in connection.execute(asked):
            heard[counter] += seconds
    gaps = {row[0]: row[1:] for row in connection.execute(lost.group_by(EVENTS.c.counter))}
    return [
        CounterCoverage(one, heard[one], *gaps.get(one, (0.0, 0))) for one in sorted(heard, key=lambda one: one or "")
    ]


def _visits(connection: sa.Connection, shown: int) -> list[ShownVisit]:
    """Those that lost most points first; of equal ones the newest."""
    wanted = (
        sa.select(CLOSED, RECORDINGS.c.path)
        .select_from(CLOSED.outerjoin(RECORDINGS, RECORDINGS.c.sha256 == CLOSED.c.source))
        .order_by(CLOSED.c.score.is_(None), CLOSED.c.score, CLOSED.c.seq.desc())
        .limit(shown)
    )
    rows = connection.execute(wanted).all()
    evidence: dict[str, list[ShownEvent]] = defaultdict(list)
    for some in _in_parts([row.visit for row in rows]):
        asked = sa.select(EVENTS).where(EVENTS.c.visit.in_(some)).order_by(EVENTS.c.seq)
        for event in connection.execute(asked):
            if event.kind in JUDGED:  # asked of SQLite, it would look for the kind first and for the visit last
                evidence[event.visit].append(_evidence(event))
    return [_shown(row, evidence[row.visit]) for row in rows]


def _evidence(event: sa.Row[*tuple[Any, ...]]) -> ShownEvent:
    detail = _parsed(event.detail)
    said = detail.get("said_at", event.at)
    return ShownEvent(
        at=float(said) if isinstance(said, int | float) else event.at,
        said=event.heard is not None,
        kind=event.kind,
        stage=event.stage,
        phrase=event.phrase,
        title=str(detail.get("title") or event.phrase),
        verdict=event.verdict,
        closeness=event.score,
        heard=event.heard,
        reason=str(detail["reason"]) if "reason" in detail else None,
        late=float(str(detail["late"])) if "late" in detail else None,
    )


def _shown(row: sa.Row[*tuple[Any, ...]], evidence: list[ShownEvent]) -> ShownVisit:
    closed = datetime.fromisoformat(row.wall) if row.wall else None
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
        recording=row.path,
        evidence=sorted(evidence, key=lambda one: one.at),
    )
