"""Augmentation: other speakers, rooms, microphones and noise, on batches of log-mel features.

A session has two places, for instance a clerk near the microphone and a customer far from it, in one room. What is
spoken at each place is changed by itself; then both are added as sounds are. Vocal tract length: the mel axis is warped
(Jaitly and Hinton, Vocal tract length perturbation, 2013). Channel: a smooth curve over the bins. Late reverberation:
energy is smeared over time (Polack's exponential decay, in each bin). Noise and other voices: energies are added with
random phases. Masks: Park et al., SpecAugment, 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.build.features import BINS, ZERO_ENERGY, log_mel
from models.build.recordings import PEAK

Batch = NDArray[np.float32]
"""Sessions x frames x 40, log-mel."""
Places = NDArray[np.float32]
"""Sessions x places x frames x 40, log-mel."""

MEL_LOW, MEL_HIGH = (float(1127 * np.log(1 + hertz / 700)) for hertz in (20.0, 7_600.0))
CENTRES: Final = 700 * (np.exp((MEL_LOW + (MEL_HIGH - MEL_LOW) * (np.arange(BINS) + 1) / (BINS + 1)) / 1127) - 1)
"""Centre frequency of each bin in hertz (Kaldi, mel-computations.cc)."""
CURVES: Final = np.cos(np.pi / BINS * (np.arange(BINS) + 0.5)[None] * np.arange(1, 6)[:, None]).astype(np.float32)
"""Five slow cosines over the bins; a smooth spectrum is a weighted sum of them."""
PHASES: Final = np.linspace(0.52, 0.22, BINS, dtype=np.float32)
"""Standard deviation of the phase factor of each bin: the mean cosine of the angles between two sounds in it. A wider
bin averages more of them. Measured on sentences of AISHELL with noises of ESC-10."""
DECIBEL: Final = np.log(10) / 10
"""Log energy of one decibel."""
LEVELS: Final = (-45.0, 0.0)
"""Decibels relative to full scale: the range of the loud parts of a session."""
CLIP_LEVEL: Final = 20 * math.log10(PEAK / 32_767)
"""The level of a clip, whose loud parts are scaled to PEAK, in the same decibels."""
FARTHER: Final = (3.0, 20.0)
"""By how many decibels the speech from the far place of a session is weaker than that from the near one."""
GLASS: Final = np.log(CENTRES / 200).clip(0) / np.log(2) * 6 * DECIBEL
"""What a pane of glass takes from each bin: 6 dB more per octave above 200 Hz (the mass law), as log energy."""


@dataclass(frozen=True, slots=True)
class NoiseSources:
    """The noise that is added to speech."""

    white: NDArray[np.float32]
    """Frames x 40 of white noise, with a level of about 0."""
    recorded: tuple[NDArray[np.float32], ...]
    """Frames x 40 of recorded noises, each with a level of about 0 in its loud frames."""


def prepare_noises(recorded: tuple[NDArray[np.float32], ...], generator: np.random.Generator) -> NoiseSources:
    """Two minutes of white noise, and the recorded noises (frames x 40 log-mel) at the same level."""
    white = log_mel(generator.normal(size=16_000 * 120).astype(np.float32)) - 9.0
    levelled = tuple(noise - np.float32(np.quantile(noise.max(1), 0.9)) for noise in recorded if len(noise))
    return NoiseSources(white.astype(np.float32), levelled)


def augment(places: Places, noises: NoiseSources, generator: np.random.Generator) -> Batch:
    """The sessions as other speakers in other rooms, recorded with other microphones."""
    changed = mix_places(places, generator)
    level = np.quantile(changed[:, ::4].max(-1), 0.9, axis=1)
    gain = (generator.uniform(*LEVELS, len(changed)) - CLIP_LEVEL) * DECIBEL
    changed = changed + channel_curves(len(changed), generator) + gain[:, None, None].astype(np.float32)
    level = level + gain
    background = np.full_like(changed, ZERO_ENERGY)
    for index in range(len(changed)):
        if generator.random() >= 0.1:  # the other sessions have digital silence in their pauses
            noise = draw_noise(changed, level, index, noises, generator)
            background[index] = switch_noise(noise, generator)
    return np.maximum(add_energies(changed, background, generator), ZERO_ENERGY)


def mix_places(places: Places, generator: np.random.Generator) -> Batch:
    """The sound of all places at the microphone: the first one is near, any other one far or behind glass.

    All places of a session are in one room: half of the rooms have reverberation.
    """
    mixed = np.empty(places[:, 0].shape, np.float32)
    for index, session in enumerate(places):
        seconds = generator.uniform(0.15, 0.8) if generator.random() < 0.5 else 0.0
        speaking = [place for place in session if place.max() > ZERO_ENERGY] or [session[0]]
        near, *others = (warp_vocal_tract(place, generator) for place in speaking)
        mixed[index] = reverberate(near, seconds, generator.uniform(-2, 14), generator)
        for place in others:
            distant = weaken(place, generator)
            mixed[index] = add_energies(
                mixed[index], reverberate(distant, seconds, generator.uniform(-8, 6), generator), generator
            )
    return mixed


def weaken(place: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """Speech (frames x 40) from a place that is farther away, in a quarter of the sessions behind glass.

    The opening in the glass limits what it takes away.
    """
    loss = np.full(BINS, generator.uniform(*FARTHER) * DECIBEL)
    if generator.random() < 0.25:
        loss += np.minimum(GLASS, generator.uniform(8, 22) * DECIBEL)
    return np.where(place > ZERO_ENERGY, place - loss.astype(np.float32), place)


def add_energies(signal: Batch, noise: Batch, generator: np.random.Generator) -> Batch:
    """Two sounds at once: the sum of their energies in each bin, with a random phase between them.

    Where both have about the same level, the standard deviation of the sum is 2 dB in the lowest bins (Deng, Droppo and
    Acero, Enhancement of log mel power spectra of speech using a phase-sensitive model of the acoustic environment,
    2004).
    """
    total = np.logaddexp(signal, noise)
    factor = np.clip(generator.standard_normal(total.shape, np.float32) * PHASES, -0.95, 0.95) * (noise > ZERO_ENERGY)
    return (total + np.log1p(2 * factor * np.exp((signal + noise) / 2 - total))).astype(np.float32)


def warp_vocal_tract(place: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    return place @ warp_matrix(np.exp(np.clip(generator.normal(0, 0.11), -0.26, 0.26)))


def warp_matrix(factor: float) -> NDArray[np.float32]:
    """The 40 x 40 matrix that maps the spectrum of a vocal tract to that of one shorter by `factor`."""
    edge = 5_200 * min(1.0, 1 / factor)
    warped = np.where(
        edge >= CENTRES, CENTRES * factor, 7_600 - (7_600 - edge * factor) * (7_600 - CENTRES) / (7_600 - edge)
    )
    position = (1127 * np.log(1 + np.maximum(warped, 0) / 700) - MEL_LOW) / (MEL_HIGH - MEL_LOW) * (BINS + 1) - 1
    position = np.clip(position, 0, BINS - 1.001)
    lower = position.astype(int)
    matrix = np.zeros((BINS, BINS), np.float32)
    matrix[np.arange(BINS), lower] = 1 - (position - lower)
    matrix[np.arange(BINS), lower + 1] += position - lower
    return matrix.T


def reverberate(
    place: NDArray[np.float32], seconds: float, direct_decibels: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Frames x 40 with late reverberation: the energy of each bin decays by 60 dB in `seconds`; 0 is no reverberation.

    `direct_decibels` is the level of the direct sound above that of the reverberation.
    """
    if not seconds:
        return place
    decay = 10 ** (-6 * 0.01 / seconds)
    late = lfilter([0, (1 - decay) / 10 ** (direct_decibels / 10)], [1, -decay], np.exp(place), axis=0)
    return add_energies(place, np.log(np.maximum(late, np.exp(ZERO_ENERGY))).astype(np.float32), generator)


