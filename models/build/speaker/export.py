"""Export: a folder that vosk.SpkModel reads, from the trained speaker network.

As in models/build/export.py, normalisations and the conversion from MFCC to log-mel are folded into the layers.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.features import TO_MFCC
from models.build.kaldi import Affine, round_to_16_bits
from models.build.speaker.format import SpeakerFiles
from models.build.speaker.net import SpeakerNet, frame_offsets, stride


def export_speaker_net(net: SpeakerNet, folder: Path) -> None:
    """Writes a speaker model."""
    layers = fold(round_weights(net))
    SpeakerFiles(layers, stride(), net.centre.numpy(), net.transform.numpy()).write(folder)


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
