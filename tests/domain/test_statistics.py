"""Kappa against its definition and a numerical derivative; weighted shares against drawing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counter_listener.domain import Z_95, cohen_kappa, weighted_share, wilson_interval

Pair = tuple[str, str]


def kappa_of(shares: Mapping[Pair, float]) -> float:
    """Kappa from the shares of the pairs, straight from the definition."""
    names = {name for pair in shares for name in pair}
    same = sum(share for (one, other), share in shares.items() if one == other)
    chance = sum(
        sum(share for (one, _), share in shares.items() if one == name)
        * sum(share for (_, other), share in shares.items() if other == name)
        for name in names
    )
    return (same - chance) / (1 - chance)


def by_derivative(cells: Mapping[Pair, int]) -> float:
    """The standard error of kappa by the delta method, with a numerical derivative."""
    n = sum(cells.values())
    shares = {pair: count / n for pair, count in cells.items()}
    step = 1e-6
    slopes = {
        pair: (kappa_of({**shares, pair: share + step}) - kappa_of(shares)) / step for pair, share in shares.items()
    }
    mean = sum(shares[pair] * slope for pair, slope in slopes.items())
    return sqrt((sum(shares[pair] * slope**2 for pair, slope in slopes.items()) - mean**2) / n)


def test_kappa_of_a_known_table() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = cohen_kappa(pairs)
    assert (found.n, found.agreed) == (50, 35)
    assert found.kappa == pytest.approx(0.4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=5, max_size=60))
def test_kappa_and_its_interval_follow_from_the_definition(pairs: list[Pair]) -> None:
    found = cohen_kappa(pairs)
    if found.kappa is None:
        assert len(set(pairs)) == 1
        return
    cells = Counter(pairs)
    assert found.kappa == pytest.approx(kappa_of({pair: count / len(pairs) for pair, count in cells.items()}))
    spread = Z_95 * by_derivative(cells)
    expected = (max(-1.0, found.kappa - spread), min(1.0, found.kappa + spread))
    assert found.interval == pytest.approx(expected, abs=1e-4)


def test_two_who_always_say_the_same_one_have_no_kappa() -> None:
    assert cohen_kappa([("a", "a")] * 9).kappa is None
    assert cohen_kappa([]).kappa is None
    assert cohen_kappa([("a", "a"), ("b", "b")]).kappa == 1


def test_equal_chances_give_the_plain_share_and_its_interval() -> None:
    found = weighted_share([(0.25, number < 3) for number in range(40)])
    assert found
    assert found.value == pytest.approx(3 / 40)
    assert (found.n, found.part) == (40, 3)
    assert found.interval == pytest.approx(wilson_interval(3, 40))
    assert weighted_share([]) is None


def test_unequal_chances_are_made_up_for() -> None:
    rng = random.Random(5)  # noqa: S311
    everyone = [(1.0, True)] * 200 + [(0.05, number < 90) for number in range(1800)]
    within = 0
    for _ in range(60):
        found = weighted_share([case for case in everyone if rng.random() < case[0]])
        assert found
        within += found.interval[0] <= 290 / 2000 <= found.interval[1]
    assert within >= 52, "about 57 of 60 intervals hold the true share"
