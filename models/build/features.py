"""Features: 40 log-mel energies per frame of 10 ms, and the MFCC that libvosk computes from the same audio.

The training uses log-mel features, in which noise, gain, reverberation and vocal tract length are cheap to vary.
libvosk computes MFCC. An invertible matrix (`TO_MFCC`) converts one to the other; the export folds it into the first
layer.
"""

from __future__ import annotations

from typing import Final

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
"""Hertz."""
BINS: Final = 40
LOW_FREQUENCY: Final = 20.0
HIGH_FREQUENCY: Final = -400.0
"""Hertz of the outer edges of the mel filters; a negative value counts down from 8 000, as in Kaldi."""
LIFTER: Final = 22.0
"""Kaldi's default (feature-mfcc.h, cepstral_lifter)."""
FRAME_SHIFT: Final = 0.01
"""Seconds from one frame to the next."""
HALF_WINDOW: Final = 0.0125
"""Seconds from the start of a frame to its centre."""
ZERO_ENERGY: Final = -15.9424
"""Log-mel energy of digital silence: log of the smallest single-precision step, Kaldi's floor (feature-fbank.cc)."""

Features = NDArray[np.float32]
"""Frames x 40, log-mel."""


def log_mel(samples: NDArray[np.float32]) -> Features:
    """Frames x 40 log-mel energies as Kaldi computes them, of 16 kHz samples in the range of int16."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.use_energy = False
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq = LOW_FREQUENCY
    options.mel_opts.high_freq = HIGH_FREQUENCY
    computer = kaldi_native_fbank.OnlineFbank(options)
    computer.accept_waveform(SAMPLE_RATE, np.asarray(samples, np.float32).tolist())
    computer.input_finished()
    frames = [computer.get_frame(number) for number in range(computer.num_frames_ready)]
    return np.stack(frames).astype(np.float32) if frames else np.zeros((0, BINS), np.float32)


def _to_mfcc() -> NDArray[np.float64]:
    row = np.arange(BINS)[:, None]
    cosines = np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (np.arange(BINS) + 0.5) * row)
    cosines[0] = np.sqrt(1 / BINS)
    lift = 1 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BINS) / LIFTER)
    return (cosines * lift[:, None]).T


TO_MFCC: Final = _to_mfcc()
"""40 x 40: log-mel @ TO_MFCC is the MFCC of the same frame (orthonormal DCT, then Kaldi's lifter)."""


def frame_at(seconds: float) -> int:
    """The first frame with its centre at or after a time."""
    return max(0, int(np.ceil((seconds - HALF_WINDOW) / FRAME_SHIFT)))
