"""Export: a folder that vosk.SpkModel reads, from the trained speaker network.

The four files are those of vosk-api, src/spk_model.cc: the features, the network, and the mean and the transform of its
vectors. The formats are Kaldi's: nnet3/nnet-nnet.cc, nnet-general-component.cc (the statistics), kaldi-vector.cc and
kaldi-matrix.cc. As in models/build/export.py, normalisations and the conversion from MFCC are folded into the layers.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.conf import MFCC
from models.build.features import TO_MFCC
from models.build.kaldi import (
    BINARY,
    Affine,
    Writer,
    round_to_16_bits,
    splice_descriptor,
    write_affine,
    write_nonlinear,
)
from models.build.speaker.net import MOST_FRAMES, VARIANCE_FLOOR, SpeakerNet, frame_offsets, stride

FEATURES: Final = "mfcc.conf"
NETWORK: Final = "final.ext.raw"
MEAN: Final = "mean.vec"
TRANSFORM: Final = "transform.mat"


def export_speaker_net(net: SpeakerNet, folder: Path) -> None:
    """Writes the four files of a speaker model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FEATURES).write_text(MFCC, encoding="ascii")
    (folder / NETWORK).write_bytes(network(fold(round_weights(net))))
    mean, transform = Writer(), Writer()
    mean.raw(BINARY)
    mean.vector(net.centre.numpy())
    (folder / MEAN).write_bytes(mean.content())
    transform.raw(BINARY)
    transform.matrix(net.transform.numpy())
    (folder / TRANSFORM).write_bytes(transform.content())


def round_weights(net: SpeakerNet) -> SpeakerNet:
    """The network with the weights that remain after all layers but the first are written with 16 bits."""
    rounded = deepcopy(net)
    folded = fold(net)
    for number, layer in enumerate(folded[1:], start=1):
        scale = _scale(net, number - 1)
        written = round_to_16_bits(layer.weights) / np.tile(scale, layer.weights.shape[1] // len(scale))
        name = "out.weight" if number == len(net.layers) else f"layers.{number}.weight"
        weights = rounded.get_parameter(name)
        by_tap = written.reshape(len(weights), len(layer.offsets), -1).transpose(0, 2, 1)
        weights.data = torch.from_numpy(by_tap.reshape(weights.shape).astype(np.float32))
    return rounded


def fold(net: SpeakerNet) -> list[Affine]:
    """The layers without normalisation, with MFCC as the input; the last reads means and deviations."""
    layers: list[Affine] = []
    for number, (layer, taps) in enumerate(zip(net.layers, frame_offsets(), strict=True)):
        weights = layer.weight.detach().numpy().astype(np.float64).transpose(0, 2, 1)
        bias = layer.bias.detach().numpy().astype(np.float64)
        if number:
            bias = bias + (weights * _shift(net, number - 1)).sum((1, 2))
            weights = weights * _scale(net, number - 1)
        else:
            weights = weights / net.deviation.numpy() @ np.linalg.inv(TO_MFCC).T
        layers.append(Affine(tuple(taps), weights.reshape(len(bias), -1), bias))
    last = len(net.layers) - 1
    weights = net.out.weight.detach().numpy().astype(np.float64)
    bias = net.out.bias.detach().numpy() + weights @ _shift(net, last)
    layers.append(Affine((0,), weights * _scale(net, last), bias))
    return layers


def _scale(net: SpeakerNet, number: int) -> NDArray[np.float64]:
    norm = net.norms[number]
    return 1 / np.sqrt(norm.running_var.numpy().astype(np.float64) + norm.eps)


def _shift(net: SpeakerNet, number: int) -> NDArray[np.float64]:
    return -net.norms[number].running_mean.numpy().astype(np.float64) * _scale(net, number)


def network(layers: list[Affine]) -> bytes:
    """The content of final.ext.raw: layers over frames with ReLU, statistics, and the affine layer of the vector."""
    *over_frames, vector = layers
    period, pooled = stride(), len(over_frames[-1].bias)
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
    out.boolean(True)
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
    out.boolean(True)
    out.token("<VarianceFloor>")
    out.float32(VARIANCE_FLOOR)
    out.token("</StatisticsPoolingComponent>")
