"""Whether a recording agrees with its text: free decoding against the forced alignment."""

from __future__ import annotations

import numpy as np
import pytest

from models.build.agreement import STATES_PER_UNIT, agreeing, disagreement, free_scores

UNITS = 6
GOOD = -0.1
BAD = -4.0


def scores(*spoken: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Scores of frames in which units are spoken: each as its number and its frames."""
    labels = [unit for unit, frames in spoken for _ in range(frames)]
    found = np.full((len(labels), UNITS), BAD, np.float32)
    found[np.arange(len(labels)), labels] = GOOD
    return found


def test_free_decoding_finds_what_was_spoken() -> None:
    assert free_scores(scores((0, 5), (2, 4), (3, 7), (0, 3))) == pytest.approx(np.full(19, GOOD))


def test_a_unit_of_free_decoding_is_as_long_as_one_of_the_alignment() -> None:
    free = free_scores(scores((0, 5), (2, STATES_PER_UNIT - 1), (3, 7)))
    assert free.sum() == pytest.approx(13 * GOOD + BAD), "one frame of a neighbour makes it long enough"


def test_a_text_as_spoken_has_no_disagreement() -> None:
    labels = np.array([0] * 5 + [2] * 4 + [3] * 7, np.uint8)
    assert disagreement(scores((0, 5), (2, 4), (3, 7)), labels, [(5, 9), (9, 16)]) == pytest.approx(0.0)


def test_one_syllable_that_was_spoken_differently_counts_however_long_the_sentence_is() -> None:
    for others in (2, 40):
        spoken = [(2, 4), (3, 4)] * others
        labels = np.array([unit for unit, frames in [*spoken, (4, 5)] for _ in range(frames)], np.uint8)
        spans = [(first, first + 4) for first in range(0, 8 * others, 4)] + [(8 * others, 8 * others + 5)]
        assert disagreement(scores(*spoken, (5, 5)), labels, spans) == pytest.approx(GOOD - BAD)


def test_recordings_far_above_the_median_do_not_agree() -> None:
    rng = np.random.default_rng(1)
    usual = {f"{index}": value for index, value in enumerate(rng.normal(1.0, 0.1, 200))}
    assert agreeing(usual | {"wrong": 3.0}) >= {name for name, value in usual.items() if value < 1.25}
    assert "wrong" not in agreeing(usual | {"wrong": 3.0})
    shifted = {name: value + 5 for name, value in usual.items()}
    assert len(agreeing(shifted)) == len(agreeing(usual)), "a poor network disagrees with all"
    assert agreeing({}) == frozenset()
    assert agreeing({"one": 2.0}) == {"one"}
