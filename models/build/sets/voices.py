"""Visits spoken by espeak-ng's test variants, on which no model is trained."""

from __future__ import annotations

import random
from typing import Final

from models.build.espeak import say
from models.build.held_out import TEST_VARIANTS
from models.build.lexicon import readings
from models.build.sets.labels import Line
from models.build.sets.rendering import RenderedLine, Renderer

RATE: Final = (140, 200)
"""Least and most words per minute."""
PITCH: Final = (35, 65)
PITCH_RANGE: Final = (35, 65)


def assign_voices(number: int) -> dict[str, str]:
    """The voices of the clerk and the customer in visit `number`; each voice is the clerk equally often."""
    count = len(TEST_VARIANTS)
    clerk = number % count
    return {"clerk": TEST_VARIANTS[clerk], "customer": TEST_VARIANTS[(clerk + 1 + number // count) % count]}


def voice_renderer(number: int) -> Renderer:
    """Renders the lines of visit `number`; the rate and pitch of a voice are constant in a visit."""
    voices = assign_voices(number)
    rng = random.Random(f"manner {number}")  # noqa: S311 - reproducible draws, not secrets
    parameters = {
        side: {
            "rate": rng.randint(*RATE),
            "pitch": rng.randint(*PITCH),
            "pitch_range": rng.randint(*PITCH_RANGE),
        }
        for side in sorted(voices)
    }

    def render(line: Line, _: random.Random) -> RenderedLine:
        speech = say(readings(line.text), voices[line.speaker], **parameters[line.speaker])
        return speech.samples, speech.syllables, voices[line.speaker]

    return render
