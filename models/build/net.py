"""The acoustic model: a time-delay neural network from 40 features per 10 ms frame to log-probabilities each 30 ms.

A factorised TDNN: each layer is a product of two small matrices with a bottleneck between them, and is added to its
input (Povey et al., Semi-orthogonal low-rank matrix factorization for deep neural networks, Interspeech 2018). The
nnet3 code in libvosk can run it. Nothing is padded inside the network: at the edges the first and last frame are
repeated by the whole context, as in libvosk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.build.features import BINS
from models.build.lexicon import units

TAPS: Final = (-2, -1, 0, 1, 2)
"""Input frames of the first layer, relative to its output."""
SUBSAMPLING: Final = 3
"""Input frames per output frame; 30 ms per output frame is fixed in libvosk."""
CMN_WINDOW: Final = 600
CMN_GLOBAL: Final = 200
"""Frames of Kaldi's OnlineCmvn: the window of the mean, and the weight of the global mean at the start."""
QUIET: Final = 50.0
"""First cepstral coefficient up to which libvosk treats a frame as quiet and does not update the mean."""


SKIP: Final = 0.66
"""Share of its input that a layer adds to its output (Povey et al. 2018, section 3.3)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a network."""

    hidden: int
    """Channels between layers."""
    bottleneck: int
    """Channels inside a factorised layer."""
    dilations: tuple[int, ...]
    """For each factorised layer, how many output frames lie on each side of its own."""

    @property
    def context(self) -> int:
        """Input frames on each side of an output frame."""
        return TAPS[-1] + SUBSAMPLING * sum(self.dilations)


class Factored(nn.Module):
    """One factorised layer: from two frames to the bottleneck, from two of those to the output.

    The frames are `dilation` output frames apart.
    """

    def __init__(self, shape: Shape, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.down = nn.Linear(2 * shape.hidden, shape.bottleneck, bias=False)
        self.up = nn.Linear(2 * shape.bottleneck, shape.hidden)
        self.norm = nn.BatchNorm1d(shape.hidden, affine=False)

    def forward(self, x: Tensor, dropout: float) -> Tensor:
        """Batch x frames x channels -> batch x (frames - 2 dilation) x channels."""
        narrow = self.down(self._pairs(x))
        y = normalise(self.norm, functional.relu(self.up(self._pairs(narrow))), dropout)
        return y + SKIP * x[:, self.dilation : -self.dilation]

    def _pairs(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, : -self.dilation], x[:, self.dilation :]], -1)

    @torch.no_grad()
    def approach_orthogonality(self) -> None:
        """Moves the first matrix towards a multiple of one with orthonormal rows (Povey et al. 2018, section 2.2)."""
        product = self.down.weight @ self.down.weight.T
        trace, squares = product.diagonal().sum(), product.square().sum()
        spread = squares * len(product) / trace**2
        speed = 0.125 * (0.5 if spread > 1.02 else 1.0) * (0.5 if spread > 1.1 else 1.0)
        product.diagonal().sub_(squares / trace)
        self.down.weight.sub_(4 * speed * trace / squares * (product @ self.down.weight))


def normalise(norm: nn.BatchNorm1d, x: Tensor, dropout: float) -> Tensor:
    """Batch normalisation over batch and frames; in training a share of the channels of each sequence is dropped."""
    y: Tensor = norm(x.reshape(-1, x.shape[-1])).view(x.shape)
    if norm.training and dropout:
        active = torch.rand(len(x), 1, x.shape[-1]) > dropout
        y = y * (active.to(y.dtype) / (1 - dropout))
    return y


