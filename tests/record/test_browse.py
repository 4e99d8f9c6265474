"""Visits in lists: every filter against a plain reading of the rows, sorting, pages; the derived row stays derived."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from support.record_cases import NOW
from support.review_cases import CURT, RUDE, add_visit, judge_again, row_with, sets
from support.small_counter import FULL

from counter_listener.record import (
    FoundVisit,
    Order,
    Record,
    ReviewRequest,
    VisitFilter,
    find_visits,
    found_visit,
    known_counters,
    neighbours,
    open_record,
    review,
    visits_before,
)

ALL = VisitFilter()
DERIVED = "SELECT * FROM visits ORDER BY seq"


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Twelve visits at three counters, two hours apart."""
    with open_record(tmp_path / "events.db") as opened:
        for number in range(12):
            add_visit(opened, number, (RUDE, CURT, FULL)[number % 3], str(number % 4))
        yield opened


def found(record: Record, wanted: VisitFilter = ALL, order: Order = "time", **more: Any) -> list[FoundVisit]:
    page = record.query(lambda connection: find_visits(connection, wanted, order=order, **more))
    return page.visits


def closes(record: Record) -> dict[str, tuple[str | None, dict[str, object]]]:
    """Counter and detail of each close, by visit, read row by row."""
    return {
        row.visit or "": (row.counter, json.loads(row.detail)) for row in record.read() if row.kind == "visit_closed"
    }


def test_every_closed_visit_is_found_as_it_was_recorded(record: Record) -> None:
    visits = {visit.visit: visit for visit in found(record)}
    assert len(visits) == 12
    for id_, (counter, detail) in closes(record).items():
        visit, counts = visits[id_], detail["counts"]
        assert isinstance(counts, dict)
        assert (visit.counter, visit.passed, visit.grade) == (counter, detail["passed"], detail["grade"])
        for name in ("heard", "not_heard", "unknown", "forbidden", "broken", "doubtful"):
            assert getattr(visit, name) == counts[name]
        assert visit.began == (NOW + timedelta(seconds=visit.opened)).isoformat(timespec="microseconds")
        assert visit.path == f"/recordings/{int(visit.source[::-1], 16)}.wav"
        faults = {(row.verdict, row.phrase) for row in record.read(visit=id_) if row.verdict not in (None, "heard")}
        assert set(visit.fault_list()) == {fault for fault in faults if fault in visit.fault_list()}
        assert {fault for fault in faults if fault[0] == "forbidden"} <= set(visit.fault_list())


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        (VisitFilter(counters=("1",)), lambda visit: visit.counter == "1"),
        (VisitFilter(counters=("1", "2")), lambda visit: visit.counter in ("1", "2")),
        (VisitFilter(passed="passed"), lambda visit: visit.passed),
        (VisitFilter(passed="failed"), lambda visit: visit.passed is False),
        (VisitFilter(passed="unscored"), lambda visit: visit.score is None),
        (VisitFilter(verdict="forbidden"), lambda visit: visit.forbidden),
        (VisitFilter(verdict="not_heard"), lambda visit: visit.not_heard),
        (VisitFilter(least=50, most=90), lambda visit: visit.score is not None and 50 <= visit.score <= 90),
        (VisitFilter(outcome="complete"), lambda visit: visit.outcome == "complete"),
        (VisitFilter(outcome="service"), lambda visit: visit.outcome != "no_service"),
        (VisitFilter(reviewed=True), lambda _: False),
        (VisitFilter(reviewed=False), lambda _: True),
        (VisitFilter(file="/1."), lambda visit: visit.path == "/recordings/1.wav"),
        (VisitFilter(file="100%_"), lambda _: False),
        (VisitFilter(search="recordings/1"), lambda visit: visit.path.startswith("/recordings/1")),
        (VisitFilter(search="nowhere'; DROP TABLE visits"), lambda _: False),
        (VisitFilter(phrase="no-such"), lambda _: False),
        (VisitFilter(since=NOW + timedelta(days=1)), lambda _: False),
        (VisitFilter(since=NOW, until=NOW + timedelta(days=1)), lambda _: True),
    ],
    ids=lambda each: str(each) if isinstance(each, VisitFilter) else "",
)
def test_a_filter_finds_what_a_plain_reading_finds(record: Record, wanted: VisitFilter, is_wanted: object) -> None:
    expected = {visit.visit for visit in found(record) if is_wanted(visit)}  # type: ignore[operator]
    assert {visit.visit for visit in found(record, wanted)} == expected


