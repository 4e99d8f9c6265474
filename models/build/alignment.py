"""Forced alignment: the unit of each frame of a recording with a known text, by the Viterbi algorithm.

The network is evaluated every 10 ms (three passes, each one frame later). A unit has three states that share its
probability, so it lasts at least 30 ms. Silence is optional between syllables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.build.agreement import STATES_PER_UNIT, Scores, agreeing, disagreement
from models.build.clips import Clip, Syllable, copy_alignment
from models.build.lexicon import SILENCE, unit_numbers, units
from models.build.net import CONTEXT, SUBSAMPLING, Net, subtract_running_mean

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


def unit_scores(net: Net, counts: NDArray[np.float64], features: NDArray[np.float32]) -> Scores:
    """The score of each unit in each 10 ms frame of the features of a clip (frames x 40)."""
    frames = torch.from_numpy(features)[None]
    length = frames.shape[1]
    repeated = torch.cat([frames.repeat(1, WARM_UP_FRAMES // length + 1, 1), frames], 1)
    x = (subtract_running_mean(repeated, net.global_mean)[:, -length:] - net.mean) / net.deviation
    scores = np.zeros((length, len(units())), np.float32)
    for shift in range(SUBSAMPLING):
        shifted = x[:, shift:]
        left, right = shifted[:, :1].expand(-1, CONTEXT, -1), shifted[:, -1:].expand(-1, CONTEXT, -1)
        with torch.no_grad():
            log = functional.log_softmax(net(torch.cat([left, shifted, right], 1)), -1)[0].numpy()
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


class Alignment(NamedTuple):
    """A recording aligned with its text."""

    labels: NDArray[np.uint8]
    """The unit of each frame."""
    spans: list[tuple[int, int]]
    """The first frame of each syllable, and the frame after its last."""
    score: float
    """Mean over the frames."""
    disagreement: float
    """See agreement.py."""


def align_clip(
    clip: Clip, net: Net, counts: NDArray[np.float64], spectrum: NDArray[np.float32] | None = None
) -> Alignment | None:
    """A clip aligned with its text; None if it has fewer frames than the text has states.

    If `spectrum` (40) is given, the mean spectrum of its speech is moved there first: a network trained on synthetic
    voices only then aligns people too.
    """
    features = clip.features.astype(np.float32)
    if spectrum is not None:
        features += spectrum - speech_spectrum(features)
    scores = unit_scores(net, counts, features)
    aligned = force_align(scores, clip.syllables)
    if aligned is None:
        return None
    labels, spans, score = aligned
    return Alignment(labels, spans, score, disagreement(scores, labels, spans))


def label_clips(
    clips: Iterable[Clip], alignments: Mapping[str, Alignment | None], *, checked: bool = False
) -> Iterator[Clip]:
    """Clips with labels; the variants of a recording get the alignment of its plain clip, by name.

    The DISCARDED_PERCENT of the recordings with the lowest scores are discarded, and with `checked` also those that do
    not agree with their text.
    """
    aligned = {name: alignment for name, alignment in alignments.items() if alignment}
    threshold = np.percentile([alignment.score for alignment in aligned.values()] or [0.0], DISCARDED_PERCENT)
    used = {name for name, alignment in aligned.items() if alignment.score >= threshold}
    if checked:
        used &= agreeing({name: alignment.disagreement for name, alignment in aligned.items()})
    for name, (plain, *varied) in by_recording(clips).items():
        if name in used:
            labels, spans = aligned[name].labels, aligned[name].spans
            yield replace(plain, labels=labels, spans=tuple(spans))
            yield from (copy_alignment(clip, labels, spans) for clip in varied)


def by_recording(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """The clips of each recording: the plain one, then its variants."""
    variants: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        variants[clip.name].append(clip)
    return variants


def speech_spectrum(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the loudest three fifths of the frames: 40 values."""
    energy = features.mean(1)
    return features[energy > np.percentile(energy, 40)].mean(0)
