"""The format of speaker models: libvosk computes from one what numpy computes from the same numbers."""

from __future__ import annotations

import wave
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import pytest
from numpy.typing import NDArray
from support.bundled import model
from support.speaker_files import expected_vector, random_files

from models.build.speaker.format import LEAST_FRAMES
from models.build.speaker.libvosk_vector import libvosk_vector

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
TOLERANCE = 1e-3


def mfcc(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Frames x 40, with the options of mfcc.conf."""
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


@pytest.mark.parametrize("seconds", [0.6, 3.5, 9.0])
def test_libvosk_gives_the_vector_of_the_model(tmp_path: Path, seconds: float) -> None:
    with wave.open(str(FIXTURES / "full-marks.wav"), "rb") as recording:
        recording.setpos(8_000)
        samples = np.frombuffer(recording.readframes(round(16_000 * seconds)), "<i2")
    files = random_files()
    files.write(tmp_path / "speaker")
    vector, frames = libvosk_vector(model().folder, tmp_path / "speaker", samples)
    assert frames >= LEAST_FRAMES
    assert np.abs(vector - expected_vector(files, mfcc(samples)[:frames])).max() < TOLERANCE
