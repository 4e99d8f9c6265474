"""Sessions: stretches of 9.6 s as a microphone would hear them, put together anew for every step of training.

A session is pauses and pieces: sentences at another pace, runs of syllables cut out of sentences and spliced, single
words joined. What varies is drawn from one seeded generator, so the same seed gives the same sessions.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.clips import Clip
from models.build.features import BINS, SILENT
from models.build.recordings import ISOLATED

FRAMES: Final = 960
"""Frames of 10 ms in a session."""
SHARES: Final = {
    "espeak": 0.22,
    "aishell": 0.24,
    "aishell3": 0.12,
    "commonvoice": 0.05,
    "dspspeech20": 0.10,
    "weigao": 0.03,
    "seedlingo": 0.07,
    "yuetan": 0.32,
}
"""How much of the pieces comes from each folder, before what is left out is shared among the others."""
WHOLE: Final = 0.65
"""Share of pieces from sentences that are whole sentences; the others are syllables cut out and spliced."""
MIXED: Final = 0.3
"""Share of sessions in which speakers change."""

Piece = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Frames x 40 log-mel, and each frame's unit."""


@dataclass(frozen=True, slots=True)
class Material:
    """Aligned clips by source, and how often each source is drawn."""

    clips: Mapping[str, Sequence[Clip]]
    weights: Mapping[str, float]


def material(clips: Sequence[Clip]) -> Material:
    """Clips made ready to draw from. Raises ValueError where one has no labels."""
    if any(clip.labels is None for clip in clips):
        raise ValueError("only aligned clips can be trained on")
    sources: dict[str, list[Clip]] = {}
    for clip in clips:
        sources.setdefault(clip.source, []).append(clip)
    return Material(sources, {source: SHARES[source] for source in sources})


def session(source: Material, chance: random.Random) -> Piece:
    """FRAMES frames of pauses and pieces."""
    names, weights = list(source.weights), list(source.weights.values())
    name, mixed = chance.choices(names, weights)[0], chance.random() < MIXED
    pieces: list[Piece] = []
    length = 0
    while length < FRAMES:
        pieces.append(pause(pause_frames(chance)))
        if mixed and chance.random() < 0.5:
            name = chance.choices(names, weights)[0]
        features, labels = piece(source.clips[name], name, chance)
        louder = chance.uniform(-2, 2) if mixed else 0.0
        pieces.append((features + np.float32(louder), labels))
        length += sum(len(one[1]) for one in pieces[-2:])
    begin = chance.randint(0, length - FRAMES)
    features, labels = joined(pieces)
    return features[begin : begin + FRAMES], labels[begin : begin + FRAMES]


def pause_frames(chance: random.Random) -> int:
    """How long a pause is: mostly short, now and then of several seconds."""
    kind = chance.random()
    if kind < 0.6:
        return chance.randint(3, 60)
    return chance.randint(60, 220) if kind < 0.96 else chance.randint(220, 700)


def pause(frames: int) -> Piece:
    return np.full((frames, BINS), SILENT, np.float32), np.zeros(frames, np.uint8)


def joined(pieces: Sequence[Piece]) -> Piece:
    return np.concatenate([one[0] for one in pieces]), np.concatenate([one[1] for one in pieces])


def piece(clips: Sequence[Clip], name: str, chance: random.Random) -> Piece:
    """One utterance of a source."""
    if name == "espeak":
        return stretched(cut(chance.choice(clips)), chance.uniform(0.85, 1.25))
    if name in ISOLATED:
        return words(clips, chance)
    if chance.random() < WHOLE:
        return stretched(cut(chance.choice(clips)), chance.uniform(0.75, 1.3))
    return spliced(clips, chance)


def words(clips: Sequence[Clip], chance: random.Random) -> Piece:
    """Single words joined: people say them slowly alone, and a sentence runs faster."""
    pace, count = chance.uniform(0.9, 1.9), chance.choice([1, 1, 2, 2, 3, 4, 5, 6, 7])
    pieces: list[Piece] = []
    for _ in range(count):
        clip = chance.choice(clips)
        pieces += between(cut(clip, clip.spans[0][0], clip.spans[-1][1], chance), pace, chance)
    return joined(pieces)


def spliced(clips: Sequence[Clip], chance: random.Random) -> Piece:
    """Runs of one to five syllables, each out of another sentence: no order of words to learn by heart."""
    pace = chance.uniform(0.75, 1.3)
    pieces: list[Piece] = []
    for _ in range(chance.randint(1, 4)):
        clip = chance.choice(clips)
        first = chance.randrange(len(clip.spans))
        last = min(len(clip.spans), first + chance.randint(1, 5)) - 1
        pieces += between(cut(clip, clip.spans[first][0], clip.spans[last][1], chance), pace, chance)
    return joined(pieces)


def between(part: Piece, pace: float, chance: random.Random) -> list[Piece]:
    """A part at about the pace, a little louder or softer, with a gap after it now and then."""
    features, labels = stretched(part, pace * chance.uniform(0.92, 1.08))
    parts = [(features + np.float32(chance.uniform(-1, 1)), labels)]
    if chance.random() < 0.4:
        parts.append(pause(chance.randint(1, 6 if chance.random() < 0.8 else 40)))
    return parts


def cut(clip: Clip, first: int = 0, last: int | None = None, chance: random.Random | None = None) -> Piece:
    """The frames of a clip from first up to last, with up to 40 ms around them."""
    assert clip.labels is not None  # noqa: S101 - material() refuses others
    end = len(clip.labels) if last is None else last
    if chance is not None:
        around = chance.randint(0, 4)
        first, end = max(0, first - around), min(len(clip.labels), max(end, first + 3) + around)
    return clip.features[first:end].astype(np.float32), clip.labels[first:end]


def stretched(part: Piece, pace: float) -> Piece:
    """A part said `pace` times as fast: frames interpolated, which keeps the pitch."""
    features, labels = part
    frames = max(3, round(len(features) / pace))
    at = np.linspace(0, len(features) - 1, frames)
    before = np.minimum(at.astype(int), max(0, len(features) - 2))
    share = (at - before)[:, None].astype(np.float32)
    after = np.minimum(before + 1, len(features) - 1)
    return features[before] * (1 - share) + features[after] * share, labels[np.round(at).astype(int)]
