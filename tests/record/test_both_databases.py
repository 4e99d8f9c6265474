"""SQLite and PostgreSQL hold the same record: what is written, read, found, counted, verified, purged is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.postgres import new_database, url_of
from support.record_cases import DAY, NOW, live, recorded_as, visit_events
from support.review_cases import CURT, RUDE, add_visit, judge_again, judged, row_with, sets
from support.small_counter import FULL

from counter_listener.domain import RecordError, ReviewConflict
from counter_listener.domain.types import Event
from counter_listener.record import (
    Accounts,
    AppealRequest,
    Decision,
    Order,
    ReportScope,
    ReviewRequest,
    SamplePlan,
    VisitFilter,
    accounts_file,
    assignments,
    counters_heard,
    decide_appeal,
    draw,
    draws,
    find_appeals,
    find_visits,
    gather_overview,
    gather_report_data,
    has_counter,
    known_counters,
    machine_rows,
    machine_trust,
    neighbours,
    note_access,
    open_appeal,
    record_file,
    record_state,
    review,
    review_rows,
    second_opinions_due,
)
from counter_listener.record.keeping import Limits
from counter_listener.record.migrations import upgrade
from counter_listener.record.rows import event_from_row, iso
from counter_listener.record.schema import SCHEMAS
from counter_listener.record.store import Record, open_record

LISTED = (
    VisitFilter(),
    VisitFilter(counters=("1", "三号")),
    VisitFilter(since=NOW, until=NOW + DAY, passed="failed"),
    VisitFilter(passed="unscored"),
    VisitFilter(verdict="forbidden"),
    VisitFilter(verdict="not_heard", phrase="greet"),
    VisitFilter(outcome="service", least=10, most=95),
    VisitFilter(reviewed=True),
    VisitFilter(undecided=True),
    VisitFilter(search="RECORDINGS/1"),
    VisitFilter(file="100%_"),
)
SCOPES = (
    ReportScope(),
    ReportScope(NOW, NOW + DAY, ("1", "2")),
    ReportScope(phrases="no such"),
    ReportScope(until=NOW + DAY),
)


@contextmanager
def both(folder: Path) -> Iterator[tuple[Record, Record]]:
    """An empty record in each database."""
    with (
        new_database() as name,
        open_record(folder / "record.db", key_file=folder / "key.pem") as one,
        open_record(url_of(name), key_file=folder / "other.pem") as other,
    ):
        yield one, other


def fill(record: Record) -> None:
    """All that a record can hold: recordings, live visits, gaps, judgements, words of people."""
    visits = [add_visit(record, number, (RUDE, CURT, FULL)[number % 3], str(number % 4)) for number in range(8)]
    record.append(judged(FULL), replace(live("live-9", NOW - DAY), counter="三号"), NOW)
    record.append([Event("gap", 500.0, detail={"reason": "muted", "seconds": 4.5})], live("live-9", NOW - DAY), NOW)
    record.append(visit_events(1), live("live-8", None), NOW + DAY)
    judge_again(record, 2, RUDE)
    rude = row_with(record, visits[0], "forbidden")
    word = ReviewRequest(visits[0], "overturn", "anna", rude.seq + 99, rude.uid, "not_heard", reason="other_speaker")
    review(record, word, NOW, sets())
    with pytest.raises(ReviewConflict):
        review(record, replace(word, by="ben", after=1), NOW, sets())
    review(record, ReviewRequest(visits[1], "uphold", "anna", 999), NOW, sets())
    review(record, ReviewRequest(visits[4], "note", "ben", 999, note="看一下"), NOW, sets())
    plan = SamplePlan("五月", 7, NOW - 2 * DAY, NOW + DAY, ("anna", "ben"), "root", per_week=2, passes=0.5, twice=1)
    draw(record, plan, NOW)
    disputed = row_with(record, visits[3], "forbidden")
    appeal = open_appeal(record, AppealRequest(visits[3], "clerk", "不是我", disputed.uid), NOW)
    decide_appeal(
        record, Decision(visits[3], appeal.uid, "ben", "overturned", 999, verdict="not_heard"), NOW + DAY, sets()
    )
    note_access(record, "anna", "seen", NOW, visits[0])
    assert note_access(record, "anna", "seen", NOW, visits[0]) is None


def told(record: Record) -> dict[str, Any]:
    """All that pages and reports read."""
    ask = record.query
    pages = [
        ask(partial(find_visits, wanted=each, order=order, ascending=order != "time", first=1, count=7))
        for each in LISTED
        for order in (get_args(Order) if each in (LISTED[0], LISTED[-2]) else ("time",))
    ]
    seqs = sorted({each.seq for page in pages for each in page.visits})
    before = VisitFilter(since=NOW - 9 * DAY, until=NOW)
    return {
        "rows": list(record.read()),
        "recordings": list(record.recordings()),
        "found": list(record.read(since=NOW, verdict="forbidden")),
        "newest": record.newest_visit("三号"),
        "replaced": record.replaced_streams(),
        "judgement": record.latest_judgement(recorded_as(2)[0].sha256),
        "pages": pages,
        "neighbours": [ask(partial(neighbours, seq=seq, only=only)) for seq in seqs for only in (None, ("1",), ())],
        "overview": [ask(partial(gather_overview, wanted=each, before=before)) for each in LISTED[:5]],
        "reports": [
            ask(partial(gather_report_data, scope=each, shown=20, stages={"complaint": ["complaint"]}))
            for each in SCOPES
        ],
        "trust": [ask(partial(machine_trust, scope=each)) for each in SCOPES],
        "counters": (ask(known_counters), ask(counters_heard), ask(partial(has_counter, counter="1"))),
        "samples": (ask(draws), ask(assignments), ask(partial(second_opinions_due, account="anna"))),
        "appeals": ask(find_appeals),
        "parts": (ask(partial(machine_rows, after=3, count=9)), ask(partial(review_rows, after=0, count=9))),
        "state": replace(ask(record_state), head=None),
        "kept": record.kept_from(Limits(iso(NOW))),
    }


def plain(value: Any) -> Any:
    """A value in which times of day are rounded as coarsely as the databases differ, and sums likewise."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return sorted(((repr(plain(key)), plain(each)) for key, each in value.items()), key=lambda pair: pair[0])
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, str) and value.endswith("000+00:00"):
        return datetime.fromisoformat(value).replace(microsecond=0)
    return sorted(value) if isinstance(value, frozenset) else value


