"""Losses: where they are, and how much they come to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.audio.headers import WavHeader
from counter_listener.audio.losses import TRUNCATED, UNSTAMPED, ReadPosition, SampleLoss, find_losses, wav_losses
from counter_listener.domain.types import Gap


@dataclass(frozen=True)
class Frame:
    """A tenth of a second of sound."""

    time: float | None
    samples: int = 1_600
    sample_rate: int = 16_000


def test_clean_stamps_lose_nothing() -> None:
    frames = [Frame(5 + number / 10 + number % 2 / 100) for number in range(50)]
    assert list(find_losses(frames)) == frames
    assert list(find_losses([Frame(None)] * 3)) == [Frame(None)] * 3


def test_a_jump_is_a_loss_where_it_happens() -> None:
    first, second = Frame(0.0), Frame(1.1)
    assert list(find_losses([first, second])) == [first, SampleLoss(1.0, UNSTAMPED), second]


def test_neighbouring_losses_are_one_and_the_longer_account_counts() -> None:
    first, second = Frame(0.0), Frame(1.1)
    short: list[Frame | SampleLoss] = [first, SampleLoss(0.2, "a"), SampleLoss(0.3, "b"), second]
    assert list(find_losses(short)) == [first, SampleLoss(1.0, "b"), second]
    long: list[Frame | SampleLoss] = [first, SampleLoss(2.0, "a"), second, SampleLoss(0.0, "c")]
    assert list(find_losses(long)) == long


@given(st.lists(st.one_of(st.floats(0, 1e9), st.none(), st.builds(SampleLoss, st.floats(0, 1e9), st.just("r")))))
def test_no_sound_is_dropped_and_no_loss_is_negative(items: list[float | SampleLoss | None]) -> None:
    given_items = [item if isinstance(item, SampleLoss) else Frame(item) for item in items]
    found = list(find_losses(given_items))
    assert [item for item in found if isinstance(item, Frame)] == [i for i in given_items if isinstance(i, Frame)]
    assert all(item.seconds >= 0 for item in found if isinstance(item, SampleLoss))


def test_tape_counts_sound_and_loss() -> None:
    tape = ReadPosition()
    assert tape.pass_by(bytes(32_000)) == bytes(32_000)
    assert tape.pass_by(SampleLoss(2.0, "r")) == Gap(1.0, 2.0, "r")
    assert tape.pass_by(SampleLoss(1e12, "r")) == Gap(3.0, 0.0, "r")
    assert tape.silent
    tape.pass_by(b"\0\0\1\0")
    assert not tape.silent
    assert tape.at == pytest.approx(3.000125)


def test_what_nobody_can_hear_is_no_loss() -> None:
    assert list(wav_losses(WavHeader(32_000, held=1, missing=100))) == []
    assert list(wav_losses(WavHeader(32_000, held=1, missing=16_000))) == [SampleLoss(0.5, TRUNCATED)]
    assert list(wav_losses(WavHeader(0, held=1, missing=16_000))) == [SampleLoss(0.0, TRUNCATED)]
