"""The sound's own clock against its samples: stamps that wander are no loss, cut packets are, in every container."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from av.audio.frame import AudioFrame
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import encode, heard, noise, remux, seconds

from counter_listener.audio.losses import UNSTAMPED, SoundClock, merge_close
from counter_listener.domain import Gap

FRAME = 0.064
CONTAINERS = [
    ("m4a", "aac", 16_000),
    ("mp4", "aac", 44_100),
    ("mov", "aac", 16_000),
    ("mkv", "aac", 16_000),
    ("mka", "libmp3lame", 16_000),
    ("webm", "libopus", 48_000),
    ("ts", "aac", 16_000),
    ("flv", "aac", 44_100),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A recording of 12 s in each container."""
    folder = tmp_path_factory.mktemp("sources")
    return {end: encode(folder / f"a.{end}", codec, noise(12, rate), rate=rate) for end, codec, rate in CONTAINERS}


def wander(reach: float, seed: int) -> Callable[[float], float]:
    """An error of a time stamp of up to `reach` seconds either way; the first one is right."""
    dice = random.Random(seed)  # noqa: S311
    return lambda at: dice.uniform(-reach, reach) if at > 2 * reach else 0.0


def outside(start: float, end: float, at: float) -> bool:
    """Whether a time is not between these."""
    return not start <= at < end


@pytest.mark.parametrize("end", [end for end, *_ in CONTAINERS])
def test_stamps_that_wander_change_nothing(tmp_path: Path, sources: dict[str, Path], end: str) -> None:
    whole = heard(remux(sources[end], tmp_path / f"whole.{end}"))
    for reach in (0.056, 0.120):
        path = remux(sources[end], tmp_path / f"wander.{end}", wander(reach, 5))
        assert heard(path) == whole
    late = remux(sources[end], tmp_path / f"late.{end}", lambda at: 0.12 * (at % 3 < 1))
    assert heard(late) == whole


@pytest.mark.parametrize("end", [end for end, *_ in CONTAINERS])
@pytest.mark.parametrize("reach", [*(pytest.param(each, marks=pytest.mark.slow) for each in (0.0, 0.056)), 0.120])
def test_cut_packets_are_told_with_place_and_length(
    tmp_path: Path, sources: dict[str, Path], end: str, reach: float
) -> None:
    for cut in (0.5, 2.0):
        path = tmp_path / f"cut.{end}"
        remux(sources[end], path, wander(reach, 7), partial(outside, 5.0, 5.0 + cut))
        sound, gaps = heard(path)
        assert len(gaps) == 1
        assert gaps[0].start == pytest.approx(5, abs=0.1)
        missing = seconds(heard(sources[end])[0]) - seconds(sound)
        assert gaps[0].seconds == pytest.approx(missing, abs=0.1)
        assert gaps[0].reason == UNSTAMPED


@pytest.mark.parametrize("end", [end for end, *_ in CONTAINERS])
def test_a_clock_that_runs_fast_or_slow_loses_nothing(tmp_path: Path, sources: dict[str, Path], end: str) -> None:
    for drift in (0.005, -0.005):
        _, gaps = heard(remux(sources[end], tmp_path / f"drift.{end}", drift.__mul__))
        assert gaps == []


def frames(aheads: list[float]) -> list[AudioFrame | Gap]:
    """Frames of 64 ms whose stamps are ahead of their samples by so many seconds."""
    made: list[AudioFrame | Gap] = []
    for number, ahead in enumerate(aheads):
        frame = AudioFrame("s16", "mono", 1_024)
        frame.sample_rate, frame.time_base = 16_000, Fraction(1, 90_000)
        frame.pts = round((number * FRAME + ahead) * 90_000)
        made.append(frame)
    return made


def losses(aheads: list[float]) -> list[tuple[int, float]]:
    """Behind how many frames a gap is found, and how long it is."""
    found, number = [], 0
    for item in SoundClock().watch(frames(aheads)):
        if isinstance(item, Gap):
            found.append((number, item.seconds))
        else:
            number += 1
    return found


errors = st.floats(-0.12, 0.12)


