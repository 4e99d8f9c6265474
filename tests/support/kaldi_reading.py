"""Reads a Kaldi acoustic model as models/build writes it, and computes with it in plain numpy: a second opinion."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
WINDOW, GLOBAL, QUIET = 600, 200, 50.0


@dataclass(frozen=True)
class Acoustic:
    """The layers with their input frames, the priors, and the global mean of the MFCC."""

    layers: tuple[tuple[tuple[int, ...], Matrix, Matrix], ...]
    priors: Matrix
    mean: Matrix

    @property
    def context(self) -> int:
        return sum(offsets[-1] for offsets, _, _ in self.layers)

    def log_likelihoods(self, mfcc: NDArray[np.float32]) -> Matrix:
        """Frames x 40 of a stream from its start -> frames / 3 x units: log-probability less log-prior."""
        centred = mfcc - running_mean(mfcc.astype(np.float64), self.mean)
        padded = np.concatenate([centred[:1].repeat(self.context, 0), centred, centred[-1:].repeat(self.context, 0)])
        outputs = np.arange(0, len(mfcc), 3)
        found = self._at(len(self.layers) - 1, outputs, padded, {})
        found -= found.max(1, keepdims=True)
        log = found - np.log(np.exp(found).sum(1, keepdims=True))
        return np.asarray(log - np.log(self.priors))

    def _at(self, number: int, frames: NDArray[np.intp], padded: Matrix, known: dict[int, Matrix]) -> Matrix:
        """The output of a layer at some frames (the input's, which may lie before its start)."""
        offsets, weights, bias = self.layers[number]
        wanted = [frames + offset for offset in offsets]
        if number == 0:
            seen = [padded[np.clip(at + self.context, 0, len(padded) - 1)] for at in wanted]
        else:
            every = np.unique(np.concatenate(wanted))
            below = np.maximum(self._at(number - 1, every, padded, known), 0)
            seen = [below[np.searchsorted(every, at)] for at in wanted]
        return np.concatenate(seen, 1) @ weights.T + bias


def running_mean(mfcc: Matrix, mean: Matrix) -> Matrix:
    """The running mean of libvosk: Kaldi's OnlineCmvn, but a quiet frame is given the window of the last loud one."""
    found, held = np.empty_like(mfcc), mean
    for frame in range(len(mfcc)):
        if mfcc[frame, 0] > QUIET:
            seen = mfcc[max(0, frame + 1 - WINDOW) : frame + 1]
            lacking = WINDOW - len(seen)
            helped = min(GLOBAL, lacking)
            held = (seen.sum(0) + lacking * mean) / WINDOW
            found[frame] = (seen.sum(0) + helped * mean) / (len(seen) + helped)
        else:
            found[frame] = held
    return found


def read_acoustic(folder: Path) -> Acoustic:
    """The am/ of a model folder."""
    content = (folder / "am" / "final.mdl").read_bytes()
    at = content.index(b"<Nnet3>")
    wiring = content[at : content.index(b"\n\n", at)].decode()
    inputs = re.findall(r"name=tdnn\d+\.affine .*input=(.+)", wiring)
    offsets = [
        tuple(int(n or 0) for n in re.findall(r"(?:Offset\(\S+, (-?\d+)\)|\b[a-z]\S*\b)", one)) for one in inputs
    ]
    weights = [
        (matrix if found[1] == b"FM" else halved)(content, found.end())
        for found in re.finditer(rb"<LinearParams> (FM|CM2) ", content)
    ]
    biases = [vector(content, found.end()) for found in re.finditer(rb"<BiasParams> FV ", content)]
    priors = vector(content, content.rindex(b"<Priors> FV ") + len("<Priors> FV "))
    stats = (folder / "am" / "global_cmvn.stats").read_bytes()
    columns = struct.unpack_from("<i", stats, 11)[0]
    sums = np.frombuffer(stats, "<f8", columns, 15)
    return Acoustic(tuple(zip(offsets, weights, biases, strict=True)), priors, sums[:-1] / sums[-1])


def matrix(content: bytes, at: int) -> Matrix:
    rows, columns = struct.unpack_from("<xixi", content, at)
    return np.frombuffer(content, "<f4", rows * columns, at + 10).reshape(rows, columns).astype(np.float64)


def halved(content: bytes, at: int) -> Matrix:
    least, span, rows, columns = struct.unpack_from("<ffii", content, at)
    steps = np.frombuffer(content, "<u2", rows * columns, at + 16).reshape(rows, columns).astype(np.float32)
    return (np.float32(least) + steps * np.float32(span / 65_535)).astype(np.float64)


def vector(content: bytes, at: int) -> Matrix:
    (size,) = struct.unpack_from("<xi", content, at)
    return np.frombuffer(content, "<f4", size, at + 5).astype(np.float64)
