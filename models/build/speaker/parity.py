"""Parity: the vector that libvosk gives of audio must be that of PyTorch, within 1e-3 in every dimension."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.features import log_mel
from models.build.speaker.export import round_weights
from models.build.speaker.libvosk_vector import libvosk_vector
from models.build.speaker.net import SpeakerNet, speaker_vector

TOLERANCE: Final = 1e-3
"""Largest difference in a dimension, of vectors whose dimensions are 1 on average."""


def largest_difference(net: SpeakerNet, model: Path, speaker_model: Path, samples: NDArray[np.int16]) -> float:
    """The largest difference in a dimension between the vectors of libvosk and of PyTorch."""
    computed, frames = libvosk_vector(model, speaker_model, samples)
    speech = torch.from_numpy(log_mel(samples.astype(np.float32))[:frames])
    expected = speaker_vector(round_weights(net), speech).numpy()
    return float(np.abs(expected - computed).max())
