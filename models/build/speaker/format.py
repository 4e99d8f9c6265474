"""A speaker model in the format that vosk.SpkModel reads. No PyTorch here.

The four files are those of vosk-api, src/spk_model.cc: the features, the network, and the mean and the transform of its
vectors. The formats are Kaldi's: nnet3/nnet-nnet.cc, nnet-general-component.cc (the statistics), kaldi-vector.cc and
kaldi-matrix.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.conf import MFCC
from models.build.kaldi import BINARY, Affine, Writer, splice_descriptor, write_affine, write_nonlinear

FEATURES: Final = "mfcc.conf"
NETWORK: Final = "final.ext.raw"
MEAN: Final = "mean.vec"
TRANSFORM: Final = "transform.mat"

CMN_WINDOW: Final = 300
"""Frames whose mean libvosk subtracts from each frame (vosk-api, recognizer.cc, GetSpkVector)."""
LEAST_FRAMES: Final = 50
"""Frames of speech below which libvosk gives no vector (MIN_SPK_FEATS)."""
MOST_FRAMES: Final = 1_500
"""Frames of speech that count: libvosk looks at the last 500 frames of 30 ms (GetNonsilenceFrames)."""
VARIANCE_FLOOR: Final = 1e-5
"""Of the pooled outputs; it keeps the gradient of the deviation finite, and libvosk applies the same."""


@dataclass(frozen=True, slots=True)
class SpeakerFiles:
    """What a speaker model consists of."""

    layers: Sequence[Affine]
    """Over frames of MFCC, each followed by ReLU; the last one reads the means and deviations of the one before."""
    period: int
    """Frames of 10 ms from one pooled frame to the next."""
    mean: NDArray[np.floating]
    """Subtracted from the vector that the network computes."""
    transform: NDArray[np.floating]
    """Multiplied with the rest, before it gets the length sqrt(rows)."""

    def write(self, folder: Path) -> None:
        """Writes the four files."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FEATURES).write_text(MFCC, encoding="ascii")
        (folder / NETWORK).write_bytes(network(self.layers, self.period))
        mean, transform = Writer(), Writer()
        mean.raw(BINARY)
        mean.vector(self.mean)
        (folder / MEAN).write_bytes(mean.content())
        transform.raw(BINARY)
        transform.matrix(self.transform)
        (folder / TRANSFORM).write_bytes(transform.content())


def network(layers: Sequence[Affine], period: int) -> bytes:
    """The content of final.ext.raw: layers over frames with ReLU, statistics, and the affine layer of the vector."""
    *over_frames, vector = layers
    pooled = len(over_frames[-1].bias)
    inputs = over_frames[0].weights.shape[1] // len(over_frames[0].offsets)
    lines, parts, previous = [f"input-node name=input dim={inputs}"], Writer(), "input"
    count = 0

    def node(name: str, source: str) -> None:
        nonlocal previous, count
        lines.append(f"component-node name={name} component={name} input={source}")
        parts.token("<ComponentName>", name)
        previous = name
        count += 1

    for number, layer in enumerate(over_frames, start=1):
        node(f"tdnn{number}.affine", splice_descriptor(previous, layer.offsets))
        write_affine(parts, layer, compressed=number > 1)
        node(f"tdnn{number}.relu", previous)
        write_nonlinear(parts, "RectifiedLinearComponent", len(layer.bias))
    node("statistics", previous)
    _extraction(parts, pooled, period)
    node("pooling", previous)
    _pooling(parts, pooled, period)
    node("vector", previous)
    write_affine(parts, vector, compressed=True)
    lines.append(f"output-node name=output input={previous} objective=linear")
    out = Writer()
    out.raw(BINARY)
    out.token("<Nnet3>")
    out.raw(("\n" + "\n".join(lines) + "\n\n").encode())
    out.token("<NumComponents>")
    out.int32(count)
    out.raw(parts.content())
    out.token("</Nnet3>")
    return out.content()


def _extraction(out: Writer, size: int, period: int) -> None:
    """nnet-general-component.cc, StatisticsExtractionComponent::Write; the misspelt token is Kaldi's."""
    out.token("<StatisticsExtractionComponent>", "<InputDim>")
    out.int32(size)
    out.token("<InputPeriod>")
    out.int32(period)
    out.token("<OutputPeriod>")
    out.int32(period)
    out.token("<IncludeVarinance>")
    out.boolean(value=True)
    out.token("</StatisticsExtractionComponent>")


def _pooling(out: Writer, size: int, period: int) -> None:
    """nnet-general-component.cc, StatisticsPoolingComponent::Write: from frame 0, whose vector libvosk asks for."""
    out.token("<StatisticsPoolingComponent>", "<InputDim>")
    out.int32(2 * size + 1)
    out.token("<InputPeriod>")
    out.int32(period)
    out.token("<LeftContext>")
    out.int32(0)
    out.token("<RightContext>")
    out.int32(MOST_FRAMES)
    out.token("<NumLogCountFeatures>")
    out.int32(0)
    out.token("<OutputStddevs>")
    out.boolean(value=True)
    out.token("<VarianceFloor>")
    out.float32(VARIANCE_FLOOR)
    out.token("</StatisticsPoolingComponent>")