def test_a_phrase_is_found_with_its_verdict_and_not_as_a_part_of_another(record: Record) -> None:
    visit = next(each for each in found(record) if each.fault_list())
    verdict, phrase = visit.fault_list()[0]
    assert verdict in ("not_heard", "forbidden", "broken", "unknown")
    same = found(record, VisitFilter(verdict=verdict, phrase=phrase))  # type: ignore[arg-type]
    assert visit in same
    assert all((verdict, phrase) in each.fault_list() for each in same)
    assert found(record, VisitFilter(phrase=phrase[:-1])) == []
    assert found(record, VisitFilter(verdict="heard", phrase=phrase)) == []


@pytest.mark.parametrize("order", get_args(Order))
def test_pages_hold_every_visit_once_in_order(record: Record, order: Order) -> None:
    keys = {
        "time": lambda visit: visit.moment,
        "score": lambda visit: visit.score,
        "counter": lambda visit: visit.counter,
        "length": lambda visit: visit.seconds,
        "faults": lambda visit: visit.forbidden + visit.broken + visit.not_heard,
    }
    for ascending in (False, True):
        pages = [found(record, order=order, ascending=ascending, first=first, count=5) for first in (0, 5, 10, 15)]
        listed = [visit for page in pages for visit in page]
        assert len({visit.visit for visit in listed}) == 12 == len(listed)
        values = [keys[order](visit) for visit in listed]
        known = [value for value in values if value is not None]
        assert values == [*known, *[None] * (len(values) - len(known))], "those without a value come last"
        assert known == sorted(known, reverse=not ascending)


def test_an_export_reads_in_parts_what_is_written_meanwhile_changes_nothing(record: Record) -> None:
    wanted = VisitFilter(counters=("0", "1"))
    expected, read, last = [visit.visit for visit in found(record, wanted)], [], None
    while part := record.query(partial(visits_before, wanted=wanted, last=last, count=2)):
        read += [visit.visit for visit in part]
        last = part[-1]
        add_visit(record, 100 + len(read), RUDE, "9")
    assert read == expected


def test_neighbours_lead_through_all_visits(record: Record) -> None:
    visits = found(record, count=20)
    for at, visit in enumerate(visits):
        before, after = record.query(partial(neighbours, seq=visit.seq))
        assert before == (visits[at + 1].visit if at + 1 < len(visits) else None)
        assert after == (visits[at - 1].visit if at else None)
    here = [visit for visit in visits if visit.counter == "1"]
    assert record.query(partial(neighbours, seq=here[0].seq, only=("1",))) == (here[1].visit, None)


def test_counters_are_listed_as_people_count(record: Record) -> None:
    for number, counter in enumerate(("10", "9", "大堂", "2")):
        add_visit(record, 50 + number, RUDE, counter)
    assert record.query(known_counters) == ["0", "1", "2", "3", "9", "10", "大堂"]


def test_a_review_changes_the_score_that_counts_and_a_note_does_not(record: Record) -> None:
    visit = next(each for each in found(record) if each.forbidden)
    offence = row_with(record, visit.visit, "forbidden")
    last = list(record.read(visit=visit.visit))[-1].seq
    review(record, ReviewRequest(visit.visit, "note", "li", last, note="看一下"), NOW, sets())
    assert record.query(partial(found_visit, visit=visit.visit)) == visit
    overturned = ReviewRequest(visit.visit, "overturn", "li", last, offence.uid, "not_heard", reason="misheard")
    row = review(record, overturned, NOW, sets())
    now = record.query(partial(found_visit, visit=visit.visit))
    assert now == replace(
        visit, reviewed=row.seq, score_after=row.score, passed_after=now.passed_after if now else None
    )
    assert now.score_now == row.score
    assert now in found(record, VisitFilter(reviewed=True))
    assert now in found(record, VisitFilter(least=row.score, most=row.score))


def test_what_was_judged_again_and_what_was_purged_is_in_no_list(record: Record) -> None:
    add_visit(record, 77, RUDE)
    judge_again(record, 77, FULL)
    same = [visit for visit in found(record, count=50) if visit.path == "/recordings/77.wav"]
    assert len(same) == 1
    assert same[0].visit.partition("-")[0].endswith(".2")
    assert record.purge(datetime(2030, 1, 1, tzinfo=UTC), NOW)
    assert found(record) == []


