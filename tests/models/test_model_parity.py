"""Parity: libvosk computes the same from noise and speech as numpy does with the numbers of the bundled model."""

from __future__ import annotations

import wave
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from support.bundled import model
from support.kaldi_reading import read_acoustic_model

from models.build.kaldi import round_to_16_bits
from models.build.lexicon import unit_numbers
from models.build.one_phone import libvosk_log_likelihoods, rising_noise

TOLERANCE = 1e-4
"""Log-likelihood per frame."""
UNITS = ("sh", "SPN")
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def mfcc(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Frames x 40, with the options of conf/mfcc.conf."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.dither = 0
    options.use_energy = False
    options.num_ceps = options.mel_opts.num_bins = 40
    options.mel_opts.low_freq = 20
    options.mel_opts.high_freq = -400
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(16_000, samples.astype(np.float32).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(number) for number in range(computer.num_frames_ready)])


def speech() -> NDArray[np.int16]:
    with wave.open(str(FIXTURES / "full-marks.wav"), "rb") as recording:
        return np.frombuffer(recording.readframes(16_000 * 12), "<i2")


@pytest.mark.parametrize(
    "samples", [pytest.param(rising_noise(), marks=pytest.mark.slow), speech()], ids=["noise", "speech"]
)
def test_libvosk_computes_the_log_likelihoods_of_the_model(samples: NDArray[np.int16]) -> None:
    folder = model().folder
    expected = read_acoustic_model(folder).log_likelihoods(mfcc(samples))
    computed = libvosk_log_likelihoods(folder, samples, UNITS)
    for unit in UNITS:
        difference = (expected[:, unit_numbers()[unit]].sum() - computed[unit]) / len(expected)
        assert abs(difference) < TOLERANCE, unit


@given(arrays(np.float32, (3, 4), elements=st.floats(-8, 8, width=32)))
def test_rounding_to_16_bits_changes_a_weight_by_half_a_step_at_most(weights: NDArray[np.float32]) -> None:
    step = np.ptp(weights.astype(np.float64)) / 65_535
    assert np.abs(round_to_16_bits(weights) - weights).max() <= step / 2 + 2e-6
