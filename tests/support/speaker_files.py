"""A small speaker model of random numbers, and its vector computed with numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.build.kaldi import Affine, round_to_16_bits
from models.build.speaker.format import CMN_WINDOW, VARIANCE_FLOOR, SpeakerFiles

FRAMES, POOLED, SIZE, PERIOD = 12, 16, 8, 3
OFFSETS = ((0, 1, 2, 3, 4), (0, 3, 6))
MFCC_SCALE = 0.02


def random_files(seed: int = 1) -> SpeakerFiles:
    """Two layers over frames, the second on every third one, and the layer of the vector."""
    rng = np.random.default_rng(seed)
    sizes = (40 * len(OFFSETS[0]), FRAMES * len(OFFSETS[1]))
    layers = [
        Affine(offsets, rng.normal(0, scale, (outputs, inputs)), rng.normal(0, 0.1, outputs))
        for offsets, inputs, outputs, scale in zip(OFFSETS, sizes, (FRAMES, POOLED), (MFCC_SCALE, 0.4), strict=True)
    ]
    layers.append(Affine((0,), rng.normal(0, 1, (SIZE, 2 * POOLED)), rng.normal(0, 1, SIZE)))
    return SpeakerFiles(layers, PERIOD, rng.normal(0, 1, SIZE), rng.normal(0, 1, (SIZE, SIZE)))


def expected_vector(files: SpeakerFiles, mfcc: NDArray[np.float32]) -> NDArray[np.float64]:
    """The vector of frames x 40 MFCC of speech."""
    x = without_window_mean(mfcc.astype(np.float64))
    first, second, last = files.layers
    starts = range(0, len(x) - first.offsets[-1], PERIOD)
    hidden = np.stack([np.concatenate([x[t + offset] for offset in first.offsets]) for t in starts])
    hidden = np.maximum(hidden @ first.weights.T + first.bias, 0)
    steps = [offset // PERIOD for offset in second.offsets]
    spliced = np.concatenate([hidden[step : len(hidden) - steps[-1] + step] for step in steps], 1)
    pooled = np.maximum(spliced @ round_to_16_bits(second.weights).T + second.bias, 0)
    deviation = np.sqrt(np.maximum(pooled.var(0), VARIANCE_FLOOR))
    vector = round_to_16_bits(last.weights) @ np.concatenate([pooled.mean(0), deviation]) + last.bias
    moved = files.transform @ (vector - files.mean)
    found: NDArray[np.float64] = moved / np.linalg.norm(moved) * len(moved) ** 0.5
    return found


def without_window_mean(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each frame minus the mean of the CMN_WINDOW frames around it; at the edges the window is moved."""
    means = []
    for t in range(len(frames)):
        start = max(0, min(t - CMN_WINDOW // 2, len(frames) - CMN_WINDOW))
        means.append(frames[start : start + CMN_WINDOW].mean(0))
    return np.asarray(frames - np.stack(means))
