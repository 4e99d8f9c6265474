"""Augmentation: rooms, lines and codecs on samples, and two places, levels and noise on features."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("scipy", reason="models/build/requirements.txt is not installed")
pytestmark = pytest.mark.slow

from models.build.augmentation import (  # noqa: E402 - the modules need what importorskip looks for
    DECIBEL,
    GLASS,
    LEVELS,
    add_energies,
    augment,
    babble,
    mix_places,
    prepare_noises,
    reverberate,
    weaken,
)
from models.build.features import ZERO_ENERGY, log_mel  # noqa: E402
from models.build.recordings import PEAK  # noqa: E402
from models.build.sessions import PLACES  # noqa: E402
from models.build.transmission import (  # noqa: E402
    CODECS,
    FULL_SCALE,
    OVERDRIVE,
    Codec,
    code,
    overdrive,
    through_line,
    transmit,
)

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
Samples = NDArray[np.float32]


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - reproducible draws, not secrets


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Three seconds of speech whose loud parts are at PEAK."""
    with wave.open(str(FIXTURES / "full-marks.wav")) as file:
        samples = np.frombuffer(file.readframes(16_000 * 6), np.int16).astype(np.float32)[-48_000:]
    return np.asarray(samples / np.abs(samples).max() * PEAK, np.float32)


def band(samples: Samples, low: float, high: float) -> float:
    """The energy between two frequencies in hertz, in decibels."""
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / 16_000)
    return float(10 * np.log10(spectrum[(frequencies >= low) & (frequencies < high)].sum() + 1e-9))


def envelope(samples: Samples) -> NDArray[np.float64]:
    """The log energy of each stretch of 10 ms."""
    stretches = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(np.float64)
    return np.asarray(np.log((stretches**2).mean(1) + 1.0))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"{codec.name}-{codec.rate}")
def test_a_codec_keeps_the_length_and_the_time_of_speech(speech: Samples, codec: Codec) -> None:
    coded = code(speech, codec, min(codec.bit_rates))
    assert len(coded) == len(speech)
    assert not np.allclose(coded, speech, atol=20), "nothing was lost, so nothing was coded"
    original, later = envelope(speech), envelope(coded)
    agreement = [np.corrcoef(original[10:-10], np.roll(later, shift)[10:-10])[0, 1] for shift in (-2, -1, 0, 1, 2)]
    assert int(np.argmax(agreement)) == 2, agreement
    if codec.rate == 8_000:
        assert band(coded, 4_500, 8_000) < band(speech, 4_500, 8_000) - 15


def test_a_telephone_line_takes_away_what_is_below_and_above_it(speech: Samples) -> None:
    telephone = through_line(speech, 300, 3_400)
    assert band(telephone, 0, 150) < band(speech, 0, 150) - 20
    assert band(telephone, 5_000, 8_000) < band(speech, 5_000, 8_000) - 20
    assert band(telephone, 500, 3_000) == pytest.approx(band(speech, 500, 3_000), abs=1)


def test_an_overdriven_microphone_clips(speech: Samples) -> None:
    clipped = overdrive(speech, OVERDRIVE[1])
    assert np.abs(clipped).max() == FULL_SCALE
    assert (np.abs(clipped) == FULL_SCALE).mean() > 0.01
    assert (np.abs(overdrive(speech, 0.0)) == FULL_SCALE).sum() <= 2


def test_transmission_is_reproducible_and_keeps_the_length(speech: Samples) -> None:
    short = speech[:8_000]
    for seed in range(12):
        first, second = (transmit(short, seeded(seed)) for _ in range(2))
        assert len(first) == len(short)
        assert np.isfinite(first).all()
        assert np.array_equal(first, second)


def test_a_room_reverberates_and_keeps_the_time_of_the_direct_sound() -> None:
    pytest.importorskip("pyroomacoustics", reason="models/build/requirements.txt is not installed")
    from models.build.rooms import DISTANCES, draw_room, in_room, response

    rng = seeded(1)
    for room in [draw_room(rng) for _ in range(8)]:
        assert DISTANCES[0] * 0.9 <= room.distance <= DISTANCES[1] * 1.1
        impulse = response(room)
        assert impulse[0] == 1
        remaining = np.cumsum(impulse[::-1].astype(np.float64) ** 2)[::-1]
        decay = 10 * np.log10(remaining / remaining[0])
        after_5, after_25 = (int(np.argmax(decay < -level)) for level in (5, 25))
        assert (after_25 - after_5) / 16_000 * 3 == pytest.approx(room.reverberation, rel=0.7)
    clicks = np.zeros(16_000, np.float32)
    clicks[4_000] = 10_000
    heard = in_room(clicks, seeded(2))
    assert len(heard) == len(clicks)
    assert np.abs(heard[:3_960]).max() < np.abs(heard).max() / 100
    assert np.abs(heard[4_800:]).max() > 0
    assert float(np.square(heard).sum()) == pytest.approx(float(np.square(clicks).sum()), rel=0.01)


