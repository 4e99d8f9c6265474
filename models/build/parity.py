"""Parity: libvosk must compute of a sound what PyTorch computes of it, to 1e-4 of log-likelihood a frame."""

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
from models.build.one_phone import by_libvosk

UNITS: Final = ("sh", "i2", "ang", "SPN")
TOLERANCE: Final = 1e-4
"""Log-likelihood a frame."""


def differences(net: Net, counts: NDArray[np.float64], model: Path, samples: NDArray[np.int16]) -> Mapping[str, float]:
    """For each of UNITS, PyTorch's log-likelihood less libvosk's, a frame, over 16 kHz samples."""
    log = log_probabilities(net, log_mel(samples.astype(np.float32)))
    likelihood = (log - np.log(priors(counts, UNK_BOOST))).sum(0)
    heard = by_libvosk(model, samples, UNITS)
    return {unit: (float(likelihood[unit_numbers()[unit]]) - heard[unit]) / len(log) for unit in UNITS}
