"""What reviews make of verdicts and scores; without a review, the score is the one that was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_counter import FULL, events, small, talk

from counter_listener.domain import Event, Observation, PhraseSet, Review, Verdict
from counter_listener.judging import VisitScore, effective_verdicts, score_after

SENTENCES = (*FULL, "再见", "好的", "没有了", "这事不归我管", "在这里签字", "我要投诉", "今天天气不错我们走吧")
RUDE = ("您好", "请问您办理什么业务", "这事不归我管", "请慢走")


def visit_of(sentences: tuple[str, ...]) -> dict[str, Event]:
    """The events of the first visit, by uid."""
    return {f"s:{number}": event for number, event in enumerate(events(talk(sentences)), 1) if event.visit == 1}


def uid_of(found: Mapping[str, Event], phrase: str) -> str:
    return next(uid for uid, event in found.items() if event.phrase == phrase)


def review(seq: int, event: str | None, action: str, verdict: Verdict | None, **more: object) -> Review:
    return Review(seq, f"people:{seq}", event, action, verdict, "anna", **more)  # type: ignore[arg-type]


def close_of(found: Mapping[str, Event]) -> Event:
    return next(event for event in found.values() if event.kind == "visit_closed")


def phrases() -> PhraseSet:
    return small().phrases


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=9))
def test_without_a_review_the_score_is_the_recorded_one(sentences: list[str]) -> None:
    every = events(talk(sentences))
    for close in (event for event in every if event.kind == "visit_closed"):
        found = {f"s:{number}": event for number, event in enumerate(every) if event.visit == close.visit}
        after = score_after(found, [], phrases())
        assert (after.score, after.grade, after.passed) == (close.score, close.detail["grade"], close.detail["passed"])


def test_an_overturned_offence_gives_its_points_back_and_upholding_takes_them_again() -> None:
    found = visit_of(RUDE)
    offence = next(uid for uid, event in found.items() if event.verdict == "forbidden")
    recorded = close_of(found).score
    assert recorded is not None
    overturned = [review(10, offence, "overturn", "not_heard")]
    assert score_after(found, overturned, phrases()).score == 100
    assert effective_verdicts(found, overturned)[offence] == "not_heard"
    upheld = [*overturned, review(11, offence, "uphold", "forbidden")]
    assert score_after(found, upheld, phrases()).score == recorded
    assert effective_verdicts(found, upheld)[offence] == "forbidden"


def test_the_later_review_stands_and_notes_and_blind_ones_decide_nothing() -> None:
    found = visit_of(("您好", "请问您办理什么业务"))
    missed = next(uid for uid, event in found.items() if event.verdict == "not_heard")
    heard, again = review(10, missed, "overturn", "heard"), review(12, missed, "overturn", "unknown")
    assert effective_verdicts(found, [again, heard])[missed] == "unknown"
    more = [heard, review(20, missed, "note", None), review(21, missed, "overturn", "not_heard", blind=True)]
    assert effective_verdicts(found, more)[missed] == "heard"


def test_what_only_teaches_is_shown_and_costs_nothing() -> None:
    found = visit_of(FULL)
    greeting = next(uid for uid, event in found.items() if event.detail.get("required"))
    taught = [review(10, greeting, "overturn", "not_heard", scored=False)]
    assert effective_verdicts(found, taught)[greeting] == "not_heard"
    assert score_after(found, taught, phrases()).score == close_of(found).score
    told = [replace(taught[0], scored=True)]
    after = score_after(found, told, phrases()).score
    assert after is not None
    assert after < 100


def test_a_visit_that_was_not_judged_gets_a_score_from_a_person_alone() -> None:
    found = visit_of(("今天天气不错我们走吧", "今天天气不错我们走吧"))
    assert close_of(found).detail["outcome"] == "no_service"
    assert score_after(found, [], phrases()).score is None
    owed = [uid for uid, event in found.items() if event.detail.get("required")]
    assert score_after(found, [review(9, None, "uphold", None)], phrases()).score is None
    given_ = [review(10 + number, uid, "overturn", "not_heard") for number, uid in enumerate(owed)]
    assert score_after(found, given_, phrases()).score == 0


def test_a_scenario_that_did_not_begin_owes_nothing() -> None:
    found = visit_of((*FULL[:-1], "我要投诉", "请慢走"))
    trigger = next(uid for uid, event in found.items() if event.detail.get("scenario"))
    recorded = close_of(found).score
    assert recorded is not None
    assert recorded < 100
    assert score_after(found, [review(10, trigger, "overturn", "not_heard")], phrases()).score == 100


def test_observations_count_by_their_weight_and_observed_offences_by_their_severity() -> None:
    found = visit_of(FULL)
    weighed = replace(
        phrases(),
        observe=(
            Observation(id="smile", title="微笑", stage="greet", weight=3.0),
            Observation(id="dress", title="着装", stage="greet"),
        ),
    )
    smile = review(10, None, "observe", "not_heard", phrase="smile")
    assert score_after(found, [smile], weighed).score == pytest.approx(50, abs=15)
    dress = review(11, None, "observe", "not_heard", phrase="dress")
    assert score_after(found, [dress], weighed).score == 100
    offence = phrases().forbidden[0]
    penalty = phrases().score.penalty[offence.severity]
    heard = [review(12, None, "observe", "forbidden", phrase=offence.id, at=at) for at in (3.0, 9.0)]
    assert score_after(found, heard[:1], weighed).score == 100 - penalty
    assert score_after(found, [heard[0], replace(heard[1], seq=13)], weighed).score == 100 - 2 * penalty
    taken_back = replace(heard[0], seq=14, verdict="not_heard")
    assert score_after(found, [heard[0], taken_back], weighed).score == 100


def test_a_late_phrase_stays_late_unless_a_person_changes_its_verdict() -> None:
    found = visit_of(FULL)
    uid, event = next((uid, event) for uid, event in found.items() if event.detail.get("required"))
    late = {**found, uid: replace(event, detail={**event.detail, "late": 0.0})}
    after = score_after(late, [], phrases()).score
    assert after is not None
    assert after < 100
    assert score_after(late, [review(10, uid, "overturn", "heard")], phrases()).score == after


def test_a_visit_has_a_score_once_nothing_that_was_owed_is_unknown() -> None:
    found = visit_of(FULL)
    uid = next(uid for uid, event in found.items() if event.detail.get("required"))
    doubted = [review(10, uid, "overturn", "unknown")]
    assert score_after(found, doubted, phrases()) == VisitScore()
    assert score_after(found, [*doubted, review(11, uid, "uphold", "heard")], phrases()).score == 100
