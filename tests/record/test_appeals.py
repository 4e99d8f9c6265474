"""Appeals: in time, once, decided by somebody else; what is found on the way is not scored down unless one says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.record_cases import DAY, NOW
from support.review_cases import add_visit, history_of, row_with, sets

from counter_listener.domain import ReviewConflict, ReviewError
from counter_listener.record import (
    AppealRequest,
    Decision,
    ReviewRequest,
    appeals_of,
    decide_appeal,
    find_appeals,
    open_appeal,
    review,
    withdraw_appeal,
)
from counter_listener.record.store import Record, open_record


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.db") as opened:
        yield opened


@pytest.fixture
def disputed(record: Record) -> Decision:
    """An appeal by clerk Li about the offence of a visit, and the decision that overturns it."""
    visit = add_visit(record, 1)
    offence = row_with(record, visit, "forbidden")
    row = open_appeal(record, AppealRequest(visit, "li", "那是客户说的", offence.uid), NOW + DAY)
    return Decision(visit, row.uid, "anna", "overturned", row.seq, "听了录音", "not_heard")


def test_an_overturned_appeal_is_one_step_with_the_review(record: Record, disputed: Decision) -> None:
    decided, reviewed = decide_appeal(record, disputed, NOW + 2 * DAY, sets())
    assert (decided.kind, reviewed.kind, reviewed.seq) == ("appeal", "review", decided.seq + 1)
    assert (reviewed.verdict, reviewed.score, json.loads(reviewed.detail)["reason"]) == ("not_heard", 100, "appeal")
    (appeal,) = appeals_of(history_of(record, disputed.visit))
    assert (appeal.state, appeal.by, appeal.note, appeal.decided_by) == ("overturned", "li", "那是客户说的", "anna")
    assert appeal.answer == "听了录音"
    assert record.verify().broken is None


def test_a_decision_that_conflicts_with_a_newer_review_writes_nothing(record: Record, disputed: Decision) -> None:
    (appeal,) = appeals_of(history_of(record, disputed.visit))
    seen = disputed.after
    review(record, ReviewRequest(disputed.visit, "uphold", "ben", seen, appeal.event), NOW, sets())
    before = list(record.read())
    with pytest.raises(ReviewConflict, match="ben"):
        decide_appeal(record, disputed, NOW, sets())
    assert list(record.read()) == before
    assert appeals_of(history_of(record, disputed.visit))[0].state == "open"


def test_a_different_person_decides(record: Record, disputed: Decision) -> None:
    (appeal,) = appeals_of(history_of(record, disputed.visit))
    review(record, ReviewRequest(disputed.visit, "uphold", "ben", disputed.after, appeal.event), NOW, sets())
    for involved in ("li", "ben"):
        with pytest.raises(ReviewError, match="neither opened it nor reviewed"):
            decide_appeal(record, replace(disputed, by=involved, after=99), NOW, sets())
    (row,) = decide_appeal(record, replace(disputed, outcome="upheld"), NOW, sets())
    assert json.loads(row.detail)["outcome"] == "upheld"
    with pytest.raises(ReviewConflict, match="anna has closed this appeal"):
        decide_appeal(record, replace(disputed, by="carl", after=99), NOW, sets())


def test_an_appeal_is_in_time_has_a_reason_and_is_about_a_verdict(record: Record) -> None:
    visit = add_visit(record, 1)
    good = AppealRequest(visit, "li", "不对", row_with(record, visit, "forbidden").uid)
    with pytest.raises(ReviewError, match=r"ended at 2024-05-27 \d\d:\d\d UTC"):
        open_appeal(record, good, NOW + 8 * DAY)
    with pytest.raises(ReviewError, match="ended at"):
        open_appeal(record, good, NOW + 3 * DAY, within=DAY)
    with pytest.raises(ReviewError, match="needs a reason"):
        open_appeal(record, replace(good, note="  \n "), NOW)
    with pytest.raises(ReviewError, match="has no verdict"):
        open_appeal(record, replace(good, event="x:1"), NOW)
    row = open_appeal(record, good, NOW)
    with pytest.raises(ReviewError, match="already disputed"):
        open_appeal(record, replace(good, by="wang"), NOW)
    with pytest.raises(ReviewError, match="only who opened"):
        withdraw_appeal(record, visit, row.uid, "wang", NOW)
    withdraw_appeal(record, visit, row.uid, "li", NOW)
    assert open_appeal(record, replace(good, event=None), NOW)


def test_a_fault_found_on_the_way_teaches_and_costs_nothing_unless_the_decider_says_so(
    record: Record, disputed: Decision
) -> None:
    greeting = row_with(record, disputed.visit, "heard")
    close = history_of(record, disputed.visit).close
    assert close
    request = ReviewRequest(
        disputed.visit, "overturn", "anna", disputed.after, greeting.uid, "not_heard", reason="misheard"
    )
    row = review(record, request, NOW, sets())
    assert (row.score, json.loads(row.detail)["scored"]) == (close.score, False)
    scored = review(record, replace(request, after=row.seq, scored=True), NOW, sets())
    assert scored.score is not None
    assert close.score is not None
    assert scored.score < close.score
    assert "scored" not in json.loads(scored.detail)


def test_appeals_are_found_by_state_and_counter(record: Record, disputed: Decision) -> None:
    other = add_visit(record, 2, counter="5")
    open_appeal(record, AppealRequest(other, "wang", "没有听到"), NOW)
    decide_appeal(record, disputed, NOW, sets())

    def found(*, open_only: bool = False, only: tuple[str, ...] | None = None) -> list[str]:
        each = record.query(lambda connection: find_appeals(connection, open_only=open_only, only=only))
        return [appeal.visit for appeal in each]

    assert found() == [other, disputed.visit]
    assert found(open_only=True) == [other]
    assert found(only=("3",)) == [disputed.visit]
