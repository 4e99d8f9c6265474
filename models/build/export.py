"""Export: the trained network as am/final.mdl and am/global_cmvn.stats of a folder that libvosk loads.

Normalisation of the input, batch norms and the step from MFCC back to log-mel are all linear, so each is folded into
the layer after it; exact, because nothing is padded inside the network. Weights are written in 16 bits, which halves
the file: no log-probability of the bundled model moved by more than 0.002 in noise and in speech.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.features import TO_MFCC
from models.build.kaldi import Affine, acoustic_model, global_mean, kept_in_16_bits
from models.build.net import Net, offsets
from models.build.training import GARBAGE_SHARE

UNK_BOOST: Final = 3.0
"""How much more likely [unk] is made, in log-probability, by dividing its prior: the dial of grammar mode.

On 80 lines with one of ten phrases and 79 without, grammar mode finds 80 and is wrong in 38 at 2; 76 and 14 at 2.6;
72 and 6 at 3; 56 and 1 at 3.5. More misses more, less finds what was not said.
The built-in graph is not moved by it, since graph.py lays its own cost on [unk] there.
"""
LEAST_PRIOR: Final = 2e-3
"""A unit seldom heard in training is not so seldom in the world; without a floor its score is blown up in noise."""


def export(net: Net, counts: NDArray[np.float64], folder: Path, boost: float = UNK_BOOST) -> None:
    """Writes the folder's am/ from a network and the counts of its units."""
    (folder / "am").mkdir(parents=True, exist_ok=True)
    (folder / "am" / "final.mdl").write_bytes(acoustic_model(folded(rounded(net)), priors(counts, boost)))
    mean = net.global_mean.numpy().astype(np.float64) @ TO_MFCC
    (folder / "am" / "global_cmvn.stats").write_bytes(global_mean(mean))


def rounded(net: Net) -> Net:
    """The network with the weights that are left of its own once they are written in 16 bits."""
    less = deepcopy(net)
    for name, scale, _ in list(_folds(net))[1:]:
        weights = less.get_parameter(f"{name}.weight")
        rows = weights.detach().numpy().astype(np.float64).reshape(len(weights), len(scale), -1)
        kept = kept_in_16_bits(rows * scale[:, None]) / scale[:, None]
        weights.data = torch.from_numpy(kept.reshape(weights.shape).astype(np.float32))
    return less


def folded(net: Net) -> list[Affine]:
    """The layers as plain affine ones over MFCC."""
    found: list[Affine] = []
    for (name, scale, shift), taps in zip(_folds(net), [*offsets(), [0]], strict=True):
        weights = net.get_parameter(f"{name}.weight").detach().numpy().astype(np.float64)
        by_tap = weights.reshape(*weights.shape[:2], -1).transpose(0, 2, 1)
        bias = net.get_parameter(f"{name}.bias").detach().numpy() + (by_tap * shift).sum((1, 2))
        by_tap = by_tap * scale
        if not found:
            by_tap = by_tap @ np.linalg.inv(TO_MFCC).T
        found.append(Affine(tuple(taps), by_tap.reshape(len(bias), -1), bias))
    return found


def _folds(net: Net) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Each layer's name, and by what its inputs are still to be multiplied and then moved."""
    buffers = {name: value.numpy().astype(np.float64) for name, value in net.named_buffers()}
    scale, shift = 1 / buffers["deviation"], -buffers["mean"] / buffers["deviation"]
    for number, norm in enumerate(net.norms):
        yield f"layers.{number}", scale, shift
        spread = np.sqrt(buffers[f"norms.{number}.running_var"] + norm.eps)
        scale, shift = 1 / spread, -buffers[f"norms.{number}.running_mean"] / spread
    yield "out", scale, shift


def priors(counts: NDArray[np.float64], boost: float) -> NDArray[np.float64]:
    """How often each unit is expected, linear; libvosk subtracts their logarithm from the network's output.

    Garbage takes its share of all speech, as it did in training, and is then made more likely by `boost`.
    """
    share = counts / counts.sum()
    speech = 1 - share[0]
    share[2:] *= 1 - GARBAGE_SHARE
    share[1] = GARBAGE_SHARE * speech
    share = np.maximum(share, LEAST_PRIOR)
    share /= share.sum()
    share[1] *= np.exp(-boost)
    return share