def test_an_older_record_gets_the_same_rows_as_one_that_was_written_with_them(record: Record, tmp_path: Path) -> None:
    add_visit(record, 77, RUDE)
    judge_again(record, 77, FULL)
    record.backup(tmp_path / "older.db")
    with closing(sqlite3.connect(tmp_path / "older.db")) as connection:
        expected = connection.execute(DERIVED).fetchall()
        tables = "'counters', 'enrolments', 'sources', 'received', 'renamed', 'clip_requests'"
        newer = f"name LIKE 'visits%' OR name IN ({tables}, 'events_gaps')"
        names = connection.execute(f"SELECT type, name FROM sqlite_master WHERE {newer}").fetchall()  # noqa: S608
        for kind, name in sorted(names, key=lambda one: one[0], reverse=True):
            if kind != "index" or name == "events_gaps":  # the others go with their table
                connection.execute(f"DROP {kind} {name}")
        connection.execute("UPDATE alembic_version SET version_num = ?", ("0004",))
        connection.commit()
    with open_record(tmp_path / "older.db") as older:
        assert older.verify().broken is None
    with closing(sqlite3.connect(tmp_path / "older.db")) as connection:
        assert connection.execute(DERIVED).fetchall() == expected


def test_a_reader_who_may_not_know_reviews_finds_the_visit_as_it_was_judged(record: Record) -> None:
    offence = next(visit for visit in found(record) if visit.forbidden)
    row = row_with(record, offence.visit, "forbidden")
    request = ReviewRequest(offence.visit, "overturn", "anna", row.seq + 99, row.uid, "not_heard", reason="misheard")
    review(record, request, NOW, sets())
    after = next(visit for visit in found(record) if visit.visit == offence.visit)
    assert after.score_now is not None
    assert offence.score_now is not None
    assert after.score_now > offence.score_now
    alone = VisitFilter(as_judged=(offence.visit,))
    assert next(visit for visit in found(record, alone) if visit.visit == offence.visit) == offence
    asked = (
        replace(ALL, reviewed=True),
        replace(ALL, reviewed=False),
        replace(ALL, least=offence.score_now + 0.1),
        replace(ALL, most=offence.score_now),
        replace(ALL, passed="passed"),
        replace(ALL, passed="failed"),
    )
    for wanted in asked:
        alone = replace(wanted, as_judged=(offence.visit,))
        assert (offence.visit in {visit.visit for visit in found(record, wanted)}) == (
            offence.visit not in {visit.visit for visit in found(record, alone)}
        )
        parts = record.query(partial(visits_before, wanted=alone, last=None))
        assert {visit.visit for visit in parts} == {visit.visit for visit in found(record, alone)}
    order = [visit.visit for visit in found(record, VisitFilter(as_judged=(offence.visit,)), "score")]
    assert order != [visit.visit for visit in found(record, ALL, "score")]


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE visits SET score = 100 WHERE seq = {seq}", "not what the table of visits says"),
        (
            "UPDATE visits SET reviewed = NULL, score_after = NULL WHERE seq = {seq}",
            "not what the table of visits says",
        ),
        ("UPDATE visits SET faults = 'unknown:hello' WHERE seq = {seq}", "not what the table of visits says"),
        ("UPDATE visits SET moment = '2020-01-01T00:00:00.000000+00:00' WHERE seq = {seq}", "not what the table"),
        ("UPDATE visits SET manner_rate = 9 WHERE seq = {seq}", "not what the table of visits says"),
        ("UPDATE visits SET manner_over = '[\"wait\"]' WHERE seq = {seq}", "not what the table of visits says"),
        ("DELETE FROM visits WHERE seq = {seq}", "missing in the table of visits"),
        ("UPDATE visits SET seq = 1 WHERE seq = {seq}", "closes no visit"),
    ],
)
def test_a_list_that_does_not_say_what_the_rows_say_is_found(
    record: Record, tmp_path: Path, statement: str, wrong: str
) -> None:
    offence = next(visit for visit in found(record) if visit.forbidden)
    row = row_with(record, offence.visit, "forbidden")
    request = ReviewRequest(offence.visit, "overturn", "anna", row.seq + 99, row.uid, "not_heard", reason="misheard")
    review(record, request, NOW, sets())
    judge_again(record, 3, FULL)
    record.purge(NOW - timedelta(days=900), NOW)
    assert record.verify().broken is None
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        connection.execute(statement.format(seq=offence.seq))
        connection.commit()
    broken = record.verify().broken
    assert broken is not None
    assert str(broken.wrong).startswith(wrong)
    assert broken.seq in (1, offence.seq)
