"""How right is the machine here: precision from reviews, estimates from samples, agreement of blind reviewers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.record_cases import DAY, NOW
from support.review_cases import RUDE, add_visit, history_of, judge_again, row_with, sets
from support.small_counter import FULL, small

from counter_listener.domain import Verdict, wilson_interval
from counter_listener.judging import effective_verdicts
from counter_listener.record import (
    MachineTrust,
    ReportScope,
    ReviewRequest,
    SamplePlan,
    assignments,
    draw,
    machine_trust,
    review,
)
from counter_listener.record.store import Record, open_record

PLAN = SamplePlan("p", 3, NOW - DAY, NOW + DAY, ("anna", "ben"), "root", per_week=2, passes=0, twice=1)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with open_record(tmp_path / "record.db") as opened:
        yield opened


def overturn(record: Record, visit: str, said: str, to: Verdict, by: str = "anna") -> None:
    row = row_with(record, visit, said)
    last = history_of(record, visit).last
    request = ReviewRequest(visit, "overturn", by, last, row.uid, to, reason="misheard")
    review(record, request, NOW, sets())


def finish(record: Record, visit: str, by: str = "anna") -> None:
    review(record, ReviewRequest(visit, "uphold", by, history_of(record, visit).last), NOW, sets())


def trust(record: Record, scope: ReportScope = ReportScope()) -> MachineTrust:  # noqa: B008 - it is frozen
    return record.query(lambda connection: machine_trust(connection, scope))


def test_without_reviews_nothing_is_claimed(record: Record) -> None:
    add_visit(record, 1)
    assert trust(record) == MachineTrust()


def test_precision_counts_what_reviewers_upheld(record: Record) -> None:
    visits = [add_visit(record, number, RUDE) for number in range(4)]
    for visit in visits[:2]:
        finish(record, visit)
    overturn(record, visits[2], "forbidden", "not_heard")
    found = trust(record)
    (offence,) = [each for each in found.verdicts if each.verdict == "forbidden"]
    assert (offence.upheld.part, offence.upheld.of, offence.kind) == (2, 3, "forbidden")
    assert offence.upheld.interval == wilson_interval(2, 3)
    assert offence.title == small().phrases.forbidden[0].name or offence.title
    assert offence.sampled is None
    greeted = [each for each in found.verdicts if each.verdict == "heard"]
    assert {each.upheld.of for each in greeted} == {2}, "of the third visit, only the offence was reviewed"
    assert (found.reviewed, found.changed, found.overturned.part) == (3, 1, 1)
    later = ReportScope(since=NOW + DAY)
    assert trust(record, later) == MachineTrust()
    assert trust(record, ReportScope(counters=("9",))) == MachineTrust()


def test_what_was_judged_again_says_nothing_of_the_machine_as_it_is(record: Record) -> None:
    visit = add_visit(record, 1, RUDE)
    overturn(record, visit, "forbidden", "not_heard")
    judge_again(record, 1, FULL)
    assert trust(record).reviewed == 0


def test_samples_say_what_holds_for_all(record: Record) -> None:
    rude = add_visit(record, 0, RUDE)
    for number in range(1, 9):
        add_visit(record, number, FULL)
    drawn = draw(record, replace(PLAN, twice=0), NOW)
    assert sorted(each.chance for each in drawn) == [0.25, 0.25, 1.0]
    for each in drawn:
        if each.visit != rude:
            offence = small().phrases.forbidden[0].id
            last = history_of(record, each.visit).last
            request = ReviewRequest(each.visit, "observe", each.reviewer, last, None, "forbidden", offence, 3.0)
            review(record, request, NOW, sets())
        finish(record, each.visit, each.reviewer)
    found = trust(record)
    assert (found.sampled, found.finished, found.missed) == (3, 3, 2)
    assert found.visits_missed
    assert found.visits_missed.value == pytest.approx(8 / 9)
    assert (found.visits_missed.n, found.visits_missed.part) == (3, 2)


def test_blind_reviewers_change_nothing_and_their_agreement_is_measured(record: Record) -> None:
    visits = [add_visit(record, number, RUDE) for number in range(3)]
    draw(record, PLAN, NOW)
    who = {(each.visit, each.blind): each.account for each in record.query(assignments)}
    for number, visit in enumerate(visits):
        first, second = who[visit, False], who[visit, True]
        if number == 0:
            overturn(record, visit, "forbidden", "not_heard", second)
        if number == 1:
            overturn(record, visit, "forbidden", "not_heard", first)
            overturn(record, visit, "forbidden", "not_heard", second)
        finish(record, visit, second)
        finish(record, visit, first)
    history = history_of(record, visits[0])
    offence = row_with(record, visits[0], "forbidden").uid
    assert effective_verdicts(history.events, history.reviews)[offence] == "forbidden"
    blind = next(each for each in history.reviews if each.action == "overturn")
    assert blind.blind
    found = trust(record)
    assert found.agreement
    assert (found.agreement.n - found.agreement.agreed) == 1
    assert found.agreement.kappa
    assert 0 < found.agreement.kappa < 1
    assert found.overturned.part == 1, "only the first reviewer's word counts"


def test_what_a_second_reviewer_says_after_the_first_one_is_shown_to_her_is_no_agreement(record: Record) -> None:
    visit = add_visit(record, 1, RUDE)
    draw(record, PLAN, NOW)
    who = {each.blind: each.account for each in record.query(assignments)}
    overturn(record, visit, "forbidden", "not_heard", who[False])
    finish(record, visit, who[False])
    finish(record, visit, who[True])
    before = trust(record).agreement
    assert before
    assert before.agreed < before.n
    overturn(record, visit, "forbidden", "not_heard", who[True])
    finish(record, visit, who[True])
    assert trust(record).agreement == before
