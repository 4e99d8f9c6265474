"""Synthesis: clips spoken by espeak-ng, whose labels are exact because it tells when each sound begins."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.clips import Clip
from models.build.espeak import TRAINING_VARIANTS, EspeakError, Speech, say
from models.build.features import frame_at, log_mel
from models.build.held_out import refuse_voice
from models.build.lexicon import known_syllables, readings, split, syllables, unit_numbers
from models.build.recordings import PEAK, varied

SENTENCES: Final = 0.45
WORDS: Final = 0.25
"""Shares of clips that say a sentence of the language model, and words in no order; the others say any syllables,
which is what lets the model hear words that it was never taught."""
TONES: Final = "1234"


def synthesized(count: int, sentences: Sequence[str], words: Sequence[str], seed: int) -> Iterator[Clip]:
    """`count` clips of sentences, of words in any order and of any syllables, the same ones for a seed."""
    chance = random.Random(seed)  # noqa: S311 - a draw, no secret
    made = 0
    while made < count:
        spoken = spelt(sentences, words, chance)
        variant = refuse_voice(chance.choice(TRAINING_VARIANTS))
        try:
            speech = say(
                spoken,
                variant,
                rate=chance.randint(115, 240),
                pitch=chance.randint(20, 80),
                pitch_range=chance.randint(20, 75),
            )
        except EspeakError:
            continue  # some variants swallow a syllable now and then
        made += 1
        yield clip_of(speech, [one for one, _ in spoken], variant, f"{seed}-{made}", chance)


def spelt(sentences: Sequence[str], words: Sequence[str], chance: random.Random) -> list[tuple[str, str]]:
    """What one clip says, as syllables with tones."""
    known = known_syllables()
    kind = chance.random()
    if kind < SENTENCES:
        chosen = list(readings(chance.choice(sentences)))
    elif kind < SENTENCES + WORDS:
        chosen = [one for _ in range(chance.randint(2, 6)) for one in readings(chance.choice(words))]
    else:
        chosen = [(chance.choice(syllables()), chance.choice(TONES)) for _ in range(chance.randint(3, 10))]
    return [one for one in chosen if one[0] in known] or [("ni", "3"), ("hao", "3")]


def clip_of(speech: Speech, spoken: Sequence[str], variant: str, name: str, chance: random.Random) -> Clip:
    """Speech as a clip, at another speed or in a room in most cases."""
    loud = np.abs(speech.samples).max() + 1e-9
    how = chance.choice(("plain", "speed", "speed", "room"))
    sound, slowed = varied((speech.samples / loud * PEAK).astype(np.float32), how, chance)
    features = log_mel(sound).astype(np.float16)
    spans = tuple((frame_at(start * slowed), frame_at(end * slowed)) for start, end in speech.syllables)
    labels = labelled(speech, slowed, len(features))
    return Clip(name, "espeak", variant, features, tuple(split(one) for one in spoken), slowed, labels, spans)


def labelled(speech: Speech, slowed: float, frames: int) -> NDArray[np.uint8]:
    numbers = unit_numbers()
    labels = np.zeros(frames, np.uint8)
    for segment in speech.segments:
        labels[frame_at(segment.start * slowed) : frame_at(segment.end * slowed)] = numbers[segment.unit]
    return labels
