"""Export: the trained network as am/final.mdl and am/global_cmvn.stats of a folder that libvosk loads.

The normalisation of the input, the batch norms and the conversion from MFCC to log-mel are linear. Each is folded into
the layers around it; this is exact because nothing is padded inside the network. Weights are written with 16 bits,
which halves the file: no log-probability of the bundled model changed by more than 0.002, in noise and in speech.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.build.features import BINS, TO_MFCC
from models.build.kaldi import Affine, Factored, Network, acoustic_model, global_mean_stats, round_to_16_bits
from models.build.net import SKIP, SUBSAMPLING, TAPS, Net
from models.build.training import GARBAGE_SHARE

Vector = NDArray[np.float64]
UNK_BOOST: Final = 3.0
"""By how much the log-probability of [unk] is raised, by dividing its prior: this sets the balance of grammar mode.

On 80 lines with one of ten phrases and 79 without, grammar mode finds 80 and is wrong in 38 at 2; 76 and 14 at 2.6;
72 and 6 at 3; 56 and 1 at 3.5. A higher value misses more phrases, a lower one finds more that were not said.
The built-in graph does not depend on it: graph.py sets a cost of its own for [unk].
"""
LEAST_PRIOR: Final = 2e-3
"""Lower bound of a prior. A unit that is rare in the training data is less rare in use; without the bound its score in
noise is too high."""


def export(net: Net, counts: NDArray[np.float64], folder: Path, boost: float = UNK_BOOST) -> None:
    """Writes am/ in a model folder, from a network and the counts of its units."""
    (folder / "am").mkdir(parents=True, exist_ok=True)
    network = fold_normalisation(round_weights(net))
    (folder / "am" / "final.mdl").write_bytes(acoustic_model(network, priors(counts, boost)))
    mean = net.global_mean.numpy().astype(np.float64) @ TO_MFCC
    (folder / "am" / "global_cmvn.stats").write_bytes(global_mean_stats(mean))


def round_weights(net: Net) -> Net:
    """The network with the weights that remain after they are written with 16 bits."""
    rounded = deepcopy(net)
    for layer in rounded.layers:
        _round(layer.down)
        _round(layer.up, 1 / _deviation(layer.norm))
    _round(rounded.out)
    return rounded


def _round(layer: nn.Linear, scale: Vector | float = 1.0) -> None:
    """Rounds the weights of a layer, which are written multiplied by `scale` (one value per output)."""
    factors = np.broadcast_to(scale, len(layer.weight))[:, None]
    written = round_to_16_bits(_weights(layer) * factors) / factors
    layer.weight.data = torch.from_numpy(written.astype(np.float32))


def fold_normalisation(net: Net) -> Network:
    """The layers without normalisation, with MFCC as the input.

    After ReLU, batch normalisation subtracts a mean and divides by a deviation. The deviation is divided out before
    ReLU. The mean is left out, so that the channels have an offset, which the biases of the next layers take up.
    """
    first = _first(net)
    first, offset = _normalised(first, net.norm)
    layers = []
    for layer in net.layers:
        taps = (-SUBSAMPLING * layer.dilation, 0)
        down = Affine(taps, _weights(layer.down), _weights(layer.down) @ np.tile(offset, 2))
        wide = Affine((0, SUBSAMPLING * layer.dilation), _weights(layer.up), _bias(layer.up))
        up, shift = _normalised(wide, layer.norm)
        layers.append(Factored(down, up, SKIP))
        offset = shift + SKIP * offset
    out = Affine((0,), _weights(net.out), _bias(net.out) + _weights(net.out) @ offset)
    return Network(first, tuple(layers), out)


def _first(net: Net) -> Affine:
    """The first layer for MFCC that are not normalised."""
    mean, deviation = (buffer.numpy().astype(np.float64) for buffer in (net.mean, net.deviation))
    by_tap = _weights(net.first).reshape(-1, len(TAPS), BINS) / deviation
    bias = _bias(net.first) - (by_tap * mean).sum((1, 2))
    return Affine(TAPS, (by_tap @ np.linalg.inv(TO_MFCC).T).reshape(len(bias), -1), bias)


def _normalised(layer: Affine, norm: nn.BatchNorm1d) -> tuple[Affine, Vector]:
    """The layer divided by the deviation of its output after ReLU, and the offset that its output then lacks."""
    deviation, mean = _deviation(norm), norm.get_buffer("running_mean").numpy().astype(np.float64)
    scaled = Affine(layer.offsets, layer.weights / deviation[:, None], layer.bias / deviation)
    return scaled, -mean / deviation


def _deviation(norm: nn.BatchNorm1d) -> Vector:
    return np.sqrt(norm.get_buffer("running_var").numpy().astype(np.float64) + norm.eps)


def _weights(layer: nn.Linear) -> Vector:
    return layer.weight.detach().numpy().astype(np.float64)


def _bias(layer: nn.Linear) -> Vector:
    return layer.bias.detach().numpy().astype(np.float64)


def priors(counts: NDArray[np.float64], boost: float) -> NDArray[np.float64]:
    """The prior probability of each unit; libvosk subtracts their logarithms from the output of the network.

    Garbage gets its share of all speech, as in the training; then its prior is divided by e^`boost`.
    """
    share = counts / counts.sum()
    speech = 1 - share[0]
    share[2:] *= 1 - GARBAGE_SHARE
    share[1] = GARBAGE_SHARE * speech
    share = np.maximum(share, LEAST_PRIOR)
    share /= share.sum()
    share[1] *= np.exp(-boost)
    return share
