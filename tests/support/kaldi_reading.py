"""Reads a Kaldi acoustic model that models/build wrote, and evaluates it in numpy, independently of the build."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
WINDOW, GLOBAL = 600, 200
"""Frames of the running mean, and the weight of the global mean at the start."""
QUIET = 50.0
"""First cepstral coefficient up to which a frame is quiet."""


Component = Callable[[Matrix], Matrix]
GRID = 3
"""Frames from one output to the next; all offsets except those of the input are multiples of it."""


@dataclass(frozen=True)
class AcousticModel:
    """The nodes of the network by name, in order, each with its descriptor and component; the priors; the mean MFCC."""

    nodes: tuple[tuple[str, str, Component], ...]
    priors: Matrix
    mean: Matrix

    @property
    def context(self) -> int:
        """More input frames on each side of an output frame than the network reads."""
        return sum(
            max(map(abs, map(int, re.findall(r", (-?\d+)\)", source))), default=0) for _, source, _ in self.nodes
        )

    def log_likelihoods(self, mfcc: NDArray[np.float32]) -> Matrix:
        """Frames x 40 from the start of a stream -> frames / 3 x units: log-probability minus log-prior."""
        centred = mfcc - running_mean(mfcc.astype(np.float64), self.mean)
        margin = 2 * (self.context // GRID + 1)
        count = -(-len(mfcc) // GRID)
        frames = GRID * np.arange(-margin, count + margin)

        def at_input(offset: int) -> Matrix:
            return np.asarray(centred[np.clip(frames + offset, 0, len(mfcc) - 1)])

        outputs: dict[str, Matrix] = {}
        for name, source, component in self.nodes:
            outputs[name] = component(evaluate(source, outputs, at_input))
        log = outputs[self.nodes[-1][0]][margin : margin + count]
        return np.asarray(log - np.log(self.priors))


def evaluate(descriptor: str, outputs: dict[str, Matrix], at_input: Callable[[int], Matrix], offset: int = 0) -> Matrix:
    """A descriptor (nnet-descriptor.h) on the grid of output frames; values at the ends of the grid are not valid."""
    kind, _, inner = descriptor.partition("(")
    if not inner:
        return at_input(offset) if kind == "input" else np.roll(outputs[kind], -offset // GRID, 0)
    first, *others = arguments(inner.removesuffix(")"))
    if kind == "Offset":
        return evaluate(first, outputs, at_input, offset + int(others[0]))
    if kind == "Scale":
        return float(first) * evaluate(others[0], outputs, at_input, offset)
    values = [evaluate(part, outputs, at_input, offset) for part in (first, *others)]
    return np.concatenate(values, 1) if kind == "Append" else np.asarray(sum(values))


def arguments(text: str) -> list[str]:
    """The arguments of a descriptor, which may have arguments themselves."""
    parts, depth = [""], 0
    for character in text.replace(" ", ""):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def relu(x: Matrix) -> Matrix:
    return np.maximum(x, 0)


def log_softmax(x: Matrix) -> Matrix:
    shifted = x - x.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))


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
    sources = re.findall(r"component-node name=(\S+) component=\S+ input=(.+)", lines)
    names = [re.escape(name.encode()) for name, _ in sources]
    starts = [re.search(rb"<ComponentName> " + name + rb" ", content) for name in names]
    nodes = tuple(
        (name, source, read_component(content, found.end()))
        for (name, source), found in zip(sources, starts, strict=True)
        if found
    )
    priors = vector(content, content.rindex(b"<Priors> FV ") + len("<Priors> FV "))
    stats = (folder / "am" / "global_cmvn.stats").read_bytes()
    columns = struct.unpack_from("<i", stats, 11)[0]
    sums = np.frombuffer(stats, "<f8", columns, 15)
    return AcousticModel(nodes, priors, sums[:-1] / sums[-1])


def read_component(content: bytes, start: int) -> Component:
    """What a component of the network computes."""
    kind = content[start + 1 : content.index(b"> ", start)].decode()
    if kind != "AffineComponent":
        return {"RectifiedLinearComponent": relu, "LogSoftmaxComponent": log_softmax, "NoOpComponent": np.asarray}[kind]
    params = re.compile(rb"<LinearParams> (FM|CM2) ").search(content, start)
    assert params
    weights = (matrix if params[1] == b"FM" else compressed_matrix)(content, params.end())
    bias = vector(content, content.index(b"<BiasParams> FV ", start) + len("<BiasParams> FV "))
    return lambda x: np.asarray(x @ weights.T + bias)


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
