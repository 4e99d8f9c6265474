"""Kaldi's binary formats that libvosk reads: the acoustic model and the global mean of the features.

Sources of the formats, in Kaldi's repository: util/kaldi-io.h and base/io-funcs.h (basic types), matrix/kaldi-vector.cc
with kaldi-matrix.cc and compressed-matrix.cc, hmm/hmm-topology.cc, hmm/transition-model.cc, nnet3/nnet-nnet.cc,
nnet-simple-component.cc, nnet-component-itf.cc and am-nnet-simple.cc.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.build.phones import LOOP_PROBABILITY, pdfs

BINARY: Final = b"\0B"
"""First two bytes of every binary file of Kaldi (kaldi-io.h, InitKaldiOutputStream)."""


@dataclass(frozen=True, slots=True)
class Affine:
    """One layer: the offsets of its input frames, its weights and its bias."""

    offsets: tuple[int, ...]
    """Frames of 10 ms relative to the output, in the order of the blocks of columns in the weights."""
    weights: NDArray[np.float64]
    """Outputs x (offsets x inputs)."""
    bias: NDArray[np.float64]


class Writer:
    """Writes Kaldi's basic types in binary (base/io-funcs.h)."""

    def __init__(self) -> None:
        self.out = io.BytesIO()

    def raw(self, content: bytes) -> None:
        self.out.write(content)

    def token(self, *tokens: str) -> None:
        self.raw(b"".join(token.encode() + b" " for token in tokens))

    def int32(self, *values: int) -> None:
        for value in values:
            self.raw(b"\4" + struct.pack("<i", value))

    def float32(self, *values: float) -> None:
        for value in values:
            self.raw(b"\4" + struct.pack("<f", value))

    def float64(self, value: float) -> None:
        self.raw(b"\x08" + struct.pack("<d", value))

    def boolean(self, *, value: bool) -> None:
        self.raw(b"T" if value else b"F")

    def int32_vector(self, values: Sequence[int]) -> None:
        """A std::vector<int32> (io-funcs-inl.h, WriteIntegerVector)."""
        self.raw(b"\4" + struct.pack(f"<{len(values) + 1}i", len(values), *values))

    def vector(self, values: ArrayLike) -> None:
        row = np.asarray(values, "<f4")
        self.raw(b"FV \4" + struct.pack("<i", row.size) + row.tobytes())

    def matrix(self, values: ArrayLike) -> None:
        rows = np.ascontiguousarray(values, "<f4")
        height, width = rows.shape
        self.raw(b"FM \4" + struct.pack("<i", height) + b"\4" + struct.pack("<i", width) + rows.tobytes())

    def compressed_matrix(self, values: ArrayLike) -> None:
        """A matrix with 16 bits per value (compressed-matrix.cc), read like any matrix (kaldi-matrix.cc, Read)."""
        minimum, span, levels = quantise(values)
        self.raw(b"CM2 " + struct.pack("<ffii", minimum, span, *levels.shape) + levels.tobytes())

    def content(self) -> bytes:
        return self.out.getvalue()


def quantise(values: ArrayLike) -> tuple[np.float32, np.float32, NDArray[np.uint16]]:
    """The minimum of a matrix, the span of its values, and each value in 65 535ths of the span above the minimum."""
    rows = np.asarray(values, np.float64)
    minimum, span = np.float32(rows.min()), np.float32(np.ptp(rows))
    levels = np.rint((rows - float(minimum)) / (float(span) or 1) * 65_535).clip(0, 65_535)
    return minimum, span, levels.astype("<u2")


def round_to_16_bits(values: ArrayLike) -> NDArray[np.float64]:
    """The values that Kaldi reads from a compressed matrix, with its rounding to 32 bits (compressed-matrix.cc)."""
    minimum, span, levels = quantise(values)
    return (minimum + levels.astype(np.float32) * np.float32(span / 65_535)).astype(np.float64)


def acoustic_model(layers: Sequence[Affine], priors: NDArray[np.float64]) -> bytes:
    """The content of am/final.mdl: transitions of one-state phones, the network, and the priors of its outputs.

    The last layer is followed by a log-softmax, all others by ReLU.
    """
    out = Writer()
    out.raw(BINARY)
    _transitions(out, pdfs())
    _network(out, layers)
    out.token("<LeftContext>")
    out.int32(0)
    out.token("<RightContext>")
    out.int32(0)  # both are computed again when the file is read (am-nnet-simple.cc, SetContext)
    out.token("<Priors>")
    out.vector(priors)
    return out.content()


