"""Kaldi's binary files, as far as libvosk reads them: the acoustic model and the global mean of the features.

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
    """One layer: which input frames it sees, its weights and its bias."""

    offsets: tuple[int, ...]
    """Frames of 10 ms from the output's own, in the order of the weights' blocks of columns."""
    weights: NDArray[np.float64]
    """Outputs x (offsets x inputs)."""
    bias: NDArray[np.float64]


class Writer:
    """Kaldi's basic types in binary (base/io-funcs.h)."""

    def __init__(self) -> None:
        self.out = io.BytesIO()

    def raw(self, content: bytes) -> None:
        self.out.write(content)

    def token(self, *tokens: str) -> None:
        self.raw(b"".join(token.encode() + b" " for token in tokens))

    def whole(self, *values: int) -> None:
        for value in values:
            self.raw(b"\4" + struct.pack("<i", value))

    def single(self, *values: float) -> None:
        for value in values:
            self.raw(b"\4" + struct.pack("<f", value))

    def double(self, value: float) -> None:
        self.raw(b"\x08" + struct.pack("<d", value))

    def wholes(self, values: Sequence[int]) -> None:
        """A std::vector<int32> (io-funcs-inl.h, WriteIntegerVector)."""
        self.raw(b"\4" + struct.pack(f"<{len(values) + 1}i", len(values), *values))

    def vector(self, values: ArrayLike) -> None:
        row = np.asarray(values, "<f4")
        self.raw(b"FV \4" + struct.pack("<i", row.size) + row.tobytes())

    def matrix(self, values: ArrayLike) -> None:
        rows = np.ascontiguousarray(values, "<f4")
        height, width = rows.shape
        self.raw(b"FM \4" + struct.pack("<i", height) + b"\4" + struct.pack("<i", width) + rows.tobytes())

    def halved(self, values: ArrayLike) -> None:
        """A matrix in 16 bits (compressed-matrix.cc); whatever reads a matrix reads it (kaldi-matrix.cc, Read)."""
        least, span, steps = in_16_bits(values)
        self.raw(b"CM2 " + struct.pack("<ffii", least, span, *steps.shape) + steps.tobytes())

    def content(self) -> bytes:
        return self.out.getvalue()


def in_16_bits(values: ArrayLike) -> tuple[np.float32, np.float32, NDArray[np.uint16]]:
    """A matrix as its least value, how far the greatest is from it, and how many 65 535ths of that each value is."""
    rows = np.asarray(values, np.float64)
    least, span = np.float32(rows.min()), np.float32(np.ptp(rows))
    steps = np.rint((rows - float(least)) / (float(span) or 1) * 65_535).clip(0, 65_535)
    return least, span, steps.astype("<u2")


def kept_in_16_bits(values: ArrayLike) -> NDArray[np.float64]:
    """What is read back of a matrix that was written so, with the rounding of 32 bits (compressed-matrix.cc)."""
    least, span, steps = in_16_bits(values)
    return (least + steps.astype(np.float32) * np.float32(span / 65_535)).astype(np.float64)


def acoustic_model(layers: Sequence[Affine], priors: NDArray[np.float64]) -> bytes:
    """The content of am/final.mdl: transitions of one-state phones, the network, and the priors it is divided by.

    Each layer but the last is followed by ReLU, the last by a log-softmax.
    """
    out = Writer()
    out.raw(BINARY)
    _transitions(out, pdfs())
    _network(out, layers)
    out.token("<LeftContext>")
    out.whole(0)
    out.token("<RightContext>")
    out.whole(0)  # both are worked out again when the file is read (am-nnet-simple.cc, SetContext)
    out.token("<Priors>")
    out.vector(priors)
    return out.content()


