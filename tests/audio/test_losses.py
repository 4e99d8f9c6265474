"""Missing audio: where it is, and how much."""

from __future__ import annotations

from fractions import Fraction

import pytest
from av.audio.frame import AudioFrame
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.audio.losses import TRUNCATED, UNSTAMPED, ReadPosition, SoundClock, wav_losses
from counter_listener.audio.wav import WavAudio
from counter_listener.domain import Gap


def frame(time: float | None) -> AudioFrame:
    """A tenth of a second of audio."""
    made = AudioFrame("s16", "mono", 1_600)
    made.sample_rate = 16_000
    made.time_base = Fraction(1, 1_000)
    made.pts = None if time is None else round(time * 1_000)
    return made


def loss(seconds: float, reason: str = "r") -> Gap:
    """A gap that has no start yet."""
    return Gap(0.0, seconds, reason)


def test_clean_stamps_lose_nothing() -> None:
    frames = [frame(5 + number / 10 + number % 2 / 100) for number in range(50)]
    assert list(SoundClock().watch(frames)) == frames
    unstamped = [frame(None)] * 3
    assert list(SoundClock().watch(unstamped)) == unstamped


def test_a_jump_is_a_loss_where_it_happens() -> None:
    first, second = frame(0.0), frame(1.1)
    assert list(SoundClock().watch([first, second])) == [first, loss(1.0, UNSTAMPED), second]


def test_neighbouring_losses_are_merged_and_the_longer_estimate_counts() -> None:
    first, second = frame(0.0), frame(1.1)
    short: list[AudioFrame | Gap] = [first, loss(0.2, "a"), loss(0.3, "b"), second]
    assert list(SoundClock().watch(short)) == [first, loss(1.0, "b"), second]
    long: list[AudioFrame | Gap] = [first, loss(2.0, "a"), second, loss(0.0, "c")]
    assert list(SoundClock().watch(long)) == long


@given(st.lists(st.one_of(st.floats(0, 1e9), st.none(), st.builds(loss, st.floats(0, 1e9)))))
def test_no_audio_is_dropped_and_no_loss_is_negative(items: list[float | Gap | None]) -> None:
    given_items = [item if isinstance(item, Gap) else frame(item) for item in items]
    found = list(SoundClock().watch(given_items))
    assert [item for item in found if isinstance(item, AudioFrame)] == [
        item for item in given_items if isinstance(item, AudioFrame)
    ]
    assert all(item.seconds >= 0 for item in found if isinstance(item, Gap))


def test_the_position_counts_audio_and_losses() -> None:
    position = ReadPosition()
    assert position.advance(bytes(32_000)) == bytes(32_000)
    assert position.advance(loss(2.0)) == Gap(1.0, 2.0, "r")
    assert position.advance(loss(1e12)) == Gap(3.0, 0.0, "r")
    assert position.silent
    position.advance(b"\0\0\1\0")
    assert not position.silent
    assert position.at == pytest.approx(3.000125)


def test_silence_is_any_constant_sample() -> None:
    position = ReadPosition()
    for chunk in (b"", b"\7\0" * 100, b"", b"\7\0" * 50):
        position.advance(chunk)
    assert position.silent
    position.advance(b"\0\7" * 50)
    assert not position.silent


def test_what_is_too_short_for_a_syllable_is_not_a_loss() -> None:
    assert list(wav_losses(WavAudio(32_000, held=1, missing=100))) == []
    assert list(wav_losses(WavAudio(32_000, held=1, missing=16_000))) == [loss(0.5, TRUNCATED)]
    assert list(wav_losses(WavAudio(0, held=1, missing=16_000))) == [loss(0.0, TRUNCATED)]