class Net(nn.Module):
    """The network; `dropout` is the share of channels dropped per sequence in training."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.first = nn.Linear(len(TAPS) * BINS, shape.hidden)
        self.norm = nn.BatchNorm1d(shape.hidden, affine=False)
        self.layers = nn.ModuleList(Factored(shape, dilation) for dilation in shape.dilations)
        self.out = nn.Linear(shape.hidden, len(units()))
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("deviation", torch.ones(BINS))
        self.register_buffer("global_mean", torch.zeros(BINS))

    def forward(self, x: Tensor) -> Tensor:
        """Batch x (frames + 2 context) x 40, from `prepare` -> batch x frames / 3 x units, before the softmax."""
        windows = x.unfold(1, len(TAPS), SUBSAMPLING).transpose(2, 3).flatten(2)
        x = normalise(self.norm, functional.relu(self.first(windows)), self.dropout)
        for layer in self.layers:
            x = layer(x, self.dropout)
        logits: Tensor = self.out(x)
        return logits

    def prepare(self, features: Tensor) -> Tensor:
        """Batch x frames x 40 log-mel -> normalised and padded at both edges, the input of `forward`."""
        return self.pad((subtract_running_mean(features, self.global_mean) - self.mean) / self.deviation)

    def pad(self, x: Tensor) -> Tensor:
        """The frames with the first and the last one repeated by the whole context."""
        context = self.shape.context
        return torch.cat([x[:, :1].expand(-1, context, -1), x, x[:, -1:].expand(-1, context, -1)], 1)

    def approach_orthogonality(self) -> None:
        """A step of the constraint on each factorised layer."""
        for layer in self.layers:
            layer.approach_orthogonality()


def subtract_running_mean(features: Tensor, global_mean: Tensor) -> Tensor:
    """Each frame minus the mean of the frames up to it, as libvosk computes it from the start of a stream.

    For a loud frame this is Kaldi's OnlineCmvn: the window is the last CMN_WINDOW frames; while there are fewer, the
    global mean counts as up to CMN_GLOBAL more frames (online-feature.cc, SmoothOnlineCmvnStats). A quiet frame, whose
    first cepstral coefficient is at most QUIET, gets the window of the last loud frame before it, filled up to
    CMN_WINDOW with the global mean. Only libvosk does this, and it is not documented; it was measured on libvosk 0.3.45
    with a network of one layer that outputs one feature. The parity test, which includes digital silence, checks it.
    Batch x frames x 40 log-mel, in and out.
    """
    frames = features.shape[1]
    sums = torch.cumsum(features.double(), 1)
    window = sums.clone()
    if frames > CMN_WINDOW:
        window[:, CMN_WINDOW:] -= sums[:, :-CMN_WINDOW]
    index = torch.arange(frames)
    counted = torch.clamp(index + 1, max=CMN_WINDOW)
    missing = CMN_WINDOW - counted
    added = torch.clamp(missing, max=CMN_GLOBAL)
    centre = global_mean.double()
    mean = (window + added[:, None] * centre) / (counted + added)[:, None]
    held = (window + missing[:, None] * centre) / CMN_WINDOW
    loud = features.sum(-1) / math.sqrt(BINS) > QUIET
    last_loud = torch.where(loud, index, -1).cummax(1).values
    held = held.gather(1, last_loud.clamp(min=0)[..., None].expand(-1, -1, features.shape[2]))
    held = torch.where((last_loud < 0)[..., None], centre, held)
    return features - torch.where(loud[..., None], mean, held).float()


def log_probabilities(net: Net, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames / 3 (rounded up) x units: what libvosk computes for a stream that consists of these frames x 40."""
    frames = torch.from_numpy(np.asarray(features, np.float32))[None]
    with torch.no_grad():
        logits = net(net.prepare(torch.cat([frames, frames[:, -1:].expand(-1, 2, -1)], 1)[:, : frames.shape[1]]))
    return functional.log_softmax(logits, -1)[0].numpy()


def save_network(net: Net, counts: NDArray[np.float64], target: Path) -> None:
    """Writes the weights, and how often each unit was the label of a frame, atomically."""
    partial = target.with_suffix(".part")
    shape = (net.shape.hidden, net.shape.bottleneck, net.shape.dilations)
    torch.save({"weights": net.state_dict(), "shape": shape, "counts": counts, "units": units()}, partial)
    partial.replace(target)


def load_network(source: Path) -> tuple[Net, NDArray[np.float64]]:
    """The network in a file, in evaluation mode, and the counts of its units."""
    saved = torch.load(source, map_location="cpu", weights_only=False)
    if tuple(saved["units"]) != units():
        raise SystemExit(f"{source}: its units differ from those of lexicon.py; train the network again.")
    net = Net(Shape(*saved["shape"]))
    net.load_state_dict(saved["weights"])
    return net.eval(), saved["counts"]
