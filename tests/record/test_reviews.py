"""Reviews are rows of their own: they change no event, nobody overwrites anybody, and the score follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.older_records import make_older
from support.record_cases import DAY, NOW, recorded_as
from support.review_cases import CURT, RUDE, add_visit, history_of, judge_again, row_with, sets
from support.small_counter import FULL, small

from counter_listener.domain import Observation, ReviewConflict, ReviewError, Verdict
from counter_listener.judging import effective_verdicts
from counter_listener.record import ReviewRequest, Row, VisitFilter, find_visits, note_access, review
from counter_listener.record.rows import Origin
from counter_listener.record.store import Record, open_record


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.db") as opened:
        yield opened


def overturn(record: Record, row: Row, verdict: Verdict, by: str = "anna", after: int | None = None) -> Row:
    """Overturns the verdict of a row, having seen all rows up to `after`; by default all there are."""
    assert row.visit
    seen = history_of(record, row.visit).last if after is None else after
    request = ReviewRequest(row.visit, "overturn", by, seen, row.uid, verdict, reason="misheard")
    return review(record, request, NOW + DAY, sets())


def test_a_review_is_a_chained_row_and_changes_no_other(record: Record) -> None:
    visit = add_visit(record, 1)
    before = list(record.read())
    offence = row_with(record, visit, "forbidden")
    row = overturn(record, offence, "not_heard")
    assert list(record.read()) == [*before, row]
    assert (row.kind, row.visit, row.uid, row.counter) == ("review", visit, f"people-{visit}:1", "3")
    assert (row.phrase, row.at, row.verdict, row.score) == (offence.phrase, offence.at, "not_heard", 100)
    assert json.loads(row.detail) == {
        "action": "overturn",
        "after": before[-1].seq,
        "by": "anna",
        "event": offence.uid,
        "passed": True,
        "reason": "misheard",
        "title": json.loads(offence.detail)["title"],
        "was": "forbidden",
    }
    assert record.verify().broken is None


def test_upholding_restores_what_the_machine_said(record: Record) -> None:
    visit = add_visit(record, 1)
    offence = row_with(record, visit, "forbidden")
    recorded = history_of(record, visit).close
    assert recorded
    overturn(record, offence, "not_heard")
    last = history_of(record, visit).last
    row = review(record, ReviewRequest(visit, "uphold", "ben", last, offence.uid), NOW, sets())
    assert (row.verdict, row.score, json.loads(row.detail)["was"]) == ("forbidden", recorded.score, "not_heard")


def test_two_who_review_the_same_do_not_overwrite_each_other(record: Record) -> None:
    visit = add_visit(record, 1)
    offence = row_with(record, visit, "forbidden")
    seen = history_of(record, visit).last
    overturn(record, offence, "not_heard", "anna", seen)
    before = list(record.read())
    with pytest.raises(ReviewConflict, match="anna reviewed the same in the meantime"):
        overturn(record, offence, "unknown", "ben", seen)
    with pytest.raises(ReviewConflict):
        review(record, ReviewRequest(visit, "uphold", "ben", seen), NOW, sets())
    assert list(record.read()) == before
    row = overturn(record, offence, "unknown", "ben")
    history = history_of(record, visit)
    assert effective_verdicts(history.events, history.reviews)[offence.uid] == "unknown"
    assert json.loads(row.detail)["was"] == "not_heard"


def test_reviews_of_other_verdicts_and_notes_are_no_conflict(record: Record) -> None:
    visit = add_visit(record, 1)
    seen = history_of(record, visit).last
    overturn(record, row_with(record, visit, "forbidden"), "not_heard", "anna", seen)
    review(record, ReviewRequest(visit, "note", "ben", seen, note="电话 13812345678 \x1b[31m"), NOW, sets())
    greeting = row_with(record, visit, "heard")
    row = overturn(record, greeting, "unknown", "ben", seen)
    assert row.seq == seen + 3
    note = json.loads(list(record.read())[-2].detail)["note"]
    assert note == "电话 ＊＊＊[31m"


def test_a_review_says_when_only_another_version_of_the_phrase_set_is_at_hand(record: Record) -> None:
    visit = add_visit(record, 1)
    offence = row_with(record, visit, "forbidden")
    request = ReviewRequest(visit, "overturn", "anna", offence.seq, offence.uid, "not_heard", reason="other")
    other = [(small().phrases, "another version")]
    row = review(record, request, NOW, other)
    assert (row.score, json.loads(row.detail)["approximate"]) == (100, True)
    unknown = review(record, replace(request, after=row.seq), NOW, [])
    assert (unknown.score, "grade" in json.loads(unknown.detail)) == (None, False)


def test_observations_are_entered_and_count_as_the_set_says(record: Record) -> None:
    visit = add_visit(record, 1)
    smile = Observation(id="smile", title="微笑", stage="greet", weight=1.0)
    known = [(replace(small().phrases, observe=(smile,)), sets()[0][1])]
    last = history_of(record, visit).last
    request = ReviewRequest(visit, "observe", "anna", last, verdict="not_heard", phrase="smile")
    row = review(record, request, NOW, known)
    close = history_of(record, visit).close
    assert (row.phrase, row.stage, row.verdict) == ("smile", "greet", "not_heard")
    assert close
    assert close.score
    assert row.score
    assert row.score < close.score
    with pytest.raises(ReviewConflict):
        review(record, replace(request, by="ben", verdict="heard"), NOW, known)
    with pytest.raises(ReviewError, match="nothing to observe named 'frown'"):
        review(record, replace(request, phrase="frown"), NOW, known)
    with pytest.raises(ReviewError, match="smile can be: heard, not_heard, unknown"):
        review(record, replace(request, verdict="broken"), NOW, known)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"visit": "nowhere-1"}, "holds no visit 'nowhere-1'"),
        ({"event": "nothing:1"}, "has no verdict 'nothing:1'"),
        ({"event": None}, "name the event"),
        ({"verdict": "broken"}, "can be overturned to: not_heard, unknown"),
        ({"verdict": "forbidden"}, "can be overturned to: not_heard, unknown"),
        ({"reason": None}, "for one of these reasons: misheard"),
        ({"reason": "whatever"}, "for one of these reasons"),
        ({"by": " "}, "the name of an account"),
        ({"note": "长" * 2001}, "2001 letters; 2000 are possible"),
        ({"action": "note"}, "an empty note"),
        ({"action": "observe", "event": None, "phrase": "x", "at": float("nan")}, "a number from 0 on"),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(record: Record, change: dict[str, object], message: str) -> None:
    visit = add_visit(record, 1)
    offence = row_with(record, visit, "forbidden")
    good = ReviewRequest(visit, "overturn", "anna", offence.seq + 9, offence.uid, "not_heard", reason="misheard")
    before = list(record.read())
    with pytest.raises(ReviewError, match=message):
        review(record, replace(good, **change), NOW, sets())  # type: ignore[arg-type]
    assert list(record.read()) == before


def test_open_visits_and_replaced_verdicts_are_not_reviewed(record: Record) -> None:
    visit = add_visit(record, 1)
    judge_again(record, 1, CURT)
    with pytest.raises(ReviewError, match="judged again; review the newer verdicts"):
        overturn(record, row_with(record, visit, "forbidden"), "not_heard")
    stream = visit.removesuffix("-1")
    overturn(record, row_with(record, f"{stream}.2-1", "not_heard"), "heard")
    record.append(record.events(stream)[:2], Origin("live-7", "live", "3", NOW, "x", "y", "z"), NOW)
    with pytest.raises(ReviewError, match="still open"):
        overturn(record, row_with(record, "live-7-1", "heard"), "unknown")


def test_who_saw_a_visit_is_noted_once_an_hour_and_what_was_changed_every_time(record: Record) -> None:
    visit = add_visit(record, 1, RUDE)
    first = note_access(record, "anna", "seen", NOW, visit)
    assert first
    assert (first.kind, first.visit, first.uid) == ("access", visit, f"people-{visit}:1")
    assert note_access(record, "anna", "seen", NOW + DAY / 48, visit) is None
    assert note_access(record, "anna", "heard", NOW + DAY / 48, visit)
    assert note_access(record, "ben", "seen", NOW + DAY / 48, visit)
    assert note_access(record, "anna", "seen", NOW + DAY / 20, visit)
    changed = [note_access(record, "root", "changed", NOW, what="account anna: disabled") for _ in range(2)]
    assert [row.uid for row in changed if row] == ["people:1", "people:2"]
    with pytest.raises(ReviewError, match="holds no visit"):
        note_access(record, "anna", "seen", NOW, "nowhere-9")


def test_a_visit_that_a_review_leaves_without_a_score_has_none_in_the_list(location: str) -> None:
    with open_record(location) as record:
        visit = add_visit(record, 1, FULL)
        add_visit(record, 2)
        heard = row_with(record, visit, "heard")
        assert overturn(record, heard, "unknown").score is None
        assert listed(record)[visit] == (None, None)
        assert record.verify().broken is None
        overturn(record, heard, "not_heard")
        assert listed(record)[visit][0] is not None
        overturn(record, heard, "unknown")
        review(record, ReviewRequest(visit, "uphold", "ben", 999), NOW + DAY, ())
        assert listed(record)[visit] == (None, None), "a review without a phrase set tells nothing of the score"
        only = add_visit(record, 3)
        review(record, ReviewRequest(only, "uphold", "ben", 999), NOW + DAY, ())
        assert listed(record)[only] == listed(record)[f"{recorded_as(2)[0].sha256[:12]}-1"]
        assert record.verify().broken is None


def test_records_of_earlier_versions_are_set_right(location: str) -> None:
    make_older(location, "0006")
    with open_record(location, upgrade=False) as record:
        visit, other = add_visit(record, 1, FULL), add_visit(record, 2)
        overturn(record, row_with(record, visit, "heard"), "unknown")
        overturn(record, row_with(record, other, "forbidden"), "not_heard")
        assert listed(record)[visit] == (100, True), "the defect"
        assert record.verify().broken is None, "it is what this version makes of the rows"
        right = listed(record)[other]
    with open_record(location) as record:
        assert listed(record) == {visit: (None, None), other: right}
        assert record.verify().broken is None


def listed(record: Record) -> dict[str, tuple[float | None, bool | None]]:
    """Score and pass of each visit in the list."""
    found = record.query(lambda connection: find_visits(connection, VisitFilter())).visits
    return {each.visit: (each.score_now, each.passed_now) for each in found}
