"""The acoustic model: a time-delay neural network from 40 features per 10 ms frame to log-probabilities each 30 ms.

Convolutions with ReLU and batch normalisation (Peddinti et al., A time delay neural network architecture for efficient
modeling of long temporal contexts, Interspeech 2015), which the nnet3 code in libvosk can run. Nothing is padded inside
the network: at the edges the first and last frame are repeated by the whole context, as in libvosk.
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

LAYERS: Final = ((5, 1, 3), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 3, 1))
"""Kernel, dilation and stride of each hidden layer; the dilation counts frames of the input of that layer."""
SUBSAMPLING: Final = 3
"""Input frames per output frame; 30 ms per output frame is fixed in libvosk."""
CMN_WINDOW: Final = 600
CMN_GLOBAL: Final = 200
"""Frames of Kaldi's OnlineCmvn: the window of the mean, and the weight of the global mean at the start."""
QUIET: Final = 50.0
"""First cepstral coefficient up to which libvosk treats a frame as quiet and does not update the mean."""


def frame_offsets() -> list[list[int]]:
    """For each hidden layer the offsets of its input frames, in frames of 10 ms."""
    step, offsets = 1, []
    for kernel, dilation, stride in LAYERS:
        offsets.append([tap * dilation * step for tap in range(-(kernel // 2), kernel // 2 + 1)])
        step *= stride
    return offsets


CONTEXT: Final = sum(offsets[-1] for offsets in frame_offsets())
"""Input frames on each side of an output frame."""


class Net(nn.Module):
    """`hidden` channels in each layer; `dropout` is the share of channels dropped per sequence in training."""

    def __init__(self, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden, self.dropout = hidden, dropout
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
        """Batch x (frames + 2 CONTEXT) x 40, from `prepare` -> batch x frames / 3 x units, before the softmax."""
        x = x.transpose(1, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(functional.relu(layer(x)))
            if self.training and self.dropout:
                active = torch.rand(len(x), self.hidden, 1) > self.dropout
                x = x * (active.to(x.dtype) / (1 - self.dropout))
        return self.out(x.transpose(1, 2))

    def prepare(self, features: Tensor) -> Tensor:
        """Batch x frames x 40 log-mel -> normalised and padded at both edges, the input of `forward`."""
        x = (subtract_running_mean(features, self.global_mean) - self.mean) / self.deviation
        return torch.cat([x[:, :1].expand(-1, CONTEXT, -1), x, x[:, -1:].expand(-1, CONTEXT, -1)], 1)


def widen(net: Net, hidden: int) -> Net:
    """The network with more channels in each layer, which computes the same: no old channel reads a new one yet.

    A wide network so begins where a narrow one ended, whose steps take less time (Chen, Goodfellow and Shlens, Net2Net:
    accelerating learning via knowledge transfer, 2016). The new channels begin with drawn weights.
    """
    wide = Net(hidden, net.dropout)
    weights = wide.state_dict()
    for name, old in net.state_dict().items():
        new = weights[name]
        reads_channels = new.dim() > 1 and new.shape[1] == hidden
        if reads_channels:
            new[: len(old), old.shape[1] :] = 0
        new[tuple(slice(size) for size in old.shape)] = old
    wide.load_state_dict(weights)
    return wide


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
    torch.save({"weights": net.state_dict(), "hidden": net.hidden, "counts": counts, "units": units()}, partial)
    partial.replace(target)


def load_network(source: Path) -> tuple[Net, NDArray[np.float64]]:
    """The network in a file, in evaluation mode, and the counts of its units."""
    saved = torch.load(source, map_location="cpu", weights_only=False)
    if tuple(saved["units"]) != units():
        raise SystemExit(f"{source}: its units differ from those of lexicon.py; train the network again.")
    net = Net(saved["hidden"])
    net.load_state_dict(saved["weights"])
    return net.eval(), saved["counts"]
