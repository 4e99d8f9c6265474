"""Augmentation: other throats, rooms, microphones and noises, on log-mel features and in batches.

Vocal tract length by warping the mel axis (Jaitly and Hinton, Vocal tract length perturbation, 2013), channel by a
smooth curve over the bins, late reverberation by smearing energy over time (Polack's exponential decay, in each bin),
noise and other voices by adding energies at chance phases, and masks (Park et al., SpecAugment, 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.build.features import BINS, SILENT, log_mel

Batch = NDArray[np.float32]
"""Sessions x frames x 40, log-mel."""

MEL_LOW, MEL_HIGH = (float(1127 * np.log(1 + hertz / 700)) for hertz in (20.0, 7_600.0))
CENTRES: Final = 700 * (np.exp((MEL_LOW + (MEL_HIGH - MEL_LOW) * (np.arange(BINS) + 1) / (BINS + 1)) / 1127) - 1)
"""Hertz of each bin's middle (Kaldi, mel-computations.cc)."""
CURVES: Final = np.cos(np.pi / BINS * (np.arange(BINS) + 0.5)[None] * np.arange(1, 6)[:, None]).astype(np.float32)
"""Five slow cosines over the bins, of which every smooth spectrum is a sum."""
PHASES: Final = np.linspace(0.52, 0.22, BINS, dtype=np.float32)
"""Standard deviation of each bin's phase factor: the mean cosine of the angles between two sounds in it. A wider bin
averages more of them. As measured on AISHELL's sentences and ESC-10's noises."""
DECIBEL: Final = np.log(10) / 10
"""Log energy of one decibel."""


@dataclass(frozen=True, slots=True)
class Noises:
    """What is added to speech."""

    white: NDArray[np.float32]
    """Frames x 40 of white noise, brought to about 0."""
    recorded: tuple[NDArray[np.float32], ...]
    """Frames x 40 of recorded noises, each brought to about 0 at its loud end."""


def noises(recorded: tuple[NDArray[np.float32], ...], generator: np.random.Generator) -> Noises:
    """Two minutes of white noise, and recorded noises (frames x 40 log-mel) made equally loud."""
    white = log_mel(generator.normal(size=16_000 * 120).astype(np.float32)) - 9.0
    even = tuple(noise - np.float32(np.quantile(noise.max(1), 0.9)) for noise in recorded if len(noise))
    return Noises(white.astype(np.float32), even)


def augmented(batch: Batch, noise: Noises, generator: np.random.Generator) -> Batch:
    """The batch as other people in other rooms before other microphones."""
    changed = warped(batch, generator)
    changed = reverberated(changed, generator)
    level = np.quantile(changed[:, ::4].max(-1), 0.9, axis=1)
    gain = generator.uniform(-24, 8, len(batch)) * DECIBEL
    changed = changed + channels(len(batch), generator) + gain[:, None, None].astype(np.float32)
    level = level + gain
    background = np.full_like(changed, SILENT)
    for place in range(len(batch)):
        if generator.random() >= 0.1:  # the others keep exact zeros in their pauses
            background[place] = switched(noise_for(changed, level, place, noise, generator), generator)
    return np.maximum(added(changed, background, generator), SILENT)


def added(one: Batch, other: Batch, generator: np.random.Generator) -> Batch:
    """Two sounds at once: in each bin the sum of their energies, more or less by how their phases fall.

    Where both are about as loud that is two decibels up or down in the lowest bins (Deng, Droppo and Acero, Enhancement
    of log mel power spectra of speech using a phase-sensitive model of the acoustic environment, 2004).
    """
    both = np.logaddexp(one, other)
    factor = np.clip(generator.standard_normal(both.shape, np.float32) * PHASES, -0.95, 0.95) * (other > SILENT)
    return (both + np.log1p(2 * factor * np.exp((one + other) / 2 - both))).astype(np.float32)


def warped(batch: Batch, generator: np.random.Generator) -> Batch:
    matrices = [warp(np.exp(np.clip(generator.normal(0, 0.11), -0.26, 0.26))) for _ in batch]
    return np.matmul(batch, np.stack(matrices))


