"""Export: the trained network as am/final.mdl and am/global_cmvn.stats of a folder that libvosk loads.

Normalisation of the input, batch norms and the step from MFCC back to log-mel are all linear, so each is folded into
the layer after it; exact, because nothing is padded inside the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.features import TO_MFCC
from models.build.kaldi import Affine, acoustic_model, global_mean
from models.build.net import LAYERS, Net, offsets
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
    (folder / "am" / "final.mdl").write_bytes(acoustic_model(folded(net), priors(counts, boost)))
    mean = net.global_mean.numpy().astype(np.float64) @ TO_MFCC
    (folder / "am" / "global_cmvn.stats").write_bytes(global_mean(mean))


def folded(net: Net) -> list[Affine]:
    """The layers as plain affine ones over MFCC."""
    weights = {name: value.numpy().astype(np.float64) for name, value in net.state_dict().items()}
    scale, shift = 1 / weights["deviation"], -weights["mean"] / weights["deviation"]
    found = []
    for number, taps in enumerate([*offsets(), [0]]):
        last = number == len(LAYERS)
        kernel = weights["out.weight"][:, :, None] if last else weights[f"layers.{number}.weight"]
        bias = weights["out.bias"] if last else weights[f"layers.{number}.bias"]
        by_tap = kernel.transpose(0, 2, 1)
        bias = bias + (by_tap * shift).sum((1, 2))
        by_tap = by_tap * scale
        if number == 0:
            by_tap = by_tap @ np.linalg.inv(TO_MFCC).T
        found.append(Affine(tuple(taps), by_tap.reshape(len(bias), -1), bias))
        if not last:
            spread = np.sqrt(weights[f"norms.{number}.running_var"] + net.norms[number].eps)
            scale, shift = 1 / spread, -weights[f"norms.{number}.running_mean"] / spread
    return found


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