@given(st.integers(0, 2**32), st.integers(2, 250), st.sampled_from([0.056, 0.12]))
def test_no_wandering_is_a_loss(seed: int, count: int, reach: float) -> None:
    dice = random.Random(seed)  # noqa: S311
    assert losses([dice.uniform(-reach, reach) for _ in range(count)]) == []


@given(st.integers(0, 2**32), st.integers(12, 150), st.integers(12, 150), st.floats(0.5, 3_600))
def test_a_loss_among_wandering_stamps_is_found(seed: int, before: int, after: int, lost: float) -> None:
    dice = random.Random(seed)  # noqa: S311
    late = [lost * (number >= before) + dice.uniform(-0.12, 0.12) for number in range(before + after)]
    ((where, length),) = losses(late)
    assert where == before
    # The length is a difference of two least errors: of few stamps they may be a whole wandering apart.
    assert length == pytest.approx(lost, abs=0.1 if min(before, after) >= 60 else 0.2401)


@pytest.mark.parametrize(
    ("aheads", "found"),
    [
        pytest.param([0.0] * 200, [], id="exact"),
        pytest.param([0.0] * 100 + [0.2] * 100, [(100, 0.2)], id="a syllable, with exact stamps"),
        pytest.param([0.0] * 100 + [0.06] * 100, [], id="rounded stamps"),
        pytest.param([0.0] * 3 + [1.0] * 100, [(3, 1.0)], id="right at the start"),
        pytest.param([0.0] * 100 + [1.0], [(100, 1.0)], id="right at the end"),
        pytest.param([0.0] * 50 + [1.0] * 9 + [2.5] * 50, [(50, 1.0), (59, 1.5)], id="two losses"),
        pytest.param([0.0] * 50 + [3.0 - 0.1 * n for n in range(30)] + [0.0] * 50, [], id="a stall and a burst"),
        pytest.param([0.0] * 50 + [9.0] + [0.0] * 50, [], id="one wrong stamp"),
        pytest.param([0.0] * 50 + [-9.0] * 50, [], id="the clock is set back"),
        pytest.param([9.0] * 50 + [0.0] * 20 + [1.0] * 50, [(70, 1.0)], id="set back, then a loss"),
        pytest.param([0.002 * n for n in range(400)], [], id="a clock that is 3 % fast"),
    ],
)
def test_what_is_a_loss(aheads: list[float], found: list[tuple[int, float]]) -> None:
    told = losses(aheads)
    assert [where for where, _ in told] == [where for where, _ in found]
    assert [length for _, length in told] == pytest.approx([length for _, length in found], abs=0.001)


def test_many_short_losses_are_found_together() -> None:
    """Every tenth packet of 64 ms is missing: each alone is shorter than what is told."""
    found = losses([FRAME * (number // 9) for number in range(900)])
    assert sum(length for _, length in found) == pytest.approx(FRAME * 100, rel=0.1)


def test_a_damaged_packet_is_as_long_as_the_stamps_say() -> None:
    for told, jump, expected in ((0.064, 1.0, 1.0), (2.0, 1.0, 2.0), (0.0, 0.0, 0.0)):
        items = frames([0.0] * 50 + [jump] * 50)
        items.insert(50, Gap(0.0, told, "damaged"))
        (found,) = [item for item in SoundClock().watch(items) if isinstance(item, Gap)]
        assert found.reason == "damaged"
        assert found.seconds == pytest.approx(expected, abs=0.001)


def test_losses_with_less_than_a_word_between_them_are_one() -> None:
    some = frames([0.0] * 30)
    beside = Gap(0.0, 9.0, "b", beside=True)
    items = [
        *some[:10],
        Gap(0.0, 1.0, "a"),
        *some[10:13],
        beside,
        Gap(0.0, 2.0, "c"),
        *some[13:17],
        Gap(0.0, 1.0, "d"),
        some[17],
    ]
    merged = list(merge_close(items))
    first, second = Gap(0.0, pytest.approx(3.0 + 3 * FRAME), "a"), Gap(0.0, 1.0, "d")  # type: ignore[arg-type]
    assert merged == [*some[:10], first, beside, *some[13:17], second, some[17]]
    assert list(merge_close([*some, beside])) == [*some, beside]