def warp(factor: float) -> NDArray[np.float32]:
    """40 x 40 matrix that moves the spectrum of a throat to that of one `factor` times as short."""
    edge = 5_200 * min(1.0, 1 / factor)
    moved = np.where(
        edge >= CENTRES, CENTRES * factor, 7_600 - (7_600 - edge * factor) * (7_600 - CENTRES) / (7_600 - edge)
    )
    at = (1127 * np.log(1 + np.maximum(moved, 0) / 700) - MEL_LOW) / (MEL_HIGH - MEL_LOW) * (BINS + 1) - 1
    at = np.clip(at, 0, BINS - 1.001)
    before = at.astype(int)
    matrix = np.zeros((BINS, BINS), np.float32)
    matrix[np.arange(BINS), before] = 1 - (at - before)
    matrix[np.arange(BINS), before + 1] += at - before
    return matrix.T


def reverberated(batch: Batch, generator: np.random.Generator) -> Batch:
    """Half of the sessions get a room: each bin's energy dies away by 60 dB in 0.15-0.8 s after it was heard."""
    changed = batch.copy()
    for place in range(len(batch)):
        if generator.random() < 0.5:
            decay = 10 ** (-6 * 0.01 / generator.uniform(0.15, 0.8))
            direct = 10 ** (generator.uniform(-2, 14) / 10)
            energy = np.exp(batch[place])
            late = lfilter([0, (1 - decay) / direct], [1, -decay], energy, axis=0)
            changed[place] = added(batch[place], np.log(np.maximum(late, np.exp(SILENT))), generator)
    return changed


def channels(count: int, generator: np.random.Generator) -> Batch:
    """A smooth curve over the bins for each session, and now and then a cut-off at an end: count x 1 x 40."""
    curves = (generator.normal(size=(count, 5)) * [0.9, 0.6, 0.4, 0.3, 0.3]) @ CURVES
    for curve in curves:
        if generator.random() < 0.1:
            curve[generator.integers(28, 39) :] -= generator.uniform(2, 7)
        if generator.random() < 0.08:
            curve[: generator.integers(1, 6)] -= generator.uniform(2, 6)
    return curves[:, None].astype(np.float32)


def noise_for(
    batch: Batch, level: NDArray[np.float64], place: int, noise: Noises, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Noise for one session, 3 to 36 dB under its speech, in three of ten louder and softer by turns."""
    frames = batch.shape[1]
    found: NDArray[np.floating]
    if noise.recorded and generator.random() < 0.55:
        chosen = noise.recorded[generator.integers(len(noise.recorded))]
        found = np.resize(np.roll(chosen, generator.integers(len(chosen)), 0), (frames, BINS))
    else:
        begin = generator.integers(0, len(noise.white) - frames)
        found = noise.white[begin : begin + frames]
        if generator.random() < 0.7:
            found = found + ((generator.normal(size=5) * [1.6, 0.8, 0.4, 0.3, 0.3]) @ CURVES)
    if generator.random() < 0.3:
        knots = np.arange(0, frames + 60, 60)
        found = found + np.interp(np.arange(frames), knots, generator.normal(0, 1.2, len(knots)))[:, None]
    found = found + (level[place] - generator.uniform(3, 36) * DECIBEL)
    if generator.random() < 0.22:
        found = np.logaddexp(found, babble(batch, level[place], generator))
    return found.astype(np.float32)


def switched(noise: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """In a quarter of sessions noise that begins or ends at once, as where a line is opened; else as it was.

    Without it the hiss with which a telephone line began was heard as 是.
    """
    if generator.random() < 0.25:
        edge = generator.integers(1, len(noise))
        quiet = slice(None, edge) if generator.random() < 0.7 else slice(edge, None)
        noise[quiet] -= np.float32(generator.uniform(10, 60) * DECIBEL)
    return noise


def babble(batch: Batch, level: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """Three other sessions at once, 6 to 25 dB under the speech."""
    others = [
        np.roll(batch[generator.integers(len(batch))], generator.integers(batch.shape[1]), axis=0) for _ in range(3)
    ]
    mixed = np.logaddexp.reduce(others)
    return mixed - np.quantile(mixed[::4].max(-1), 0.9) + level - generator.uniform(6, 25) * DECIBEL


def masked(prepared: Batch, generator: np.random.Generator) -> Batch:
    """Normalised features with two bands of up to 6 bins and three stretches of up to 90 ms blanked."""
    _, frames, bins = prepared.shape
    for one in prepared:
        for _ in range(2):
            width = generator.integers(0, 7)
            first = generator.integers(0, bins - width)
            one[:, first : first + width] = 0
        for _ in range(3):
            width = generator.integers(0, 10)
            first = generator.integers(0, frames - width)
            one[first : first + width] = 0
    return prepared
