"""Sessions: stretches of 9.6 s as a microphone records them, generated for each step of the training.

A session consists of pauses and utterances: sentences at another tempo, runs of syllables cut out of sentences and
spliced, or single words joined. Everything that varies is drawn from one seeded generator: the same seed gives the same
sessions.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.clips import Clip
from models.build.features import BINS, ZERO_ENERGY
from models.build.recordings import SINGLE_WORDS

FRAMES: Final = 960
"""Frames of 10 ms in a session."""
SHARES: Final = {
    "kokoro": 0.45,
    "espeak": 0.10,
    "aishell": 0.12,
    "aishell3": 0.05,
    "commonvoice": 0.02,
    "dspspeech20": 0.05,
    "weigao": 0.01,
    "seedlingo": 0.02,
    "yuetan": 0.18,
}
"""Share of each source; that of a source which is left out goes to the others."""
WHOLE_SENTENCES: Final = 0.65
"""Share of whole sentences among utterances from recorded sentences; the others are spliced from syllables."""
SEVERAL_SPEAKERS: Final = 0.3
"""Share of sessions in which two speakers at two places take turns."""
PLACES: Final = 2

Segment = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Frames x 40 log-mel, and the unit of each frame."""
Session = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Places x frames x 40 log-mel of what is spoken at each place, and the unit of each frame."""


@dataclass(frozen=True, slots=True)
class Material:
    """Aligned clips by source, and the relative frequency of each source."""

    clips: Mapping[str, Sequence[Clip]]
    weights: Mapping[str, float]


def training_material(clips: Sequence[Clip]) -> Material:
    """Clips by source, to draw sessions from. Raises ValueError if one is not aligned."""
    if any(clip.labels is None for clip in clips):
        raise ValueError("only aligned clips can be trained on")
    sources: dict[str, list[Clip]] = {}
    for clip in clips:
        sources.setdefault(clip.source, []).append(clip)
    return Material(sources, {source: SHARES[source] for source in sources})


def draw_session(material: Material, rng: random.Random) -> Session:
    """FRAMES frames of pauses and utterances, from one place or in turns from PLACES places."""
    names, weights = list(material.weights), list(material.weights.values())
    sources = rng.choices(names, weights, k=PLACES)
    several_speakers = rng.random() < SEVERAL_SPEAKERS
    segments: list[tuple[int, Segment]] = []
    length, place = 0, 0
    while length < FRAMES:
        segments.append((place, silence(draw_pause(rng))))
        if several_speakers and rng.random() < 0.5:
            place = 1 - place
        segments.append((place, draw_utterance(material.clips[sources[place]], sources[place], rng)))
        length += sum(len(labels) for _, (_, labels) in segments[-2:])
    begin = rng.randint(0, length - FRAMES)
    features = np.full((PLACES, length, BINS), ZERO_ENERGY, np.float32)
    end = 0
    for place, (spoken, labels) in segments:
        features[place, end : end + len(labels)] = spoken
        end += len(labels)
    labels = np.concatenate([labels for _, (_, labels) in segments])
    return features[:, begin : begin + FRAMES], labels[begin : begin + FRAMES]


def draw_pause(rng: random.Random) -> int:
    """The length of a pause in frames: usually short, sometimes several seconds."""
    kind = rng.random()
    if kind < 0.6:
        return rng.randint(3, 60)
    return rng.randint(60, 220) if kind < 0.96 else rng.randint(220, 700)


def silence(frames: int) -> Segment:
    return np.full((frames, BINS), ZERO_ENERGY, np.float32), np.zeros(frames, np.uint8)


def concatenate(segments: Sequence[Segment]) -> Segment:
    return np.concatenate([features for features, _ in segments]), np.concatenate([labels for _, labels in segments])


def draw_utterance(clips: Sequence[Clip], source: str, rng: random.Random) -> Segment:
    """One utterance from the clips of a source."""
    if source == "espeak":
        return change_tempo(extract(rng.choice(clips)), rng.uniform(0.85, 1.25))
    if source in SINGLE_WORDS:
        return join_words(clips, rng)
    if rng.random() < WHOLE_SENTENCES:
        return change_tempo(extract(rng.choice(clips)), rng.uniform(0.75, 1.3))
    return splice_syllables(clips, rng)


def join_words(clips: Sequence[Clip], rng: random.Random) -> Segment:
    """Single words joined and made faster, since single words are spoken more slowly than sentences."""
    tempo, count = rng.uniform(0.9, 1.9), rng.choice([1, 1, 2, 2, 3, 4, 5, 6, 7])
    segments: list[Segment] = []
    for _ in range(count):
        clip = rng.choice(clips)
        segments += vary(extract(clip, clip.spans[0][0], clip.spans[-1][1], rng), tempo, rng)
    return concatenate(segments)


def splice_syllables(clips: Sequence[Clip], rng: random.Random) -> Segment:
    """Runs of one to five syllables, each from another sentence, so that no word order is learnt."""
    tempo = rng.uniform(0.75, 1.3)
    segments: list[Segment] = []
    for _ in range(rng.randint(1, 4)):
        clip = rng.choice(clips)
        first = rng.randrange(len(clip.spans))
        last = min(len(clip.spans), first + rng.randint(1, 5)) - 1
        segments += vary(extract(clip, clip.spans[first][0], clip.spans[last][1], rng), tempo, rng)
    return concatenate(segments)


def vary(segment: Segment, tempo: float, rng: random.Random) -> list[Segment]:
    """A segment at about this tempo and with a slightly changed level, sometimes followed by a pause."""
    features, labels = change_tempo(segment, tempo * rng.uniform(0.92, 1.08))
    segments = [(features + np.float32(rng.uniform(-1, 1)), labels)]
    if rng.random() < 0.4:
        segments.append(silence(rng.randint(1, 6 if rng.random() < 0.8 else 40)))
    return segments


def extract(clip: Clip, first: int = 0, last: int | None = None, rng: random.Random | None = None) -> Segment:
    """The frames of a clip from `first` to `last`; with `rng`, up to 40 ms more on each side."""
    assert clip.labels is not None  # noqa: S101 - training_material() raises an error for clips without labels
    end = len(clip.labels) if last is None else last
    if rng is not None:
        margin = rng.randint(0, 4)
        first, end = max(0, first - margin), min(len(clip.labels), max(end, first + 3) + margin)
    return clip.features[first:end].astype(np.float32), clip.labels[first:end]


def change_tempo(segment: Segment, tempo: float) -> Segment:
    """A segment spoken `tempo` times as fast, by interpolation between frames, which does not change the pitch."""
    features, labels = segment
    frames = max(3, round(len(features) / tempo))
    position = np.linspace(0, len(features) - 1, frames)
    before = np.minimum(position.astype(int), max(0, len(features) - 2))
    share = (position - before)[:, None].astype(np.float32)
    after = np.minimum(before + 1, len(features) - 1)
    return features[before] * (1 - share) + features[after] * share, labels[np.round(position).astype(int)]
