"""The generator of Kokoro-82M in 8-bit integers computes what its formulas say in floating point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="models/build/requirements.txt is not installed")

from models.build.voices.generator import Block, Layer, moments, quantise  # noqa: E402 - needs PyTorch

CHANNELS = 128
STYLE = 16
FRAMES = 2_300
"""More than two blocks of frames, and not a whole number of them."""


def layer_arrays(rng: np.random.Generator, key: str, size: int) -> dict[str, Any]:
    return {
        f"{key}.weight": rng.integers(-60, 60, (CHANNELS, CHANNELS, size)).astype(np.int8),
        f"{key}.scale": np.float32(0.001),
        f"{key}.bias": rng.normal(size=CHANNELS).astype(np.float32),
        f"{key}.alpha": rng.uniform(0.3, 1.4, CHANNELS).astype(np.float32),
        f"{key}.style.weight": (0.1 * rng.normal(size=(STYLE, 2 * CHANNELS))).astype(np.float32),
        f"{key}.style.bias": (0.1 * rng.normal(size=2 * CHANNELS)).astype(np.float32),
    }


def expected(arrays: dict[str, Any], key: str, x: Any, style: Any, dilation: int) -> Any:
    """The layer as Kokoro-82M defines it."""
    scale, shift = (
        style @ torch.from_numpy(arrays[f"{key}.style.weight"]) + torch.from_numpy(arrays[f"{key}.style.bias"])
    ).chunk(2)
    y = (1 + scale) * (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5) + shift
    alpha = torch.from_numpy(arrays[f"{key}.alpha"])
    y = y + torch.sin(alpha * y) ** 2 / alpha
    weight = torch.from_numpy(arrays[f"{key}.weight"]).float() * float(arrays[f"{key}.scale"])
    bias, padding = torch.from_numpy(arrays[f"{key}.bias"]), (weight.shape[2] - 1) * dilation // 2
    return torch.nn.functional.conv1d(y.T[None], weight, bias, dilation=dilation, padding=padding)[0].T


@pytest.mark.parametrize(("size", "dilation"), [(3, 1), (7, 3), (11, 5)])
def test_a_layer_is_right_to_the_rounding_of_eight_bits(size: int, dilation: int) -> None:
    rng = np.random.default_rng(size)
    arrays = layer_arrays(rng, "a.0", size)
    x = torch.from_numpy(rng.normal(2, 3, (FRAMES, CHANNELS)).astype(np.float32))
    style = torch.from_numpy(rng.normal(size=STYLE).astype(np.float32))
    layer = Layer(arrays, "a.0", dilation)
    target = torch.zeros(-(-FRAMES // layer.block) * layer.block, CHANNELS)
    found = layer.add(x, FRAMES, moments(x), style, target)
    right = expected(arrays, "a.0", x, style, dilation)
    error = (target[:FRAMES] - right).abs()
    assert float(error.mean()) < 0.02 * float(right.std())
    assert float(error[:40].mean()) < 0.02 * float(right.std()), "zeros pad the start"
    assert torch.allclose(found.mean, target[:FRAMES].mean(0), atol=1e-3)
    assert torch.allclose(found.variance, target[:FRAMES].var(0, unbiased=False), rtol=1e-3)


def test_a_block_adds_three_pairs_of_layers_to_its_input() -> None:
    rng = np.random.default_rng(1)
    arrays: dict[str, Any] = {}
    for index in range(6):
        arrays |= layer_arrays(rng, f"b.{index}", 3)
    x = torch.from_numpy(rng.normal(size=(FRAMES, CHANNELS)).astype(np.float32))
    style = torch.from_numpy(rng.normal(size=STYLE).astype(np.float32))
    right = x
    for index, dilation in enumerate((1, 3, 5)):
        hidden = expected(arrays, f"b.{2 * index}", right, style, dilation)
        right = right + expected(arrays, f"b.{2 * index + 1}", hidden, style, 1)
    made = Block(arrays, "b")(x, moments(x), style)
    assert float((made - right).abs().mean()) < 0.03 * float(right.std())


@pytest.mark.parametrize(("low", "high"), [(-1.0, 3.0), (0.5, 9.0), (-4.0, -0.2), (0.0, 0.0), (-1e-3, 200.0)])
def test_eight_bits_hold_every_value_to_half_a_step_and_zero_exactly(low: float, high: float) -> None:
    x = torch.linspace(low, high, 4_000)[:, None]
    made = quantise(x)
    values = (made.values.float() - made.zero) * made.scale
    assert float((values - x).abs().max()) <= 0.51 * made.scale + 1e-6
    assert 0 <= made.zero <= 255