def _transitions(out: Writer, pdf_of: Sequence[int]) -> None:
    """hmm-topology.cc and transition-model.cc, Write: every phone one state with a loop, both arcs of the same pdf."""
    count = len(pdf_of)
    out.token("<TransitionModel>", "<Topology>")
    out.wholes(range(1, count + 1))
    out.wholes([-1] + [0] * count)
    out.whole(1, 2)  # topologies; states of the first
    out.whole(0, 2)  # state 0: pdf class, number of arcs
    out.whole(0)
    out.single(LOOP_PROBABILITY)
    out.whole(1)
    out.single(1 - LOOP_PROBABILITY)
    out.whole(-1, 0)  # state 1 ends: no pdf class, no arcs
    out.token("</Topology>", "<Triples>")
    out.whole(count)
    for phone, pdf in enumerate(pdf_of, start=1):
        out.whole(phone, 0, pdf)
    out.token("</Triples>", "<LogProbs>")
    out.vector([0.0] + [np.log(LOOP_PROBABILITY), np.log(1 - LOOP_PROBABILITY)] * count)
    out.token("</LogProbs>", "</TransitionModel>")


def _network(out: Writer, layers: Sequence[Affine]) -> None:
    """nnet-nnet.cc, Write: the wiring as lines of text, then the components.

    Weights are in 16 bits, but for the first layer's, which are few and multiply large numbers.
    """
    inputs = layers[0].weights.shape[1] // len(layers[0].offsets)
    wiring, components, before = [f"input-node name=input dim={inputs}"], [], "input"
    for number, layer in enumerate(layers, start=1):
        name = f"tdnn{number}"
        after = f"{name}.{'logsoftmax' if number == len(layers) else 'relu'}"
        seen = spliced(before, layer.offsets)
        wiring.append(f"component-node name={name}.affine component={name}.affine input={seen}")
        wiring.append(f"component-node name={after} component={after} input={name}.affine")
        components += [(f"{name}.affine", layer), (after, layer)]
        before = after
    wiring.append(f"output-node name=output input={before} objective=linear")
    out.token("<Nnet3>")
    out.raw(("\n" + "\n".join(wiring) + "\n\n").encode())
    out.token("<NumComponents>")
    out.whole(len(components))
    for name, layer in components:
        out.token("<ComponentName>", name)
        if name.endswith(".affine"):
            _affine(out, layer, halved=name != components[0][0])
        else:
            kind = "LogSoftmaxComponent" if name.endswith("softmax") else "RectifiedLinearComponent"
            _nonlinear(out, kind, len(layer.bias))
    out.token("</Nnet3>")


def spliced(node: str, offsets: Sequence[int]) -> str:
    """A descriptor (nnet-descriptor.h) of a node's output at some frames, side by side."""
    parts = [f"Offset({node}, {offset})" if offset else node for offset in offsets]
    return parts[0] if len(parts) == 1 else f"Append({', '.join(parts)})"


def _affine(out: Writer, layer: Affine, *, halved: bool) -> None:
    """nnet-simple-component.cc, AffineComponent::Write."""
    out.token("<AffineComponent>", "<LearningRate>")
    out.single(0.001)
    out.token("<LinearParams>")
    (out.halved if halved else out.matrix)(layer.weights)
    out.token("<BiasParams>")
    out.vector(layer.bias)
    out.token("</AffineComponent>")


def _nonlinear(out: Writer, kind: str, size: int) -> None:
    """nnet-component-itf.cc, NonlinearComponent::Write; the statistics of training are left empty."""
    out.token(f"<{kind}>", "<Dim>")
    out.whole(size)
    out.token("<ValueAvg>")
    out.vector([])
    out.token("<DerivAvg>")
    out.vector([])
    out.token("<Count>")
    out.double(0)
    out.token("<OderivRms>")
    out.vector([])
    out.token("<OderivCount>")
    out.double(0)
    for statistic in ("<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
        out.token(statistic)
        out.double(0)
    out.token(f"</{kind}>")


def global_mean(mean: NDArray[np.float64]) -> bytes:
    """The content of am/global_cmvn.stats, which switches on libvosk's running mean: the mean of the MFCC (40).

    A double matrix of sums and of sums of squares, the count in the last column (transform/cmvn.h). libvosk takes the
    mean alone; the squares only have to be possible ones.
    """
    count = 1000.0
    sums = np.zeros((2, mean.size + 1))
    sums[0, :-1], sums[1, :-1], sums[0, -1] = mean * count, (mean * mean + 100) * count, count
    rows, columns = sums.shape
    size = b"\4" + struct.pack("<i", rows) + b"\4" + struct.pack("<i", columns)
    return BINARY + b"DM " + size + sums.astype("<f8").tobytes()