def test_everything_that_is_read_of_a_record_is_the_same(tmp_path: Path) -> None:
    with both(tmp_path) as records:
        for record in records:
            fill(record)
        one, other = (told(record) for record in records)
        for name in one:
            assert plain(one[name]) == plain(other[name]), name
        assert len(one["rows"]) > 90
        assert all(record.verify().broken is None for record in records)
        assert records[0].verify().tail == records[1].verify().tail
        for number, limit in enumerate((NOW - 2 * DAY, NOW + DAY / 2, NOW + 9 * DAY)):
            purged = [record.purge(limit, NOW + number * DAY) for record in records]
            assert purged[0] == purged[1]
            assert plain(told(records[0])) == plain(told(records[1]))
            assert [(found.rows, found.broken) for found in (record.verify() for record in records)] == [
                (len(list(record.read())) + len(list(record.recordings())), None) for record in records
            ]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SECONDS = st.integers(0, 100_000_000).map(lambda milliseconds: milliseconds / 1000)
"""What is recorded is rounded: times to milliseconds, scores to tenths."""
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(["visit_opened", "phrase", "forbidden", "rule", "visit_closed", "gap"]),
    at=SECONDS,
    visit=st.none() | st.integers(1, 3),
    stage=st.none() | NAMES,
    phrase=st.none() | st.sampled_from(["hello", "bye", "a:b"]),
    verdict=st.none() | st.sampled_from(["heard", "not_heard", "unknown", "forbidden", "broken"]),
    score=st.none() | st.integers(0, 1000).map(lambda tenths: tenths / 10),
    heard=st.none() | NAMES,
    detail=st.fixed_dictionaries(
        {"opened": SECONDS, "seconds": SECONDS | st.integers(0, 9)},
        optional={
            "passed": st.booleans(),
            "required": st.booleans(),
            "lost_audio": st.booleans(),
            "outcome": st.sampled_from(["complete", "no_service", "not_understood"]),
            "scenarios": st.lists(st.sampled_from(["complaint", "queue"]), max_size=2, unique=True),
            "counts": st.dictionaries(st.sampled_from(["heard", "not_heard", "forbidden"]), st.integers(0, 9)),
            "reason": st.sampled_from(["muted", "listening began"]),
            "title": NAMES,
        },
    ),
)
STREAMS = st.lists(
    st.tuples(st.lists(EVENTS, min_size=1, max_size=5), st.sampled_from(["1", "2", "é", None]), st.integers(0, 40)),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow  # beside the test of everything
@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])  # to shrink by databases takes minutes
@given(STREAMS, st.integers(0, 40))
def test_drawn_rows_have_the_same_figures(
    tmp_path_factory: pytest.TempPathFactory, streams: list[tuple[list[Event], str | None, int]], limit: int
) -> None:
    with both(tmp_path_factory.mktemp("drawn")) as records:
        for record in records:
            for number, (events, counter, day) in enumerate(streams):
                started = None if day % 7 == 0 else NOW + day * DAY
                record.append(events, replace(live(f"live-{number}", started), counter=counter), NOW + day * DAY)
        one, other = (told(record) for record in records)
        for name in one:
            assert plain(one[name]) == plain(other[name]), name
        assert [event_from_row(row) for row in one["rows"]] == [
            event for events, _, _ in streams for event in map(storable, events)
        ]
        purged = [record.purge(NOW + limit * DAY, NOW) for record in records]
        assert purged[0] == purged[1]
        assert all(record.verify().broken is None for record in records)


