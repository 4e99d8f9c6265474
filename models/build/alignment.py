"""Alignment: which unit is heard in each frame of a recording whose words are known, by the Viterbi algorithm.

The network looks at every 10 ms (three passes, each a frame later). A unit has three states that share its
probability, so that it lasts 30 ms at least; between syllables there may be silence.
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

from models.build.clips import Clip, Syllable, aligned_like
from models.build.lexicon import SILENCE, unit_numbers, units
from models.build.net import CONTEXT, SUBSAMPLING, Net, online_mean_removed

STATES: Final = 3
"""Least frames a unit lasts."""
PAUSE_COST: Final = 4.0
"""Log-probability that a silence between two syllables must win to be taken."""
PRIOR: Final = 0.7
"""Power of the units' frequencies that scores are divided by."""
FLOOR: Final = -9.0
"""Least log-probability of a frame: one bad frame must not bend the whole path."""
LOUDNESS: Final = 3.0
"""Most that a frame's loudness speaks for or against silence, in log-probability."""
WORST: Final = 2.0
"""Per cent of the recordings that fit their words worst, and are left out: a wrong text, or cut off speech."""
WARM: Final = 600
"""Frames of the clip itself that go before it, so that the running mean is settled when it begins."""

Scores = NDArray[np.float32]
"""Frames x units, log-probabilities."""


def scores(net: Net, counts: NDArray[np.float64], features: NDArray[np.float32]) -> Scores:
    """How well each unit fits each 10 ms of a clip's features (frames x 40)."""
    frames = torch.from_numpy(features)[None]
    length = frames.shape[1]
    warm = torch.cat([frames.repeat(1, WARM // length + 1, 1), frames], 1)
    x = (online_mean_removed(warm, net.global_mean)[:, -length:] - net.mean) / net.deviation
    found = np.zeros((length, len(units())), np.float32)
    for shift in range(SUBSAMPLING):
        later = x[:, shift:]
        padded = torch.cat([later[:, :1].expand(-1, CONTEXT, -1), later, later[:, -1:].expand(-1, CONTEXT, -1)], 1)
        with torch.no_grad():
            log = functional.log_softmax(net(padded), -1)[0].numpy()
        found[shift::SUBSAMPLING] = log[: len(found[shift::SUBSAMPLING])]
    prior = np.log(np.maximum(counts / counts.sum(), 1e-4)).astype(np.float32)
    found -= PRIOR * prior
    found[:, 1] = 10 * FLOOR
    found = np.maximum(found, FLOOR)
    found[:, 0] += loudness(features)
    return found


def loudness(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each frame's energy says for silence (above 0) or against it."""
    energy = np.sort(features, 1)[:, -12:].mean(1)
    quiet, loud = np.percentile(energy, 5), np.percentile(energy, 95)
    return np.clip(quiet + 0.35 * (loud - quiet) - energy, -LOUDNESS, LOUDNESS)


def viterbi(found: Scores, spoken: Sequence[Syllable]) -> tuple[NDArray[np.uint8], list[tuple[int, int]], float] | None:
    """The best path: each frame's unit, each syllable's frames, and the mean score; None for too few frames."""
    numbers = unit_numbers()
    silence = numbers[SILENCE]
    states: list[tuple[int, int, bool]] = [(silence, -1, False)]  # unit, syllable, whether it may be left out
    for place, syllable in enumerate(spoken):
        states += [(silence, -1, True)] * (place > 0)
        states += [(numbers[unit], place, False) for unit in syllable for _ in range(STATES)]
    states.append((silence, -1, False))
    if len(found) < len(states):
        return None
    unit_of, syllable_of = np.array([s[0] for s in states]), np.array([s[1] for s in states])
    optional = np.array([s[2] for s in states])
    path, score = best_path(found[:, unit_of], np.where(optional, -PAUSE_COST, 0.0), optional)
    spans = []
    for place in range(len(spoken)):
        frames = np.flatnonzero(syllable_of[path] == place)
        spans.append((int(frames[0]), int(frames[-1]) + 1))
    return unit_of[path].astype(np.uint8), spans, score


def best_path(
    emitted: NDArray[np.float32], entering: NDArray[np.float64], optional: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], float]:
    """The state of each frame on the best way through states that follow one another, optional ones skippable."""
    frames, count = emitted.shape
    never = -1e9
    skipping = np.zeros(count, bool)
    skipping[2:] = optional[1:-1]
    best = np.full(count, never)
    best[:2] = emitted[0, :2]
    back = np.zeros((frames, count), np.int8)
    for frame in range(1, frames):
        stepped = np.concatenate([[never], best[:-1]]) + entering
        skipped = np.where(skipping, np.concatenate([[never, never], best[:-2]]), never)
        ways = np.stack([best, stepped, skipped])
        back[frame] = ways.argmax(0)
        best = ways.max(0) + emitted[frame]
    state = count - 1 if best[-1] >= best[-2] else count - 2
    score = float(best[state]) / frames
    path = np.zeros(frames, np.intp)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state -= int(back[frame, state])
    return path, score


def align(
    clips: Iterable[Clip], net: Net, counts: NDArray[np.float64], spectrum: NDArray[np.float32] | None = None
) -> Iterator[Clip]:
    """Clips with their labels; the plain one of each recording is aligned, and its variants like it.

    The WORST per cent of the recordings are left out. Where `spectrum` (40) is given, each clip's mean speech is moved
    there before the network hears it: one that knows synthetic voices alone then follows people too.
    """
    variants: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        variants[clip.name].append(clip)
    found = {}
    for name, (plain, *_) in variants.items():
        features = plain.features.astype(np.float32)
        if spectrum is not None:
            features += spectrum - speech_spectrum(features)
        found[name] = viterbi(scores(net, counts, features), plain.syllables)
    least = np.percentile([path[2] for path in found.values() if path] or [0.0], WORST)
    for name, group in variants.items():
        path = found[name]
        if path and path[2] >= least:
            labels, spans, _ = path
            yield replace(group[0], labels=labels, spans=tuple(spans))
            yield from (aligned_like(clip, labels, spans) for clip in group[1:])


def speech_spectrum(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the louder three fifths of frames: 40."""
    energy = features.mean(1)
    return features[energy > np.percentile(energy, 40)].mean(0)
