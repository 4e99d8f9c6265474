"""Export: the trained network as am/final.mdl and am/global_cmvn.stats of a folder that libvosk loads.

The normalisation of the input, the batch norms and the conversion from MFCC to log-mel are linear. Each is folded into
the layer after it; this is exact because nothing is padded inside the network. Weights are written with 16 bits, which
halves the file: no log-probability of the bundled model changed by more than 0.002, in noise and in speech.
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
from models.build.kaldi import Affine, acoustic_model, global_mean_stats, round_to_16_bits
from models.build.net import Net, frame_offsets
from models.build.training import GARBAGE_SHARE

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
    layers = fold_normalisation(round_weights(net))
    (folder / "am" / "final.mdl").write_bytes(acoustic_model(layers, priors(counts, boost)))
    mean = net.global_mean.numpy().astype(np.float64) @ TO_MFCC
    (folder / "am" / "global_cmvn.stats").write_bytes(global_mean_stats(mean))


def round_weights(net: Net) -> Net:
    """The network with the weights that remain after they are written with 16 bits."""
    rounded = deepcopy(net)
    for name, scale, _ in list(_input_transforms(net))[1:]:
        weights = rounded.get_parameter(f"{name}.weight")
        rows = weights.detach().numpy().astype(np.float64).reshape(len(weights), len(scale), -1)
        written = round_to_16_bits(rows * scale[:, None]) / scale[:, None]
        weights.data = torch.from_numpy(written.reshape(weights.shape).astype(np.float32))
    return rounded


def fold_normalisation(net: Net) -> list[Affine]:
    """The layers as affine layers without normalisation, with MFCC as the input."""
    layers: list[Affine] = []
    for (name, scale, shift), taps in zip(_input_transforms(net), [*frame_offsets(), [0]], strict=True):
        weights = net.get_parameter(f"{name}.weight").detach().numpy().astype(np.float64)
        by_tap = weights.reshape(*weights.shape[:2], -1).transpose(0, 2, 1)
        bias = net.get_parameter(f"{name}.bias").detach().numpy() + (by_tap * shift).sum((1, 2))
        by_tap = by_tap * scale
        if not layers:
            by_tap = by_tap @ np.linalg.inv(TO_MFCC).T
        layers.append(Affine(tuple(taps), by_tap.reshape(len(bias), -1), bias))
    return layers


def _input_transforms(net: Net) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """The name of each layer, and the scale and the shift of its inputs that remain to be applied."""
    buffers = {name: value.numpy().astype(np.float64) for name, value in net.named_buffers()}
    scale, shift = 1 / buffers["deviation"], -buffers["mean"] / buffers["deviation"]
    for number, norm in enumerate(net.norms):
        yield f"layers.{number}", scale, shift
        deviation = np.sqrt(buffers[f"norms.{number}.running_var"] + norm.eps)
        scale, shift = 1 / deviation, -buffers[f"norms.{number}.running_mean"] / deviation
    yield "out", scale, shift


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
