"""How much sound there was around an utterance, and how loud."""

from __future__ import annotations

import numpy as np
import pytest

from counter_listener.asr.sound import AFTER, BEFORE, LEAST, SILENT, SoundMeter
from counter_listener.domain import BLOCK_SAMPLES, Sound, Word


def block(level: float, seed: int = 0) -> bytes:
    """0.2 s of noise at a level in decibels below full scale."""
    noise = np.random.default_rng(seed).standard_normal(BLOCK_SAMPLES) * 32_768 * 10 ** (level / 20)
    return np.clip(np.round(noise), -32_768, 32_767).astype("<i2").tobytes()


def metered(*stretches: tuple[int, float]) -> SoundMeter:
    """A meter that received so many blocks at each level."""
    meter = SoundMeter()
    for number, level in stretches:
        for at in range(number):
            meter.add(block(level, at))
    return meter


def words(start: float, end: float) -> tuple[Word, ...]:
    return (Word("您好", start, end),)


def test_sound_above_the_background_is_counted_and_silence_is_not() -> None:
    found = metered((50, -60), (10, -20), (20, -60)).sound(words(10.0, 12.0))
    assert found.seconds == pytest.approx(2.0, abs=0.01)
    assert found.level == pytest.approx(-20, abs=1)
    assert found.contrast == pytest.approx(40, abs=2)


def test_sound_in_which_no_word_was_found_counts_if_it_is_near() -> None:
    meter = metered((50, -60), (40, -20), (20, -60))
    assert meter.sound(words(17.6, 18.0)).seconds == pytest.approx((BEFORE + 2) * 0.2, abs=0.21)
    meter = metered((50, -60), (5, -20), (AFTER, -20), (40, -20))
    assert meter.sound(words(10.0, 10.9)).seconds == pytest.approx((5 + AFTER) * 0.2, abs=0.21)


def test_nothing_is_counted_twice() -> None:
    meter = metered((50, -60), (20, -20), (20, -60))
    first, second = meter.sound(words(10.0, 11.9)), meter.sound(words(12.6, 13.9))
    assert first.seconds + second.seconds == pytest.approx(4.0, abs=0.01)
    assert meter.sound(words(12.6, 13.9)).seconds == 0


def test_steady_noise_has_no_contrast_and_a_softer_voice_is_no_sound() -> None:
    assert metered((100, -30)).sound(words(15.0, 18.0)).contrast == pytest.approx(0, abs=1)
    meter = metered((50, -70), (10, -45), (10, -20), (20, -70))
    assert meter.sound(words(10.0, 14.0)).seconds == pytest.approx(2.0, abs=0.01)


def test_digital_silence_and_an_empty_stretch_are_measured() -> None:
    assert metered((60, -400)).sound(words(10.0, 11.0)) == Sound(0.0, SILENT, 0.0, SILENT)
    assert SoundMeter().sound(words(0.0, 1.0)) == Sound(0.0, SILENT, None)


def test_a_few_seconds_of_speech_tell_nothing_of_the_background() -> None:
    assert metered((LEAST - 1, -20)).sound(words(0.0, 9.0)).contrast is None
    found = metered((LEAST + AFTER, -20)).sound(words(0.0, 9.9)).contrast
    assert found is not None
    assert found < 1


def test_a_day_needs_no_more_memory_than_five_minutes() -> None:
    meter = metered((4_000, -60))
    assert len(meter.levels) == 1_500
    assert meter.sound(words(1.0, 2.0)).seconds == 0
    assert meter.sound(words(795.0, 799.0)).level == pytest.approx(-60, abs=1)


def test_the_level_of_speech_is_that_of_its_words_alone() -> None:
    meter = metered((50, -60), (5, -30), (10, -60), (5, -36), (20, -60))
    spoken = (Word("您好", 10.0, 11.0), Word("再见", 13.0, 14.0))
    assert meter.sound(spoken[:1]).speech == pytest.approx(-30, abs=0.2)
    assert meter.sound(spoken).speech == pytest.approx(-32, abs=0.2)  # the mean of the powers
    assert meter.sound(words(30.0, 31.0)).speech is None, "nothing was heard there"


def test_a_sine_of_full_scale_has_minus_three_decibels() -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(BLOCK_SAMPLES) / 16_000) * 32_767
    meter = SoundMeter()
    for _ in range(60):
        meter.add(sine.astype("<i2").tobytes())
    assert meter.sound(words(2.0, 9.0)).speech == pytest.approx(-3.0, abs=0.1)