def _transitions(out: Writer, pdf_of: Sequence[int]) -> None:
    """hmm-topology.cc and transition-model.cc, Write: each phone has one state with a loop; both arcs have one pdf."""
    count = len(pdf_of)
    out.token("<TransitionModel>", "<Topology>")
    out.int32_vector(range(1, count + 1))
    out.int32_vector([-1] + [0] * count)
    out.int32(1, 2)  # topologies; states of the first
    out.int32(0, 2)  # state 0: pdf class, number of arcs
    out.int32(0)
    out.float32(LOOP_PROBABILITY)
    out.int32(1)
    out.float32(1 - LOOP_PROBABILITY)
    out.int32(-1, 0)  # state 1 is final: no pdf class, no arcs
    out.token("</Topology>", "<Triples>")
    out.int32(count)
    for phone, pdf in enumerate(pdf_of, start=1):
        out.int32(phone, 0, pdf)
    out.token("</Triples>", "<LogProbs>")
    out.vector([0.0] + [np.log(LOOP_PROBABILITY), np.log(1 - LOOP_PROBABILITY)] * count)
    out.token("</LogProbs>", "</TransitionModel>")


def _network(out: Writer, layers: Sequence[Affine]) -> None:
    """nnet-nnet.cc, Write: the connections as lines of text, then the components.

    Weights have 16 bits, except those of the first layer: they are few and are multiplied by large numbers.
    """
    inputs = layers[0].weights.shape[1] // len(layers[0].offsets)
    lines, components, previous = [f"input-node name=input dim={inputs}"], [], "input"
    for number, layer in enumerate(layers, start=1):
        name = f"tdnn{number}"
        activation = f"{name}.{'logsoftmax' if number == len(layers) else 'relu'}"
        spliced = splice_descriptor(previous, layer.offsets)
        lines.append(f"component-node name={name}.affine component={name}.affine input={spliced}")
        lines.append(f"component-node name={activation} component={activation} input={name}.affine")
        components += [(f"{name}.affine", layer), (activation, layer)]
        previous = activation
    lines.append(f"output-node name=output input={previous} objective=linear")
    out.token("<Nnet3>")
    out.raw(("\n" + "\n".join(lines) + "\n\n").encode())
    out.token("<NumComponents>")
    out.int32(len(components))
    for name, layer in components:
        out.token("<ComponentName>", name)
        if name.endswith(".affine"):
            write_affine(out, layer, compressed=name != components[0][0])
        else:
            kind = "LogSoftmaxComponent" if name.endswith("softmax") else "RectifiedLinearComponent"
            write_nonlinear(out, kind, len(layer.bias))
    out.token("</Nnet3>")


def splice_descriptor(node: str, offsets: Sequence[int]) -> str:
    """A descriptor (nnet-descriptor.h) that concatenates the output of a node at several frame offsets."""
    parts = [f"Offset({node}, {offset})" if offset else node for offset in offsets]
    return parts[0] if len(parts) == 1 else f"Append({', '.join(parts)})"


def write_affine(out: Writer, layer: Affine, *, compressed: bool) -> None:
    """nnet-simple-component.cc, AffineComponent::Write."""
    out.token("<AffineComponent>", "<LearningRate>")
    out.float32(0.001)
    out.token("<LinearParams>")
    (out.compressed_matrix if compressed else out.matrix)(layer.weights)
    out.token("<BiasParams>")
    out.vector(layer.bias)
    out.token("</AffineComponent>")


def write_nonlinear(out: Writer, kind: str, size: int) -> None:
    """nnet-component-itf.cc, NonlinearComponent::Write; the statistics of training are left empty."""
    out.token(f"<{kind}>", "<Dim>")
    out.int32(size)
    out.token("<ValueAvg>")
    out.vector([])
    out.token("<DerivAvg>")
    out.vector([])
    out.token("<Count>")
    out.float64(0)
    out.token("<OderivRms>")
    out.vector([])
    out.token("<OderivCount>")
    out.float64(0)
    for statistic in ("<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
        out.token(statistic)
        out.float64(0)
    out.token(f"</{kind}>")


def global_mean_stats(mean: NDArray[np.float64]) -> bytes:
    """The content of am/global_cmvn.stats, from the mean of the MFCC (40). The file enables libvosk's running mean.

    A double matrix of sums and of sums of squares, with the count in the last column (transform/cmvn.h). libvosk uses
    the mean only; the squares just have to be valid.
    """
    count = 1000.0
    sums = np.zeros((2, mean.size + 1))
    sums[0, :-1], sums[1, :-1], sums[0, -1] = mean * count, (mean * mean + 100) * count, count
    rows, columns = sums.shape
    size = b"\4" + struct.pack("<i", rows) + b"\4" + struct.pack("<i", columns)
    return BINARY + b"DM " + size + sums.astype("<f8").tobytes()
