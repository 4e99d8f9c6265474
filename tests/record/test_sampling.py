"""Samples: drawn once with a recorded seed, repeatable, with known chances, assigned, and worked off."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.record_cases import DAY, NOW
from support.review_cases import CURT, RUDE, add_visit, history_of, row_with, sets
from support.small_counter import FULL

from counter_listener.domain import ReviewError
from counter_listener.record import (
    Candidate,
    ReviewRequest,
    SamplePlan,
    assignments,
    candidates,
    draw,
    draw_sample,
    draws,
    review,
)
from counter_listener.record.store import Record, open_record

PLAN = SamplePlan("五月", 7, NOW - DAY, NOW + DAY, ("anna", "ben"), "root", per_week=2, passes=0.5, twice=0.5)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        visit=st.integers(0, 10**6).map(str),
        counter=st.sampled_from(["1", "2", None]),
        week=st.sampled_from(["2026-01-05", "2026-01-12"]),
        offence=st.booleans(),
        unknown=st.booleans(),
        passed=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda each: each.visit,
)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.db") as opened:
        yield opened


@settings(max_examples=60, deadline=None)
@given(CANDIDATES, st.integers(0, 99), st.randoms())
def test_a_draw_can_be_repeated_in_any_order_and_takes_what_the_plan_says(
    found: list[Candidate], seed: int, rng: object
) -> None:
    plan = replace(PLAN, seed=seed)
    drawn = draw_sample(found, plan)
    rng.shuffle(found)  # type: ignore[attr-defined]
    assert draw_sample(found, plan) == drawn
    by_visit = {each.visit: each for each in drawn}
    assert len(by_visit) == len(drawn)
    assert {each.visit for each in found if each.offence or each.unknown} <= set(by_visit)
    for stratum, size in Counter((each.counter, each.week) for each in found).items():
        rest = [each for each in found if (each.counter, each.week) == stratum and not (each.offence or each.unknown)]
        quota = [each for each in rest if each.visit in by_visit and by_visit[each.visit].reason == "quota"]
        assert len(quota) == min(plan.per_week, len(rest)) <= size
    assert all(0 < each.chance <= 1 for each in drawn)
    assert sum(each.second is not None for each in drawn) == round(plan.twice * len(drawn))
    assert all(each.second != each.reviewer for each in drawn)
    turns = Counter(each.reviewer for each in drawn)
    assert abs(turns["anna"] - turns["ben"]) <= 1


def test_the_chances_are_those_of_the_draw() -> None:
    found = [
        Candidate(f"{number:03}", "1", "2026-01-05", offence=False, unknown=False, passed=number < 30)
        for number in range(40)
    ]
    plan = replace(PLAN, per_week=4, passes=0.2)
    times: Counter[str] = Counter()
    told: dict[str, float] = {}
    for seed in range(600):
        for each in draw_sample(found, replace(plan, seed=seed)):
            times[each.visit] += 1
            told[each.visit] = each.chance
    for passed in (True, False):
        visits = [each.visit for each in found if each.passed == passed]
        share = sum(times[visit] for visit in visits) / 600 / len(visits)
        assert share == pytest.approx(told[visits[0]], abs=0.02)


def test_a_draw_is_recorded_with_its_seed_assigned_and_repeatable(record: Record) -> None:
    visits = [add_visit(record, number, sentences) for number, sentences in enumerate((RUDE, FULL, FULL, CURT, FULL))]
    drawn = draw(record, PLAN, NOW + DAY)
    rows = [row for row in record.read() if row.kind == "sample"]
    detail = json.loads(rows[0].detail)
    assert (detail["plan"], detail["seed"], detail["candidates"], detail["drawn"]) == ("五月", 7, 5, len(drawn))
    assert {row.visit for row in rows[1:]} == {each.visit for each in drawn} <= set(visits)
    again = record.query(lambda connection: candidates(connection, PLAN, rows[0].seq))
    assert draw_sample([candidate for candidate, _ in again], PLAN) == drawn
    assigned = record.query(assignments)
    assert len(assigned) == len(drawn) + sum(each.second is not None for each in drawn)
    assert {(each.visit, each.account) for each in assigned if each.blind} == {
        (each.visit, each.second) for each in drawn if each.second
    }
    assert record.verify().broken is None
    with pytest.raises(ReviewError, match="there is a sample 五月 already"):
        draw(record, PLAN, NOW)


def test_a_visit_is_done_when_its_reviewer_has_looked_at_all_of_it(record: Record) -> None:
    visit = add_visit(record, 1)
    draw(record, replace(PLAN, reviewers=("anna",)), NOW)
    offence = row_with(record, visit, "forbidden")

    def enter(action: str, event: str | None, by: str) -> None:
        last = history_of(record, visit).last
        review(record, ReviewRequest(visit, action, by, last, event), NOW, sets())  # type: ignore[arg-type]

    enter("uphold", offence.uid, "anna")
    enter("uphold", None, "ben")
    (one,) = record.query(draws)
    assert (one.plan, one.candidates, one.visits, one.progress) == ("五月", 1, 1, {"anna": (0, 1)})
    enter("uphold", None, "anna")
    (one,) = record.query(draws)
    assert one.progress == {"anna": (1, 1)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reviewers": ()}, "at least one reviewer"),
        ({"name": " "}, "needs a name"),
        ({"passes": 1.5}, "from 0 to 1"),
        ({"per_week": -1}, "from 0 on"),
        ({"since": NOW + DAY, "until": NOW + 2 * DAY}, "no visit of this time"),
    ],
)
def test_a_plan_that_makes_no_sense_draws_nothing(record: Record, change: dict[str, object], message: str) -> None:
    add_visit(record, 1)
    with pytest.raises(ReviewError, match=message):
        draw(record, replace(PLAN, **change), NOW)  # type: ignore[arg-type]
    assert not [row for row in record.read() if row.kind == "sample"]