def storable(event: Event) -> Event:
    """An event as a record keeps it: no text in it holds a NUL."""

    def kept(value: Any) -> Any:
        return value.replace("\0", "\\x00") if isinstance(value, str) else value

    detail = {name: kept(value) for name, value in event.detail.items()}
    return replace(event, stage=kept(event.stage), heard=kept(event.heard), detail=detail)


def test_a_row_is_written_once_and_all_or_nothing(location: str) -> None:
    recording, origin = recorded_as(7)
    with open_record(location) as record:
        assert record.add_recording(recording, visit_events(1), origin, NOW)
        before = list(record.read())
        assert not record.add_recording(replace(recording, path="/elsewhere.wav"), visit_events(1), origin, NOW)
        with pytest.raises(ValueError, match="time zone"), record.transaction():  # noqa: PT012 - all or nothing
            record.append(visit_events(2), live(), NOW)
            record.append(visit_events(3), live(), NOW.replace(tzinfo=None))
        with record.transaction():
            record.append(visit_events(2), live(), NOW)
            with open_record(location, create=False) as other:
                assert list(other.read()) == before
            record.append(visit_events(3), live(), NOW)
        assert [row.seq for row in record.read()] == list(range(2, 11))
        assert record.verify().broken is None


def test_a_record_that_is_signed_takes_nothing_without_its_key(location: str, tmp_path: Path) -> None:
    with open_record(location, key_file=tmp_path / "key.pem") as record:
        record.append(visit_events(1), live(), NOW)
        anchor = record.head(NOW)
        assert anchor
        assert anchor.seq == 3
        record.append(visit_events(2), live(), NOW)
        found = record.verify(anchor)
        assert (found.broken, found.head and found.head.seq) == (None, 6)
        assert record.change_key(tmp_path / "new.pem", NOW).seq == 7
    with open_record(location) as record, pytest.raises(RecordError, match="nothing can be added"):
        record.append(visit_events(3), live(), NOW)
    with pytest.raises(RecordError, match="signed with the key"), open_record(location, key_file=tmp_path / "key.pem"):
        pass


def test_many_pages_are_read_in_order_while_the_same_record_appends(location: str) -> None:
    with open_record(location) as record:
        record.append([Event("gap", float(n)) for n in range(1200)], live(), NOW)
        rows = record.read()
        assert next(rows).seq == 1
        record.append(visit_events(1), live(), NOW)
        assert [row.seq for row in rows] == list(range(2, 1204))


def test_accounts_are_in_a_file_beside_the_record_wherever_it_is(location: str, tmp_path: Path) -> None:
    path = accounts_file(record_file(location))
    assert path.suffixes == [".accounts", ".db"]
    assert "@" not in path.name
    kept = Accounts(tmp_path / path.name)
    kept.add("li", "auditor", "a long secret", NOW)
    assert [asdict(each)["name"] for each in kept.all()] == ["li"]


def test_the_migrations_reach_the_newest_schema_from_each_older_one(database: str) -> None:
    from support.postgres import as_administrator

    from counter_listener.record.databases import find_database
    from counter_listener.record.postgres import parts

    as_administrator(f"CREATE DATABASE {database}_older")
    try:
        older = find_database(url_of(f"{database}_older"))
        with older.open(create=True) as connection:
            with connection.begin():
                upgrade(connection, SCHEMAS[SCHEMAS.index("0005")])
            with open_record(url_of(f"{database}_older")) as record:
                record.append(visit_events(1), live(), NOW)
                assert record.verify().broken is None
            with connection.begin():
                made = parts(connection)
        with find_database(url_of(database)).open(create=False) as connection, connection.begin():
            assert parts(connection) == made
    finally:
        as_administrator(f"DROP DATABASE {database}_older WITH (FORCE)")
