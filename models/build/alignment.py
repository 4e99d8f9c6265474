"""Forced alignment: the unit of each frame of a recording with a known text, by the Viterbi algorithm.

The network is evaluated every 10 ms (three passes, each one frame later). A unit has three states that share its
probability, so it lasts at least 30 ms. Silence is optional between syllables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.build.clips import Clip, Syllable, copy_alignment
from models.build.lexicon import SILENCE, unit_numbers, units
from models.build.net import SUBSAMPLING, Net, subtract_running_mean

STATES_PER_UNIT: Final = 3
"""The shortest unit, in frames."""
PAUSE_COST: Final = 4.0
"""Cost of a silence between two syllables: -log of its probability."""
PRIOR_SCALE: Final = 0.7
"""Exponent of the prior probabilities of the units by which the scores are divided."""
SCORE_FLOOR: Final = -9.0
"""Lower bound of the log-probability of a frame, so that one bad frame does not decide the path."""
SILENCE_BIAS_LIMIT: Final = 3.0
"""Largest effect of the energy of a frame on the log-probability of silence."""
DISCARDED_PERCENT: Final = 2.0
"""Per cent of the recordings with the lowest scores that are discarded: wrong text, or speech that is cut off."""
WARM_UP_FRAMES: Final = 600
"""Frames of the clip itself that precede it, so that the running mean has settled at its start."""

Scores = NDArray[np.float32]
"""Frames x units, log-probabilities."""


def unit_scores(net: Net, counts: NDArray[np.float64], features: NDArray[np.float32]) -> Scores:
    """The score of each unit in each 10 ms frame of the features of a clip (frames x 40)."""
    frames = torch.from_numpy(features)[None]
    length = frames.shape[1]
    repeated = torch.cat([frames.repeat(1, WARM_UP_FRAMES // length + 1, 1), frames], 1)
    x = (subtract_running_mean(repeated, net.global_mean)[:, -length:] - net.mean) / net.deviation
    scores = np.zeros((length, len(units())), np.float32)
    for shift in range(SUBSAMPLING):
        with torch.no_grad():
            log = functional.log_softmax(net(net.pad(x[:, shift:])), -1)[0].numpy()
        scores[shift::SUBSAMPLING] = log[: len(scores[shift::SUBSAMPLING])]
    log_prior = np.log(np.maximum(counts / counts.sum(), 1e-4)).astype(np.float32)
    scores -= PRIOR_SCALE * log_prior
    scores[:, 1] = 10 * SCORE_FLOOR
    scores = np.maximum(scores, SCORE_FLOOR)
    scores[:, 0] += silence_bias(features)
    return scores


def silence_bias(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the energy of each frame adds to the score of silence: above 0 in quiet frames, below 0 in loud ones."""
    energy = np.sort(features, 1)[:, -12:].mean(1)
    quiet, loud = np.percentile(energy, 5), np.percentile(energy, 95)
    return np.clip(quiet + 0.35 * (loud - quiet) - energy, -SILENCE_BIAS_LIMIT, SILENCE_BIAS_LIMIT)


def force_align(
    scores: Scores, syllables: Sequence[Syllable]
) -> tuple[NDArray[np.uint8], list[tuple[int, int]], float] | None:
    """The unit of each frame, the frames of each syllable, and the mean score of the best path.

    None if there are fewer frames than states.
    """
    numbers = unit_numbers()
    silence = numbers[SILENCE]
    states: list[tuple[int, int, bool]] = [(silence, -1, False)]  # unit, syllable, whether it is optional
    for index, syllable in enumerate(syllables):
        states += [(silence, -1, True)] * (index > 0)
        states += [(numbers[unit], index, False) for unit in syllable for _ in range(STATES_PER_UNIT)]
    states.append((silence, -1, False))
    if len(scores) < len(states):
        return None
    unit_of, syllable_of = np.array([s[0] for s in states]), np.array([s[1] for s in states])
    optional = np.array([s[2] for s in states])
    path, mean_score = viterbi(scores[:, unit_of], np.where(optional, -PAUSE_COST, 0.0), optional)
    spans = []
    for index in range(len(syllables)):
        frames = np.flatnonzero(syllable_of[path] == index)
        spans.append((int(frames[0]), int(frames[-1]) + 1))
    return unit_of[path].astype(np.uint8), spans, mean_score


def viterbi(
    emissions: NDArray[np.float32], entry_scores: NDArray[np.float64], optional: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], float]:
    """The state of each frame on the best path through a left-to-right model, and its mean score.

    `optional` states may be skipped. `entry_scores` are added when a state is entered.
    """
    frames, count = emissions.shape
    impossible = -1e9
    skippable = np.zeros(count, bool)
    skippable[2:] = optional[1:-1]
    best = np.full(count, impossible)
    best[:2] = emissions[0, :2]
    steps_back = np.zeros((frames, count), np.int8)
    for frame in range(1, frames):
        advanced = np.concatenate([[impossible], best[:-1]]) + entry_scores
        skipped = np.where(skippable, np.concatenate([[impossible, impossible], best[:-2]]), impossible)
        candidates = np.stack([best, advanced, skipped])
        steps_back[frame] = candidates.argmax(0)
        best = candidates.max(0) + emissions[frame]
    state = count - 1 if best[-1] >= best[-2] else count - 2
    mean_score = float(best[state]) / frames
    path = np.zeros(frames, np.intp)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= int(steps_back[frame, state])
    return path, mean_score


def align_clips(
    clips: Iterable[Clip], net: Net, counts: NDArray[np.float64], spectrum: NDArray[np.float32] | None = None
) -> Iterator[Clip]:
    """Clips with labels. The plain clip of each recording is aligned; its variants get the same alignment.

    The DISCARDED_PERCENT of the recordings with the lowest scores are discarded. If `spectrum` (40) is given, the mean
    spectrum of the speech in each clip is moved there first: a network trained on synthetic voices only then aligns
    people too.
    """
    variants: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        variants[clip.name].append(clip)
    alignments = {}
    for name, (plain, *_) in variants.items():
        features = plain.features.astype(np.float32)
        if spectrum is not None:
            features += spectrum - speech_spectrum(features)
        alignments[name] = force_align(unit_scores(net, counts, features), plain.syllables)
    scores = [alignment[2] for alignment in alignments.values() if alignment]
    threshold = np.percentile(scores or [0.0], DISCARDED_PERCENT)
    for name, group in variants.items():
        alignment = alignments[name]
        if alignment and alignment[2] >= threshold:
            labels, spans, _ = alignment
            yield replace(group[0], labels=labels, spans=tuple(spans))
            yield from (copy_alignment(clip, labels, spans) for clip in group[1:])


def speech_spectrum(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the loudest three fifths of the frames: 40 values."""
    energy = features.mean(1)
    return features[energy > np.percentile(energy, 40)].mean(0)
