"""How well it is told who spoke: the casts of the days, the figure at a coverage, and the fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_counter import said, small

from counter_listener.domain import Findings, MatchedUtterance, Voice
from counter_listener.judging import fitted_scale
from models.build.held_out import NATURAL_TEST_VOICES, voices_in
from models.build.measure_speakers import (
    Day,
    Judged,
    figures,
    fit,
    judge_day,
    logistic,
    visit_starts,
    with_toggles,
)
from models.build.sets.casts import CLERKS, cast_day, sex


@pytest.mark.parametrize("day", range(8))
def test_a_day_has_one_clerk_and_customers_of_both_sexes_who_are_never_trained_on(day: int) -> None:
    casts = cast_day(day)
    ((clerk, _),) = {cast.clerk for cast in casts}
    customers = [cast.customer[0] for cast in casts]
    assert clerk == CLERKS[day % len(CLERKS)]
    assert sum(sex(name) == sex(clerk) for name in customers) == 3
    assert len(set(customers)) == 5
    for name in (clerk, *customers):
        assert not set(voices_in(name)).isdisjoint(NATURAL_TEST_VOICES)
    assert all(set(voices_in(name)).isdisjoint(voices_in(clerk)) for name in customers)


def judged(side: str, probability: float) -> Judged:
    return Judged(side, 0.0, 1.5, 0.0, probability)


def test_the_figure_counts_the_surest_utterances() -> None:
    sides = ("clerk", "customer", "clerk", "clerk", "clerk")
    found = figures([judged(side, p) for side, p in zip(sides, (0.99, 0.02, 0.9, 0.8, 0.4), strict=True)])
    assert found["right"] == 1.0
    assert found["right_of_all"] == 0.8
    assert found["least"] == pytest.approx(0.8)
    assert figures([judged("clerk", 0.05)] * 5)["right"] == 0.0


def test_a_fit_finds_the_odds_of_the_data() -> None:
    rng = np.random.default_rng(1)
    rows = np.stack([np.ones(4_000), rng.normal(0, 1, 4_000)], 1)
    right = rng.random(4_000) < 1 / (1 + np.exp(-3 * rows[:, 1]))
    bias, slope = logistic(rows, right)
    assert bias == pytest.approx(0, abs=0.3)
    assert slope == pytest.approx(3, abs=0.4)


def a_day() -> Day:
    """Five visits of a clerk, who says a phrase, and a customer each; a greeting and a farewell make them visits."""
    rng = np.random.default_rng(2)
    faces = {name: rng.normal(0, 1, 32) for name in ("clerk", *map(str, range(5)))}
    items, lines = [], []
    for visit in range(5):
        for turn in range(8):
            side, name = ("clerk", "clerk") if turn % 2 == 0 else ("customer", str(visit))
            start = 300.0 * visit + 5 * turn
            voice = Voice(tuple(faces[name] + 0.6 * rng.normal(0, 1, 32)), 150)
            utterance = replace(said("好的好的好的", start), voice=voice)
            items.append(MatchedUtterance(utterance, Findings(), 6))
            lines.append((side, name, utterance.start, utterance.end))
    return Day(tuple(items), tuple(lines))


def test_a_fitted_scale_tells_who_spoke_in_most_utterances_of_a_day() -> None:
    day = a_day()
    scale = fit([day], small(), fitted_scale())
    found = figures(list(judge_day(day, small(), scale)))
    assert found["utterances"] == 40
    assert found["right"] > 0.85
    assert 0.8 <= scale.least <= 0.98


def test_a_person_says_where_visits_without_farewells_begin() -> None:
    starts = visit_starts(a_day().lines)
    assert starts == [0.0, 300.0, 600.0, 900.0, 1200.0]
    kinds = [type(item).__name__ for item in with_toggles((item.utterance for item in a_day().items), starts[:2])]  # type: ignore[union-attr]
    assert kinds.count("VisitToggle") == 3
    assert kinds[0] == "VisitToggle"
