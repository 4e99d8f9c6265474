"""The acoustic model: a time-delay network from 40 features a 10 ms frame to a unit's log-probability each 30 ms.

Plain convolutions with ReLU and batch normalisation (Peddinti et al., A time delay neural network architecture for
efficient modeling of long temporal contexts, Interspeech 2015), since libvosk's nnet3 can run just that. Nothing is
padded inside: the edges repeat the first and last frame by the whole context, as libvosk does.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.build.features import BINS
from models.build.lexicon import units

LAYERS: Final = ((5, 1, 3), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 2, 1))
"""Kernel, dilation and stride of each hidden layer; the dilation counts in frames of that layer's own input."""
SUBSAMPLING: Final = 3
"""Input frames to an output frame; libvosk has 30 ms an output frame built in."""
CMN_WINDOW: Final = 600
CMN_GLOBAL: Final = 200
"""Frames of Kaldi's OnlineCmvn: how far back the mean reaches, and how much the global mean counts at the start."""
QUIET: Final = 50.0
"""First cepstral coefficient up to which libvosk takes a frame for quiet, and holds the mean."""


def offsets() -> list[list[int]]:
    """For each hidden layer the input frames it looks at, counted in frames of 10 ms."""
    step, found = 1, []
    for kernel, dilation, stride in LAYERS:
        found.append([tap * dilation * step for tap in range(-(kernel // 2), kernel // 2 + 1)])
        step *= stride
    return found


CONTEXT: Final = sum(taps[-1] for taps in offsets())
"""Frames that an output looks to the left and to the right."""


class Net(nn.Module):
    """`hidden` channels in each layer; `dropped` is the share of channels left out of a sequence in training."""

    def __init__(self, hidden: int, dropped: float = 0.0) -> None:
        super().__init__()
        self.hidden, self.dropped = hidden, dropped
        self.layers = nn.ModuleList(
            nn.Conv1d(hidden if number else BINS, hidden, kernel, stride=stride, dilation=dilation)
            for number, (kernel, dilation, stride) in enumerate(LAYERS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden, affine=False) for _ in LAYERS)
        self.out = nn.Linear(hidden, len(units()))
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("deviation", torch.ones(BINS))
        self.register_buffer("global_mean", torch.zeros(BINS))

    def forward(self, x: Tensor) -> Tensor:
        """Batch x (frames + 2 CONTEXT) x 40, prepared -> batch x frames / 3 x units, before the softmax."""
        x = x.transpose(1, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(functional.relu(layer(x)))
            if self.training and self.dropped:
                kept = torch.rand(len(x), self.hidden, 1) > self.dropped
                x = x * (kept.to(x.dtype) / (1 - self.dropped))
        return self.out(x.transpose(1, 2))

    def prepare(self, features: Tensor) -> Tensor:
        """Batch x frames x 40 raw log-mel -> normalised and padded at both edges, ready for `forward`."""
        x = (online_mean_removed(features, self.global_mean) - self.mean) / self.deviation
        return torch.cat([x[:, :1].expand(-1, CONTEXT, -1), x, x[:, -1:].expand(-1, CONTEXT, -1)], 1)


def online_mean_removed(features: Tensor, global_mean: Tensor) -> Tensor:
    """Each frame less a mean of the frames up to it, as libvosk takes it at the start of a stream.

    For a loud frame that is Kaldi's OnlineCmvn: the window reaches CMN_WINDOW frames back; while it is shorter, the
    global mean counts for up to CMN_GLOBAL frames more (online-feature.cc, SmoothOnlineCmvnStats). A quiet frame, one
    whose first cepstral coefficient is at most QUIET, is given the window of the last loud frame before it, filled up
    to CMN_WINDOW with the global mean. That is libvosk's own, written down nowhere; measured on libvosk 0.3.45 by a
    network of one layer that gives out one feature, and held by the parity test, which hears exact zeros.
    Batch x frames x 40 log-mel, in and out.
    """
    frames = features.shape[1]
    sums = torch.cumsum(features.double(), 1)
    window = sums.clone()
    if frames > CMN_WINDOW:
        window[:, CMN_WINDOW:] -= sums[:, :-CMN_WINDOW]
    place = torch.arange(frames)
    counted = torch.clamp(place + 1, max=CMN_WINDOW)
    lacking = CMN_WINDOW - counted
    added = torch.clamp(lacking, max=CMN_GLOBAL)
    middle = global_mean.double()
    mean = (window + added[:, None] * middle) / (counted + added)[:, None]
    held = (window + lacking[:, None] * middle) / CMN_WINDOW
    loud = features.sum(-1) / math.sqrt(BINS) > QUIET
    last = torch.where(loud, place, -1).cummax(1).values
    held = held.gather(1, last.clamp(min=0)[..., None].expand(-1, -1, features.shape[2]))
    held = torch.where((last < 0)[..., None], middle, held)
    return features - torch.where(loud[..., None], mean, held).float()


def log_probabilities(net: Net, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames / 3 (rounded up) x units: what libvosk computes of a stream that holds these frames x 40 alone."""
    frames = torch.from_numpy(np.asarray(features, np.float32))[None]
    with torch.no_grad():
        found = net(net.prepare(torch.cat([frames, frames[:, -1:].expand(-1, 2, -1)], 1)[:, : frames.shape[1]]))
    return functional.log_softmax(found, -1)[0].numpy()


def save(net: Net, counts: NDArray[np.float64], target: Path) -> None:
    """Writes the weights with how often each unit was a frame's label, whole or not at all."""
    beside = target.with_suffix(".part")
    torch.save({"weights": net.state_dict(), "hidden": net.hidden, "counts": counts, "units": units()}, beside)
    beside.replace(target)


def load(source: Path) -> tuple[Net, NDArray[np.float64]]:
    """The network in a file, ready to compute with, and the counts of its units."""
    saved = torch.load(source, map_location="cpu", weights_only=False)
    if tuple(saved["units"]) != units():
        raise SystemExit(f"{source}: made with other units than lexicon.py has now; train again.")
    net = Net(saved["hidden"])
    net.load_state_dict(saved["weights"])
    return net.eval(), saved["counts"]
