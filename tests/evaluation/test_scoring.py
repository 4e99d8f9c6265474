"""Scores: what counts as found, and intervals compared with published values."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ordinary_speech import rate_interval

from counter_listener.domain import wilson_interval
from counter_listener.evaluation.scoring import (
    Counts,
    Detection,
    LabelledPhrase,
    best_threshold,
    by_id,
    count,
    f1_interval,
    f1_intervals,
    overlap,
    score_method,
    threshold_curve,
    total,
)

times = st.integers(0, 20).map(lambda tenths: tenths / 2)
ids = st.sampled_from(["hello", "goodbye"])
said_spans = st.lists(
    st.builds(
        lambda i, a, n, o: LabelledPhrase(i, a, a + n, o), ids, times, st.sampled_from([0.5, 1.0, 4.0]), st.booleans()
    ),
    max_size=5,
)
found_spans = st.lists(
    st.builds(
        lambda i, a, n, s: Detection(i, a, a + n, s), ids, times, st.sampled_from([0.5, 1.0, 4.0]), times.map(float)
    ),
    max_size=5,
)


def hello(start: float, end: float, score: float = 100.0) -> Detection:
    return Detection("hello", start, end, score)


def test_a_detection_that_overlaps_its_label_within_the_slack_is_a_hit() -> None:
    said = [LabelledPhrase("hello", 10, 12)]
    assert count(said, [hello(11, 13)])["hello"] == Counts(1, 1, 0)
    assert count(said, [hello(12.4, 13)])["hello"] == Counts(1, 1, 0)
    assert count(said, [hello(12.5, 13)])["hello"] == Counts(1, 0, 1)
    assert count(said, [hello(12.5, 13)], slack=1)["hello"] == Counts(1, 1, 0)
    assert count(said, [Detection("goodbye", 10, 12)]) == {"goodbye": Counts(0, 0, 1), "hello": Counts(1, 0, 0)}


def test_a_label_is_hit_once_and_a_second_detection_on_it_does_not_count() -> None:
    assert count([LabelledPhrase("hello", 10, 12)], [hello(10, 11), hello(11, 12)])["hello"] == Counts(1, 1, 0)


def test_an_optional_label_is_neither_owed_nor_a_false_alarm() -> None:
    said = [LabelledPhrase("hello", 10, 12, optional=True)]
    assert count(said, [hello(10, 12)])["hello"] == Counts(0, 0, 0)
    assert count(said, [])["hello"] == Counts(0, 0, 0)
    assert count(said, [hello(20, 21)])["hello"] == Counts(0, 0, 1)


def test_one_long_detection_does_not_hit_two_labels() -> None:
    said = [LabelledPhrase("hello", 10, 11), LabelledPhrase("hello", 12, 13)]
    assert count(said, [hello(10, 13)])["hello"] == Counts(2, 1, 0)
    assert count(said, [hello(10, 13), hello(10, 11)])["hello"] == Counts(2, 2, 0)


@given(said_spans, found_spans)
def test_as_many_labels_as_possible_are_hit(said: list[LabelledPhrase], found: list[Detection]) -> None:
    for name, counts in count(said, found).items():
        owed = [label for label in said if label.id == name and not label.optional]
        hits = [hit for hit in found if hit.id == name]
        orders = permutations([*hits, *[None] * len(owed)], len(owed))
        paired = max(
            sum(hit is not None and overlap(label, hit) for label, hit in zip(owed, order, strict=True))
            for order in orders
        )
        assert counts.owed == len(owed)
        assert counts.hits == paired
        assert counts.false_alarms == sum(
            not any(overlap(label, hit) for label in said if label.id == name) for hit in hits
        )  # fmt: skip


@given(said_spans, found_spans)
def test_scores_stay_within_bounds_and_more_slack_never_hurts(
    said: list[LabelledPhrase], found: list[Detection]
) -> None:
    tight, loose = (total(count(said, found, slack).values()) for slack in (0.1, 2.0))
    assert tight.hits <= loose.hits <= loose.owed == tight.owed
    assert tight.false_alarms >= loose.false_alarms
    for share in (tight.precision, tight.recall, tight.f1):
        assert isnan(share) or 0 <= share <= 1
    if tight.hits:
        assert min(tight.precision, tight.recall) - 1e-9 <= tight.f1 <= max(tight.precision, tight.recall) + 1e-9


@given(said_spans)
def test_finding_exactly_what_was_said_is_perfect(said: list[LabelledPhrase]) -> None:
    counts = total(count(said, [Detection(label.id, label.start, label.end) for label in said]).values())
    assert counts.misses == counts.false_alarms == 0


@given(st.lists(st.tuples(said_spans, found_spans), min_size=1, max_size=3))
def test_a_higher_threshold_never_finds_more_and_the_best_is_the_best(
    files: list[tuple[list[LabelledPhrase], list[Detection]]],
) -> None:
    methods = threshold_curve("one", files)
    for lower, higher in pairwise(methods):
        assert lower.threshold < higher.threshold
        assert lower.counts.hits >= higher.counts.hits
        assert lower.counts.false_alarms >= higher.counts.false_alarms
    assert methods[0].counts == score_method("one", files).counts
    assert not any(method.counts.f1 > best_threshold(methods).counts.f1 for method in methods)


def test_of_thresholds_with_equal_f1_the_highest_is_the_best() -> None:
    files = [
        ([LabelledPhrase("hello", 0, 1)], [hello(0, 1, 90.0)]),
        ([], [hello(0, 1, 60.0)]),
        ([], [hello(0, 1, 70.2)]),
    ]
    assert [method.threshold for method in threshold_curve("one", files)] == [60.0, 70.0, 90.0]
    assert best_threshold(threshold_curve("one", files)).threshold == 90.0


@pytest.mark.parametrize(
    ("part", "whole", "interval"),
    [  # statsmodels 0.14, proportion_confint(part, whole, method="wilson")
        (8, 10, (0.4901625, 0.9433178)),
        (0, 10, (0.0, 0.2775328)),
        (10, 10, (0.7224672, 1.0)),
        (1, 100, (0.0017674, 0.0544862)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_wilson_against_known_values(part: int, whole: int, interval: tuple[float, float]) -> None:
    assert wilson_interval(part, whole) == pytest.approx(interval, abs=1e-6)


@pytest.mark.parametrize(
    ("events", "interval"),
    [(0, (0.0, 3.6889)), (1, (0.0253, 5.5716)), (10, (4.7954, 18.3904)), (100, (81.3640, 121.6268))],
)
def test_rates_against_the_exact_poisson_limits(events: int, interval: tuple[float, float]) -> None:
    assert rate_interval(events) == pytest.approx(interval, abs=1e-4)


@given(st.integers(0, 60), st.integers(1, 60))
def test_intervals_contain_their_estimate(part: int, more: int) -> None:
    low, high = wilson_interval(part, part + more)
    assert 0 <= low <= part / (part + more) <= high <= 1
    low, high = rate_interval(part)
    assert low <= part <= high


def test_the_bootstrap_is_repeatable_and_narrows_with_more_files() -> None:
    files = [Counts(10, hits, 10 - hits) for hits in (4, 6, 8, 10)]
    few, many = f1_interval(files), f1_interval(files * 10)
    assert few is not None
    assert many is not None
    assert few == f1_interval(files)
    assert few[0] < many[0] < total(files).f1 < many[1] < few[1]


def test_one_file_has_no_interval_of_f1_and_equal_files_have_one_of_no_width() -> None:
    assert f1_interval([Counts(10, 8, 1)]) is None
    assert f1_interval([Counts(10, 8, 2)] * 5) == pytest.approx((0.8, 0.8))
    assert f1_intervals([{"hello": Counts()}, {}]) == {}


def test_counts_add_up_by_id() -> None:
    files = [{"hello": Counts(1, 1, 0)}, {"hello": Counts(2, 1, 3), "goodbye": Counts(1, 0, 0)}]
    assert by_id(files) == {"goodbye": Counts(1, 0, 0), "hello": Counts(3, 2, 3)}
    assert total(by_id(files).values()) == Counts(4, 2, 3)
    assert isnan(Counts().f1)
    assert Counts(0, 0, 1).f1 == 0
