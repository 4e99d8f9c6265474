"""Reads a Kaldi acoustic model that models/build wrote, and evaluates it in numpy, independently of the build."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
WINDOW, GLOBAL = 600, 200
"""Frames of the running mean, and the weight of the global mean at the start."""
QUIET = 50.0
"""First cepstral coefficient up to which a frame is quiet."""


@dataclass(frozen=True)
class AcousticModel:
    """The layers with the offsets of their input frames, the priors, and the global mean of the MFCC."""

    layers: tuple[tuple[tuple[int, ...], Matrix, Matrix], ...]
    priors: Matrix
    mean: Matrix

    @property
    def context(self) -> int:
        """Input frames on each side of an output frame."""
        return sum(offsets[-1] for offsets, _, _ in self.layers)

    def log_likelihoods(self, mfcc: NDArray[np.float32]) -> Matrix:
        """Frames x 40 from the start of a stream -> frames / 3 x units: log-probability minus log-prior."""
        centred = mfcc - running_mean(mfcc.astype(np.float64), self.mean)
        padded = np.concatenate([centred[:1].repeat(self.context, 0), centred, centred[-1:].repeat(self.context, 0)])
        frames = np.arange(0, len(mfcc), 3)
        logits = self._layer_output(len(self.layers) - 1, frames, padded)
        logits -= logits.max(1, keepdims=True)
        log = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        return np.asarray(log - np.log(self.priors))

    def _layer_output(self, number: int, frames: NDArray[np.intp], padded: Matrix) -> Matrix:
        """The output of a layer at these frames, which may lie before the start of the input."""
        offsets, weights, bias = self.layers[number]
        needed = [frames + offset for offset in offsets]
        if number == 0:
            inputs = [padded[np.clip(indices + self.context, 0, len(padded) - 1)] for indices in needed]
        else:
            distinct = np.unique(np.concatenate(needed))
            below = np.maximum(self._layer_output(number - 1, distinct, padded), 0)
            inputs = [below[np.searchsorted(distinct, indices)] for indices in needed]
        return np.concatenate(inputs, 1) @ weights.T + bias


def running_mean(mfcc: Matrix, mean: Matrix) -> Matrix:
    """The running mean of libvosk: Kaldi's OnlineCmvn, but a quiet frame gets the window of the last loud frame."""
    means, held = np.empty_like(mfcc), mean
    for frame in range(len(mfcc)):
        if mfcc[frame, 0] > QUIET:
            window = mfcc[max(0, frame + 1 - WINDOW) : frame + 1]
            missing = WINDOW - len(window)
            added = min(GLOBAL, missing)
            held = (window.sum(0) + missing * mean) / WINDOW
            means[frame] = (window.sum(0) + added * mean) / (len(window) + added)
        else:
            means[frame] = held
    return means


def read_acoustic_model(folder: Path) -> AcousticModel:
    """The acoustic model in am/ of a model folder."""
    content = (folder / "am" / "final.mdl").read_bytes()
    start = content.index(b"<Nnet3>")
    lines = content[start : content.index(b"\n\n", start)].decode()
    descriptors = re.findall(r"name=tdnn\d+\.affine .*input=(.+)", lines)
    offsets = [
        tuple(int(n or 0) for n in re.findall(r"(?:Offset\(\S+, (-?\d+)\)|\b[a-z]\S*\b)", descriptor))
        for descriptor in descriptors
    ]
    weights = [
        (matrix if match[1] == b"FM" else compressed_matrix)(content, match.end())
        for match in re.finditer(rb"<LinearParams> (FM|CM2) ", content)
    ]
    biases = [vector(content, match.end()) for match in re.finditer(rb"<BiasParams> FV ", content)]
    priors = vector(content, content.rindex(b"<Priors> FV ") + len("<Priors> FV "))
    stats = (folder / "am" / "global_cmvn.stats").read_bytes()
    columns = struct.unpack_from("<i", stats, 11)[0]
    sums = np.frombuffer(stats, "<f8", columns, 15)
    return AcousticModel(tuple(zip(offsets, weights, biases, strict=True)), priors, sums[:-1] / sums[-1])


def matrix(content: bytes, start: int) -> Matrix:
    rows, columns = struct.unpack_from("<xixi", content, start)
    return np.frombuffer(content, "<f4", rows * columns, start + 10).reshape(rows, columns).astype(np.float64)


def compressed_matrix(content: bytes, start: int) -> Matrix:
    minimum, span, rows, columns = struct.unpack_from("<ffii", content, start)
    levels = np.frombuffer(content, "<u2", rows * columns, start + 16).reshape(rows, columns).astype(np.float32)
    return (np.float32(minimum) + levels * np.float32(span / 65_535)).astype(np.float64)


def vector(content: bytes, start: int) -> Matrix:
    (size,) = struct.unpack_from("<xi", content, start)
    return np.frombuffer(content, "<f4", size, start + 5).astype(np.float64)
