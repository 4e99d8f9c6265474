"""Parity: libvosk must compute the same from audio as PyTorch, within a log-likelihood of 1e-4 per frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.export import UNK_BOOST, priors
from models.build.features import log_mel
from models.build.lexicon import unit_numbers
from models.build.net import Net, log_probabilities
from models.build.one_phone import libvosk_log_likelihoods

UNITS: Final = ("sh", "i2", "ang", "SPN")
TOLERANCE: Final = 1e-4
"""Log-likelihood per frame."""


def differences(net: Net, counts: NDArray[np.float64], model: Path, samples: NDArray[np.int16]) -> Mapping[str, float]:
    """For each of UNITS, the log-likelihood by PyTorch minus that by libvosk, per frame, for 16 kHz samples."""
    log = log_probabilities(net, log_mel(samples.astype(np.float32)))
    expected = (log - np.log(priors(counts, UNK_BOOST))).sum(0)
    computed = libvosk_log_likelihoods(model, samples, UNITS)
    return {unit: (float(expected[unit_numbers()[unit]]) - computed[unit]) / len(log) for unit in UNITS}
