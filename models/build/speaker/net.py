"""The speaker network: a short stretch of speech to a vector that is near to others of the same voice.

An x-vector (Snyder et al., X-vectors: robust DNN embeddings for speaker recognition, ICASSP 2018): convolutions over
frames, the mean and the standard deviation of their outputs over the stretch, and an affine layer. libvosk computes it
once an utterance, on the frames of speech alone; nothing is padded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.build.features import BINS
from models.build.speaker.format import CMN_WINDOW, VARIANCE_FLOOR

LAYERS: Final = ((7, 1, 3), (3, 1, 1), (3, 2, 1), (1, 1, 1), (1, 1, 1))
"""Kernel, dilation and stride of each layer over frames; the dilation counts frames of the input of that layer.

With a stride of 3 in the first layer libvosk computes a third of the frames: its time for an utterance is mostly that
of planning the computation frame by frame.
"""
FRAMES: Final = 256
"""Channels of the layers over frames."""
POOLED: Final = 512
"""Channels of the last one, whose mean and deviation are taken."""
VECTOR: Final = 128
"""Dimensions of the vector."""


def frame_offsets() -> list[list[int]]:
    """For each layer the offsets of its input frames in frames of 10 ms; the first is 0, for nothing is padded."""
    step, offsets = 1, []
    for kernel, dilation, stride in LAYERS:
        offsets.append([tap * dilation * step for tap in range(kernel)])
        step *= stride
    return offsets


def stride() -> int:
    """Frames of 10 ms from one pooled frame to the next."""
    step = 1
    for _, _, factor in LAYERS:
        step *= factor
    return step


class SpeakerNet(nn.Module):
    """`frames` channels in the layers over frames, `pooled` in the last of them."""

    def __init__(self, frames: int = FRAMES, pooled: int = POOLED) -> None:
        super().__init__()
        self.sizes = (frames, pooled)
        widths = [BINS, *[frames] * (len(LAYERS) - 1), pooled]
        self.layers = nn.ModuleList(
            nn.Conv1d(widths[number], widths[number + 1], kernel, stride=step, dilation=dilation)
            for number, (kernel, dilation, step) in enumerate(LAYERS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width, affine=False) for width in [*widths[1:-1], 2 * pooled])
        self.out = nn.Linear(2 * pooled, VECTOR)
        self.register_buffer("deviation", torch.ones(BINS))
        self.register_buffer("centre", torch.zeros(VECTOR))
        self.register_buffer("transform", torch.eye(VECTOR))

    def forward(self, x: Tensor) -> Tensor:
        """Batch x frames x 40, log-mel minus the mean of CMN_WINDOW frames -> batch x VECTOR, before `whiten`."""
        x = (x / self.deviation).transpose(1, 2)
        *first, last = self.layers
        *between, pooled = self.norms
        for layer, norm in zip(first, between, strict=True):
            x = norm(functional.relu(layer(x)))
        x = functional.relu(last(x)).float()
        deviation = x.var(2, unbiased=False).clamp(min=VARIANCE_FLOOR).sqrt()
        return self.out(pooled(torch.cat([x.mean(2), deviation], 1)))

    def whiten(self, vectors: Tensor) -> Tensor:
        """What libvosk returns for vectors: centred, transformed, and of the length sqrt(VECTOR)."""
        moved = (vectors - self.centre) @ self.transform.T
        return functional.normalize(moved, dim=1) * VECTOR**0.5


def subtract_window_mean(features: Tensor) -> Tensor:
    """Each frame minus the mean of the CMN_WINDOW frames around it: Kaldi's SlidingWindowCmn, centred.

    At the edges the window is moved, not cut, so it is cut only where there are fewer frames (feature-functions.cc).
    Batch x frames x 40, in and out.
    """
    frames = features.shape[1]
    sums = functional.pad(torch.cumsum(features.double(), 1), (0, 0, 1, 0))
    index = torch.arange(frames)
    first = (index - CMN_WINDOW // 2).clamp(min=0)
    last = (first + CMN_WINDOW).clamp(max=frames)
    first = (last - CMN_WINDOW).clamp(min=0)
    means = (sums[:, last] - sums[:, first]) / (last - first)[:, None]
    return features - means.float()


def speaker_vector(net: SpeakerNet, speech: Tensor) -> Tensor:
    """What libvosk computes for frames x 40 log-mel of speech: VECTOR values."""
    with torch.no_grad():
        return net.whiten(net(subtract_window_mean(speech[None])))[0]


def save_speaker_net(net: SpeakerNet, target: Path) -> None:
    """Writes the network atomically."""
    partial = target.with_suffix(".part")
    torch.save({"sizes": net.sizes, "weights": net.state_dict()}, partial)
    partial.replace(target)


def load_speaker_net(source: Path) -> SpeakerNet:
    """The network in a file, in evaluation mode."""
    saved = torch.load(source, map_location="cpu", weights_only=True)
    net = SpeakerNet(*saved["sizes"])
    net.load_state_dict(saved["weights"])
    return net.eval()
