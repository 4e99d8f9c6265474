"""Splits the network of Kokoro-82M: an ONNX file up to the generator, and the weights of the generator.

The generator computes sound from what the rest of the network returns. It takes nine tenths of the time, so it is
computed by generator.py, with the same integers; onnxruntime computes the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

FRONT: Final = "front.onnx"
GENERATOR: Final = "generator.npz"
BLOCKS: Final = (*(f"noise_res.{index}" for index in range(2)), *(f"resblocks.{index}" for index in range(6)))
"""The residual blocks: two for the harmonic source, and three at each of two rates."""
ROUNDS: Final = 3
"""Pairs of convolutions in a block."""
NODES: Final = "/decoder/decoder/generator/"
WEIGHTS: Final = "decoder.decoder.generator."
INPUTS: Final = ("tokens", "style", "speed")
FEATURES: Final = "/decoder/decoder/decode.3/Div_4_output_0"
SOURCE: Final = f"{NODES}Squeeze_output_0"
DURATIONS: Final = "/encoder/Clip_output_0"
OUTPUTS: Final = (FEATURES, SOURCE, DURATIONS)
"""1 x 512 x frames; the harmonic source, 1 x samples; and the duration of each phoneme in frames of 25 ms."""
UPSAMPLING: Final = ("Mul_output_0", "Mul_1_output_0")
"""Weights of the transposed convolutions, which the export stores under these names."""
POST: Final = "Mul_2_output_0"

Arrays = dict[str, NDArray[Any]]


def split_network(content: bytes, folder: Path) -> None:
    """Writes FRONT and GENERATOR into a folder, from the whole network as ONNX."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load_from_string(content)
    onnx.save(Extractor(model).extract_model(list(INPUTS), list(OUTPUTS)), str(folder / FRONT))
    write_arrays(folder / GENERATOR, Graph(model.graph).generator())


def write_arrays(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays by name, as np.load reads them."""
    np.savez(file, **cast("dict[str, Any]", arrays))


class Graph:
    """Reads constants of an ONNX graph by the names of its nodes."""

    def __init__(self, graph: Any) -> None:  # noqa: ANN401 - onnx has no types
        self.constants = {constant.name: constant for constant in graph.initializer}
        self.nodes = {node.name: node for node in graph.node}

    def array(self, name: str) -> NDArray[Any]:
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self.constants[name]))

    def generator(self) -> Arrays:
        """All weights of the generator, by short names. Weights of convolutions in the blocks are int8."""
        arrays = {f"up.{index}.weight": self.array(NODES + name) for index, name in enumerate(UPSAMPLING)}
        for index in range(len(UPSAMPLING)):
            arrays[f"up.{index}.bias"] = self.array(f"{WEIGHTS}ups.{index}.bias")
            arrays[f"source.{index}.weight"] = self.dequantised(f"noise_convs.{index}")
            arrays[f"source.{index}.bias"] = self.array(f"{WEIGHTS}noise_convs.{index}.bias")
        arrays |= {"post.weight": self.array(NODES + POST), "post.bias": self.array(f"{WEIGHTS}conv_post.bias")}
        for block in BLOCKS:
            for index in range(ROUNDS):
                for half in (1, 2):
                    arrays |= dict(self.layer(block, half, index))
        return arrays

    def layer(self, block: str, half: int, index: int) -> Iterator[tuple[str, NDArray[Any]]]:
        """The weights of one convolution of a block, and of the normalisation and activation before it."""
        key = f"{block}.{2 * index + half - 1}"
        convolution, style = f"{block}.convs{half}.{index}", f"{block}.adain{half}.{index}.fc"
        weights, scale = self.quantised(
            f"{block}/convs{half}.{index}/Conv_quant", f"{WEIGHTS}{convolution}.bias_scale_node"
        )
        yield f"{key}.weight", weights.astype(np.int8)
        yield f"{key}.scale", scale
        yield f"{key}.bias", self.array(f"{WEIGHTS}{convolution}.bias")
        node = f"{block}/adain{half}.{index}/fc/Gemm_MatMul_quant"
        weights, scale = self.quantised(node, f"{NODES}{node}_scales_mul")
        yield f"{key}.style.weight", weights.astype(np.float32) * scale
        yield f"{key}.style.bias", self.array(f"{WEIGHTS}{style}.bias")
        yield f"{key}.alpha", self.array(f"{WEIGHTS}{block}.alpha{half}.{index}").reshape(-1)

    def quantised(self, node: str, scale_node: str) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        """The integer weights of a node without their zero point, and their scale: a constant of `scale_node`."""
        _, weights, _, zero = self.nodes[NODES + node].input
        scale = next(name for name in self.nodes[scale_node].input if name in self.constants)
        return self.array(weights).astype(np.int16) - self.array(zero).astype(np.int16), self.array(scale)

    def dequantised(self, convolution: str) -> NDArray[np.float32]:
        """The weights of a convolution as float32."""
        weights, scale = self.quantised(f"{convolution}/Conv_quant", f"{WEIGHTS}{convolution}.bias_scale_node")
        return weights.astype(np.float32) * scale
