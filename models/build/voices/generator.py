"""The generator of Kokoro-82M: from features and a harmonic source to sound, in 8-bit integers (iSTFTNet, Kaneko 2022).

Its convolutions are those of the ONNX export, integer for integer, computed by oneDNN's kernels for AVX-512 VNNI, which
onnxruntime does not use for convolutions. Time is cut into blocks that stay in the cache. Each block has a scale of its
own, so rounding is finer than in the export, which has one scale for a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.build.voices.network import BLOCKS, GENERATOR, ROUNDS

BLOCK_FRAMES: Final = {128: 960, 256: 480}
"""Frames that are computed at once, by the number of channels: an activation of half a megabyte, half of the cache."""
DILATIONS: Final = (1, 3, 5)
"""Of the first convolution of each pair; the second has none."""
STRIDES: Final = (10, 6)
"""Factors of the two upsamplings, from 80 to 4 800 frames a second."""
FFT: Final = 20
HOP: Final = 5
"""Samples of the windows from which sound is put together, and between them."""
SLOPES: Final = (0.1, 0.1, 0.01)
"""Of the leaky rectifiers before the upsamplings and before the last convolution."""
EPSILON: Final = 1e-5


class Moments(NamedTuple):
    """Mean and variance of each channel over time."""

    mean: Tensor
    variance: Tensor


def moments(x: Tensor) -> Moments:
    """The moments of frames x channels."""
    mean = x.mean(0)
    return Moments(mean, (x * x).mean(0) - mean * mean)


@dataclass(frozen=True, slots=True)
class Quantised:
    """An activation in 8 bits: (value - zero) * scale."""

    values: Tensor
    scale: float
    zero: int


class Layer:
    """Instance normalisation with a style, the activation x + sin²(αx)/α (Ziyin 2020), and a convolution."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], key: str, dilation: int) -> None:
        weight = torch.from_numpy(arrays[f"{key}.weight"])
        self.channels, _, size = weight.shape
        self.dilation, self.halo = dilation, (size - 1) * dilation
        self.block = BLOCK_FRAMES[self.channels]
        self.scales = torch.full((self.channels,), float(arrays[f"{key}.scale"]))
        self.zeros = torch.zeros(self.channels, dtype=torch.int32)
        self.bias = torch.from_numpy(arrays[f"{key}.bias"])
        self.alpha = torch.from_numpy(arrays[f"{key}.alpha"])
        self.style_weight = torch.from_numpy(arrays[f"{key}.style.weight"])
        self.style_bias = torch.from_numpy(arrays[f"{key}.style.bias"])
        shape = [1, self.channels, 1, self.block + self.halo]
        # The scale and zero point of the input that packing asks for are replaced in every call.
        self.packed = torch.ops.onednn.qconv_prepack(
            weight[:, :, None].contiguous(), self.scales, 1.0, 128, [1, 1], [0, 0], [1, dilation], 1, shape
        )

    def add(self, x: Tensor, frames: int, measured: Moments, style: Tensor, target: Tensor) -> Moments:
        """Adds the output for the first `frames` of `x` to `target`; returns the moments of the sums.

        Both are frames x channels with whole blocks of frames; those beyond `frames` mean nothing.
        """
        gain, offset = self._affine(measured, style)
        total, squares = torch.zeros(self.channels), torch.zeros(self.channels)
        padding = self.halo // 2
        scratch = torch.empty(2, self.block + self.halo, self.channels)
        for start in range(0, frames, self.block):
            first, last = max(0, start - padding), min(frames, start + self.block + padding)
            before = first - start + padding
            activated, waves = scratch[0, before : before + last - first], scratch[1, : last - first]
            self._activate(x[first:last], gain, offset, activated, waves)
            scratch[0, :before] = 0
            scratch[0, before + last - first :] = 0
            self._convolve(quantise(scratch[0]), target[start : start + self.block])
            made = target[start : min(frames, start + self.block)]
            total += made.sum(0)
            squares += (made * made).sum(0)
        mean = total / frames
        return Moments(mean, squares / frames - mean * mean)

    def _affine(self, measured: Moments, style: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and offset of each channel: normalisation and style together."""
        scale, shift = (style @ self.style_weight + self.style_bias).chunk(2)
        gain = (1 + scale) / torch.sqrt(measured.variance + EPSILON)
        return gain, shift - measured.mean * gain

    def _activate(self, x: Tensor, gain: Tensor, offset: Tensor, target: Tensor, waves: Tensor) -> None:
        """Y + sin²(αy)/α of y = gain * x + offset, written as y + 1/2α - cos(2αy)/2α."""
        half = 0.5 / self.alpha
        torch.addcmul(2 * self.alpha * offset, x, 2 * self.alpha * gain, out=waves)
        np.cos(waves.numpy(), out=waves.numpy())  # more than twice as fast as torch.cos
        torch.addcmul(offset + half, x, gain, out=target)
        target.addcmul_(waves, -half)

    def _convolve(self, x: Quantised, target: Tensor) -> None:
        torch.ops.onednn.qconv2d_pointwise.binary(
            _as_image(x.values), x.scale, x.zero, self.packed, self.scales, self.zeros, _as_image(target), self.bias,
            [1, 1], [0, 0], [1, self.dilation], 1, 1.0, 0, torch.float32, 1.0, 0, "sum", 1.0, "none", [], "",
        )  # fmt: skip


def _as_image(x: Tensor) -> Tensor:
    """Frames x channels as 1 x channels x 1 x frames, channels last; nothing is copied."""
    return x[None, None].permute(0, 3, 1, 2)


def quantise(x: Tensor) -> Quantised:
    """An activation in 8 bits; 0 remains exact, because it pads the convolutions."""
    low, high = (float(value) for value in torch.aminmax(x))
    low, high = min(low, 0.0), max(high, 0.0)
    # 254 steps, so that the rounded zero moves no value out of 0-255; cutting off the fraction then rounds.
    scale = max((high - low) / 254, 1e-8)
    zero = round(-low / scale)
    values = torch.from_numpy((x.numpy() * np.float32(1 / scale) + np.float32(zero + 0.5)).astype(np.uint8))
    return Quantised(values, scale, zero)


class Block:
    """A residual block: three times two layers, whose output is added to their input."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], name: str) -> None:
        dilations = [dilation for first in DILATIONS for dilation in (first, 1)]
        self.layers = [Layer(arrays, f"{name}.{index}", dilation) for index, dilation in enumerate(dilations)]

    def __call__(self, x: Tensor, measured: Moments, style: Tensor) -> Tensor:
        """The block applied to frames x channels with these moments."""
        frames, channels = x.shape
        whole = -(-frames // self.layers[0].block) * self.layers[0].block
        result = torch.empty(whole, channels)
        result[:frames] = x
        for index in range(ROUNDS):
            hidden = torch.zeros(whole, channels)
            inner = self.layers[2 * index].add(result, frames, measured, style, hidden)
            measured = self.layers[2 * index + 1].add(hidden, frames, inner, style, result)
        return result[:frames]


class Generator:
    """The generator, with weights that network.py wrote. Uses one thread if PyTorch does."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / GENERATOR) as arrays:
            weights = dict(arrays)
        self.blocks = {name: Block(weights, name) for name in BLOCKS}
        self.weights = {name: torch.from_numpy(array) for name, array in weights.items() if name.count(".") <= 2}
        self.window = torch.hann_window(FFT)
        self.up = [self.weights[f"up.{index}.weight"].permute(0, 2, 1).flatten(1) for index in range(len(STRIDES))]
        self.up = [weight.to(torch.bfloat16).contiguous() for weight in self.up]

    @torch.no_grad()
    def __call__(
        self, features: NDArray[np.float32], source: NDArray[np.float32], style: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Sound at 24 kHz from features (1 x 512 x frames), the source (1 x samples) and the style (128)."""
        x, voice = torch.from_numpy(features)[0].T, torch.from_numpy(style)
        harmonics = self._harmonics(torch.from_numpy(source))
        for index, stride in enumerate(STRIDES):
            x = self._upsample(functional.leaky_relu(x, SLOPES[index]), index, stride)
            if index == len(STRIDES) - 1:
                x = torch.cat([x[1:2], x])
            x = x + self._source(harmonics, index, voice)
            measured = moments(x)
            x = sum(self.blocks[f"resblocks.{3 * index + kernel}"](x, measured, voice) for kernel in range(3)) / 3
        x = functional.leaky_relu(x, SLOPES[-1]).T[None]
        x = functional.conv1d(x, self.weights["post.weight"], self.weights["post.bias"], padding=3)
        magnitude, phase = torch.exp(x[:, : FFT // 2 + 1]), torch.sin(x[:, FFT // 2 + 1 :])
        return torch.istft(torch.polar(magnitude, phase), FFT, HOP, FFT, self.window)[0].numpy()

    def _harmonics(self, source: Tensor) -> Tensor:
        """Magnitude and phase of the source: 1 x 22 x frames."""
        spectrum = torch.stft(source, FFT, HOP, FFT, self.window, center=True, pad_mode="constant", return_complex=True)
        return torch.cat([spectrum.abs(), spectrum.angle()], 1)

    def _source(self, harmonics: Tensor, index: int, style: Tensor) -> Tensor:
        """What the source contributes at one rate: frames x channels."""
        stride = int(np.prod(STRIDES[index + 1 :]))
        weight, bias = self.weights[f"source.{index}.weight"], self.weights[f"source.{index}.bias"]
        x = functional.conv1d(harmonics, weight, bias, stride=stride, padding=(weight.shape[2] - stride + 1) // 2)[0].T
        x = x.contiguous()
        return self.blocks[f"noise_res.{index}"](x, moments(x), style)

    def _upsample(self, x: Tensor, index: int, stride: int) -> Tensor:
        """A transposed convolution whose kernel is twice its stride: one product, and a sum of two shifted halves."""
        bias = self.weights[f"up.{index}.bias"]
        halves = (x.to(torch.bfloat16) @ self.up[index]).float().view(len(x), 2, stride, len(bias))
        frames = torch.zeros(len(x) + 1, stride, len(bias))
        frames[:-1] += halves[:, 0]
        frames[1:] += halves[:, 1]
        return frames.view(-1, len(bias))[stride // 2 : stride // 2 + len(x) * stride] + bias
