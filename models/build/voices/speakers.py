"""Speakers: the voices of Kokoro-82M and mixtures of two. Each mixture is a speaker of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.errors import BuildError
from models.build.held_out import NATURAL_TEST_VOICES, check_natural_voice, voices_in

MANDARIN: Final = "z"
"""First letter of the voices of Mandarin; the others speak it with an accent."""
KINDS: Final = {"mandarin": 0.2, "mandarin+any": 0.62, "other+other": 0.09, "other": 0.09}
"""Shares of speakers. Of other languages' voices alone an independent recogniser misses twice as many syllables."""
WEIGHTS: Final = (0.3, 0.8)
"""Least and highest share of the first voice in a mixture."""

Voices = Mapping[str, NDArray[np.float32]]
"""By name, the styles for each length of a sentence: 510 x 256."""


def training_voices(names: Sequence[str]) -> list[str]:
    """The voices that may be trained on, sorted."""
    return sorted(set(names) - set(NATURAL_TEST_VOICES))


def draw_speaker(names: Sequence[str], rng: random.Random) -> str:
    """A voice, or a mixture `a+b@0.65` with 0.65 of the first, of the voices that may be trained on."""
    mandarin = [name for name in names if name.startswith(MANDARIN)]
    others = [name for name in names if not name.startswith(MANDARIN)]
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    if kind in {"mandarin", "other"}:
        return check_natural_voice(rng.choice(mandarin if kind == "mandarin" else others))
    first = rng.choice(mandarin if kind == "mandarin+any" else others)
    second = rng.choice([name for name in (names if kind == "mandarin+any" else others) if name != first])
    return check_natural_voice(f"{first}+{second}@{round(rng.uniform(*WEIGHTS), 2)}")


def style(voices: Voices, speaker: str, phonemes: int) -> NDArray[np.float32]:
    """The style (256) of a speaker in a sentence of this many phonemes. Raises BuildError for an unknown name."""
    names = voices_in(speaker)
    share = float(speaker.partition("@")[2] or 1)
    if unknown := [name for name in names if name not in voices]:
        raise BuildError(f"Kokoro-82M has no voice {unknown[0]!r}.")
    rows = [voices[name][min(phonemes, len(voices[name])) - 1] for name in names]
    return np.asarray(rows[0] if len(rows) == 1 else share * rows[0] + (1 - share) * rows[1], np.float32)
