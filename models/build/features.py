"""Features: 40 log-mel energies a frame of 10 ms, and the MFCC that libvosk computes from the same sound.

Training works on log-mel, where noise, gain, echo and vocal tract length are cheap to vary; libvosk computes MFCC. One
is an invertible matrix times the other (`TO_MFCC`), which export folds into the first layer.
"""

from __future__ import annotations

from typing import Final

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000
"""Hertz."""
BINS: Final = 40
LOW: Final = 20.0
HIGH: Final = -400.0
"""Hertz of the mel filters' outer edges; a negative one counts down from 8 000, as in Kaldi."""
LIFTER: Final = 22.0
"""Kaldi's default (feature-mfcc.h, cepstral_lifter)."""
FRAME: Final = 0.01
"""Seconds from one frame to the next."""
HALF_WINDOW: Final = 0.0125
"""Seconds from a frame's start to its middle."""
SILENT: Final = -15.9424
"""Log-mel energy of exact zeros: log of the smallest single-precision step, Kaldi's floor (feature-fbank.cc)."""

Features = NDArray[np.float32]
"""Frames x 40, log-mel."""


def log_mel(samples: NDArray[np.float32]) -> Features:
    """Frames x 40 log-mel energies of 16 kHz sound whose samples are in the range of int16, as Kaldi computes them."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.samp_freq = RATE
    options.use_energy = False
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq = LOW
    options.mel_opts.high_freq = HIGH
    computer = kaldi_native_fbank.OnlineFbank(options)
    computer.accept_waveform(RATE, np.asarray(samples, np.float32).tolist())
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
"""40 x 40: log-mel @ TO_MFCC is the MFCC of the same frame (orthonormal DCT times Kaldi's lifter)."""


def frame_at(seconds: float) -> int:
    """The first frame whose middle is not before a moment."""
    return max(0, int(np.ceil((seconds - HALF_WINDOW) / FRAME)))