def channel_curves(count: int, generator: np.random.Generator) -> Batch:
    """A smooth frequency response for each session, sometimes with a cut-off at one end: count x 1 x 40."""
    curves = (generator.normal(size=(count, 5)) * [0.9, 0.6, 0.4, 0.3, 0.3]) @ CURVES
    for curve in curves:
        if generator.random() < 0.1:
            curve[generator.integers(28, 39) :] -= generator.uniform(2, 7)
        if generator.random() < 0.08:
            curve[: generator.integers(1, 6)] -= generator.uniform(2, 6)
    return curves[:, None].astype(np.float32)


def draw_noise(
    batch: Batch, level: NDArray[np.float64], index: int, noises: NoiseSources, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Noise for one session, 3 to 36 dB below its speech; in three of ten sessions its level changes slowly."""
    frames = batch.shape[1]
    noise: NDArray[np.floating]
    if noises.recorded and generator.random() < 0.55:
        chosen = noises.recorded[generator.integers(len(noises.recorded))]
        noise = np.resize(np.roll(chosen, generator.integers(len(chosen)), 0), (frames, BINS))
    else:
        start = generator.integers(0, len(noises.white) - frames)
        noise = noises.white[start : start + frames]
        if generator.random() < 0.7:
            noise = noise + ((generator.normal(size=5) * [1.6, 0.8, 0.4, 0.3, 0.3]) @ CURVES)
    if generator.random() < 0.3:
        knots = np.arange(0, frames + 60, 60)
        noise = noise + np.interp(np.arange(frames), knots, generator.normal(0, 1.2, len(knots)))[:, None]
    noise = noise + (level[index] - generator.uniform(3, 36) * DECIBEL)
    if generator.random() < 0.22:
        noise = add_energies(noise, babble(batch, level[index], generator), generator)
    return noise.astype(np.float32)


def switch_noise(noise: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """The noise, which in a quarter of the sessions starts or stops abruptly, as on a telephone line.

    Without this the hiss at the start of a telephone line was recognised as 是.
    """
    if generator.random() < 0.25:
        edge = generator.integers(1, len(noise))
        quiet = slice(None, edge) if generator.random() < 0.7 else slice(edge, None)
        noise[quiet] -= np.float32(generator.uniform(10, 60) * DECIBEL)
    return noise


def babble(batch: Batch, level: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """Other people's talk: one to four other sessions mixed, 6 to 25 dB below the speech."""
    count = generator.integers(1, 5)
    voices = [
        np.roll(batch[generator.integers(len(batch))], generator.integers(batch.shape[1]), axis=0) for _ in range(count)
    ]
    distant = [reverberate(voice, generator.uniform(0.3, 0.9), generator.uniform(-8, 4), generator) for voice in voices]
    mixed = np.logaddexp.reduce(distant)
    return mixed - np.quantile(mixed[::4].max(-1), 0.9) + level - generator.uniform(6, 25) * DECIBEL


def mask(prepared: Batch, generator: np.random.Generator) -> Batch:
    """Normalised features with two masked bands of up to 6 bins and three masked stretches of up to 90 ms."""
    _, frames, bins = prepared.shape
    for session in prepared:
        for _ in range(2):
            width = generator.integers(0, 7)
            first = generator.integers(0, bins - width)
            session[:, first : first + width] = 0
        for _ in range(3):
            width = generator.integers(0, 10)
            first = generator.integers(0, frames - width)
            session[first : first + width] = 0
    return prepared
