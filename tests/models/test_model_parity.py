"""Parity: libvosk computes the same from noise and speech as numpy does with the numbers of a model."""

from __future__ import annotations

import shutil
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

from models.build.kaldi import Affine, Factored, Network, acoustic_model, round_to_16_bits
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


@pytest.mark.parametrize("samples", [rising_noise(), speech()], ids=["noise", "speech"])
def test_libvosk_computes_the_log_likelihoods_of_the_model(samples: NDArray[np.int16]) -> None:
    folder = model().folder
    expected = read_acoustic_model(folder).log_likelihoods(mfcc(samples))
    computed = libvosk_log_likelihoods(folder, samples, UNITS)
    for unit in UNITS:
        difference = (expected[:, unit_numbers()[unit]].sum() - computed[unit]) / len(expected)
        assert abs(difference) < TOLERANCE, unit


def random_network(generator: np.random.Generator) -> Network:
    """A small network with two factorised layers at different dilations."""

    def affine(offsets: tuple[int, ...], inputs: int, outputs: int) -> Affine:
        weights = generator.normal(0, 1 / np.sqrt(len(offsets) * inputs), (outputs, len(offsets) * inputs))
        return Affine(offsets, weights, generator.normal(size=outputs))

    layers = tuple(Factored(affine((-3 * d, 0), 24, 8), affine((0, 3 * d), 8, 24), 0.66) for d in (1, 2))
    return Network(affine((-2, -1, 0, 1, 2), 40, 24), layers, affine((0,), 24, len(unit_numbers())))


def test_libvosk_computes_the_log_likelihoods_of_a_factorised_network(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model().folder, folder)
    generator = np.random.default_rng(1)
    priors = generator.uniform(0.01, 0.05, len(unit_numbers()))
    (folder / "am" / "final.mdl").write_bytes(acoustic_model(random_network(generator), priors))
    expected = read_acoustic_model(folder).log_likelihoods(mfcc(rising_noise()))
    computed = libvosk_log_likelihoods(folder, rising_noise(), UNITS)
    for unit in UNITS:
        difference = (expected[:, unit_numbers()[unit]].sum() - computed[unit]) / len(expected)
        assert abs(difference) < TOLERANCE, unit


@pytest.mark.slow
def test_the_exported_network_computes_what_pytorch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")
    from models.build.export import export, priors, round_weights
    from models.build.features import log_mel
    from models.build.net import Net, Shape, log_probabilities

    torch.manual_seed(1)
    net = Net(Shape(32, 12, (1, 2)))
    net.mean[:], net.deviation[:], net.global_mean[:] = 0.5, 2.0, 9.0
    net.train()
    with torch.no_grad():
        net(net.prepare(torch.randn(4, 300, 40) + 9))  # statistics of the batch normalisations
    counts = np.arange(1.0, len(unit_numbers()) + 1)
    export(net.eval(), counts, tmp_path)
    computed = read_acoustic_model(tmp_path).log_likelihoods(mfcc(speech()))
    expected = log_probabilities(round_weights(net), log_mel(speech().astype(np.float32))) - np.log(priors(counts, 3.0))
    assert np.abs(computed - expected).max() < 0.01
    unrounded = log_probabilities(net, log_mel(speech().astype(np.float32))) - np.log(priors(counts, 3.0))
    assert np.abs(computed - unrounded).max() < 0.05


@given(arrays(np.float32, (3, 4), elements=st.floats(-8, 8, width=32)))
def test_rounding_to_16_bits_changes_a_weight_by_half_a_step_at_most(weights: NDArray[np.float32]) -> None:
    step = np.ptp(weights.astype(np.float64)) / 65_535
    assert np.abs(round_to_16_bits(weights) - weights).max() <= step / 2 + 2e-6