def test_glass_takes_away_high_frequencies_but_not_all(speech: Samples) -> None:
    pytest.importorskip("pyroomacoustics", reason="models/build/requirements.txt is not installed")
    from models.build.rooms import behind_glass

    muffled = behind_glass(speech, seeded(1))
    low = band(speech, 80, 300) - band(muffled, 80, 300)
    high = band(speech, 3_000, 8_000) - band(muffled, 3_000, 8_000)
    assert 0 <= low < 3
    assert 6 < high < 23


def test_the_far_place_of_a_session_is_weaker_than_the_near_one(speech: Samples) -> None:
    frames = log_mel(speech)[:200]
    silent = np.full_like(frames, ZERO_ENERGY)
    near, far = np.stack([frames, silent]), np.stack([silent, frames])
    both = np.concatenate([near, far], 1)
    differences = []
    for seed in range(40):
        mixed = mix_places(both[None], np.random.default_rng(seed))[0]
        first, second = (np.quantile(part.max(1), 0.9) for part in (mixed[:200], mixed[200:]))
        differences.append((first - second) / DECIBEL)
    assert 3 < np.median(differences) < 20
    assert min(differences) > -6


def test_what_is_weakened_stays_silent_where_it_was() -> None:
    place = np.full((10, 40), ZERO_ENERGY, np.float32)
    place[5:] = 10
    weakened = [weaken(place, np.random.default_rng(seed)) for seed in range(40)]
    assert all((one[:5] == ZERO_ENERGY).all() and (one[5:] < 10 - 3 * DECIBEL + 1e-3).all() for one in weakened)
    muffled = [one for one in weakened if one[5, 0] > one[5, -1] + 1]
    assert 2 < len(muffled) < 20
    assert (np.diff(GLASS) >= 0).all()


def test_reverberation_in_features_decays_as_it_should() -> None:
    place = np.full((100, 40), ZERO_ENERGY, np.float32)
    place[10] = 15
    later = reverberate(place, 0.5, 0.0, np.random.default_rng(1))
    assert np.array_equal(reverberate(place, 0.0, 0.0, np.random.default_rng(1)), place)
    decay = (later[12].mean() - later[32].mean()) / DECIBEL / 0.2
    assert decay == pytest.approx(60 / 0.5, rel=0.15)


def sessions(speech: Samples) -> NDArray[np.float32]:
    frames = np.resize(log_mel(speech), (960, 40)).astype(np.float32)
    places = np.full((4, PLACES, 960, 40), ZERO_ENERGY, np.float32)
    places[:, 0] = frames
    return places


def test_the_levels_of_sessions_cover_the_range_and_a_seed_gives_the_same(speech: Samples) -> None:
    places = sessions(speech)
    noises = prepare_noises((), np.random.default_rng(1))
    loudest = np.quantile(places[0, 0].max(1), 0.9)
    levels = []
    for seed in range(12):
        first, second = (augment(places, noises, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first, second)
        assert first.shape == (4, 960, 40)
        assert first.min() >= np.float32(ZERO_ENERGY)
        levels += list((np.quantile(first.max(2), 0.9, axis=1) - loudest) / DECIBEL + 20 * np.log10(PEAK / FULL_SCALE))
    assert LEVELS[0] - 12 < min(levels) < -30
    assert -12 < max(levels) < LEVELS[1] + 12


def test_other_talk_is_below_the_speech(speech: Samples) -> None:
    batch = sessions(speech)[:, 0]
    level = float(np.quantile(batch[0].max(1), 0.9))
    for seed in range(10):
        talk = babble(batch, level, np.random.default_rng(seed))
        below = (level - np.quantile(talk[::4].max(1), 0.9)) / DECIBEL
        assert 6 <= below <= 25


def test_adding_silence_changes_nothing_that_is_heard(speech: Samples) -> None:
    frames = log_mel(speech)
    silent = np.full_like(frames, ZERO_ENERGY)
    total = add_energies(frames, silent, np.random.default_rng(1))
    loud = frames > 0
    assert np.allclose(total[loud], frames[loud], atol=1e-3)
