"""Synthesis: clips spoken by espeak-ng. Their labels are exact, because it reports when each sound begins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.clips import Clip
from models.build.espeak import TRAINING_VARIANTS, EspeakError, Speech, say
from models.build.features import frame_at, log_mel
from models.build.held_out import check_voice
from models.build.lexicon import known_syllables, readings, split_syllable, syllables, unit_numbers
from models.build.recordings import PEAK, vary_samples

SENTENCES: Final = 0.45
WORDS: Final = 0.25
"""Shares of clips with a sentence of the language model, and with words in random order. The others have random
syllables, so that the model recognises words that are not in its training texts."""
TONES: Final = "1234"


def synthesise(count: int, sentences: Sequence[str], words: Sequence[str], seed: int) -> Iterator[Clip]:
    """`count` clips of sentences, of words in random order and of random syllables; reproducible by `seed`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible draws, not secrets
    made = 0
    while made < count:
        chosen = draw_syllables(sentences, words, rng)
        variant = check_voice(rng.choice(TRAINING_VARIANTS))
        try:
            speech = say(
                chosen,
                variant,
                rate=rng.randint(115, 240),
                pitch=rng.randint(20, 80),
                pitch_range=rng.randint(20, 75),
            )
        except EspeakError:
            continue  # some variants sometimes leave out a syllable
        made += 1
        yield make_clip(speech, [syllable for syllable, _ in chosen], variant, f"{seed}-{made}", rng)


def draw_syllables(sentences: Sequence[str], words: Sequence[str], rng: random.Random) -> list[tuple[str, str]]:
    """The text of one clip, as syllables with tones."""
    known = known_syllables()
    kind = rng.random()
    if kind < SENTENCES:
        chosen = list(readings(rng.choice(sentences)))
    elif kind < SENTENCES + WORDS:
        chosen = [reading for _ in range(rng.randint(2, 6)) for reading in readings(rng.choice(words))]
    else:
        chosen = [(rng.choice(syllables()), rng.choice(TONES)) for _ in range(rng.randint(3, 10))]
    return [reading for reading in chosen if reading[0] in known] or [("ni", "3"), ("hao", "3")]


def make_clip(speech: Speech, spoken: Sequence[str], variant: str, name: str, rng: random.Random) -> Clip:
    """Synthesised speech as a clip, usually at another speed or with reverberation."""
    peak = np.abs(speech.samples).max() + 1e-9
    changes = rng.choice(("plain", "speed", "speed", "room", "line"))
    samples, stretch = vary_samples((speech.samples / peak * PEAK).astype(np.float32), changes, rng)
    features = log_mel(samples).astype(np.float16)
    spans = tuple((frame_at(start * stretch), frame_at(end * stretch)) for start, end in speech.syllables)
    labels = frame_labels(speech, stretch, len(features))
    return Clip(name, "espeak", variant, features, tuple(map(split_syllable, spoken)), stretch, labels, spans)


def frame_labels(speech: Speech, stretch: float, frames: int) -> NDArray[np.uint8]:
    """The unit of each frame."""
    numbers = unit_numbers()
    labels = np.zeros(frames, np.uint8)
    for segment in speech.segments:
        labels[frame_at(segment.start * stretch) : frame_at(segment.end * stretch)] = numbers[segment.unit]
    return labels
