"""Visits spoken by the variants of espeak-ng that are kept for tests: no model is trained on them."""

from __future__ import annotations

import random
from typing import Final

from models.build.espeak import say
from models.build.held_out import TEST_VARIANTS
from models.build.lexicon import readings
from models.build.sets.labels import Line, Span
from models.build.sets.sound import Samples
from models.build.sets.writing import Voicing

RATE: Final = (140, 200)
"""Words a minute, least and most."""
PITCH: Final = (35, 65)
PITCH_RANGE: Final = (35, 65)


def cast(number: int) -> dict[str, str]:
    """Whose voice the clerk and the customer have in the so manieth visit: each is clerk as often as any other."""
    count = len(TEST_VARIANTS)
    clerk = number % count
    return {"clerk": TEST_VARIANTS[clerk], "customer": TEST_VARIANTS[(clerk + 1 + number // count) % count]}


def voicing(number: int) -> Voicing:
    """How the lines of the so manieth visit are said, in a manner that each of its voices keeps through it."""
    voices = cast(number)
    manner = random.Random(f"manner {number}")  # noqa: S311 - a draw, no secret
    manners = {
        side: {
            "rate": manner.randint(*RATE),
            "pitch": manner.randint(*PITCH),
            "pitch_range": manner.randint(*PITCH_RANGE),
        }
        for side in sorted(voices)
    }

    def spoken(line: Line, _: random.Random) -> tuple[Samples, tuple[Span, ...], str]:
        speech = say(readings(line.text), voices[line.speaker], **manners[line.speaker])
        return speech.samples, speech.syllables, voices[line.speaker]

    return spoken
