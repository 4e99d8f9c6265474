"""Lines spoken by natural voices on which no model is trained; Kokoro-82M speaks each once, into a folder."""

from __future__ import annotations

import hashlib
import os
import random
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.build.held_out import NATURAL_TEST_VOICES
from models.build.lexicon import readings
from models.build.sets.labels import Line, Span
from models.build.sets.rendering import RenderedLine, Renderer
from models.build.sets.sound import CLIP, Samples
from models.build.voices.phonemes import phonemes

if TYPE_CHECKING:
    from models.build.voices.kokoro import Kokoro

VOICES: Final = NATURAL_TEST_VOICES[:2]
"""A woman and a man."""
SPEEDS: Final = (0.95, 1.35)
"""Least and highest speed of a voice, constant in a visit."""


class Spoken(NamedTuple):
    """A sentence, and who speaks it how fast."""

    text: str
    """May have punctuation, which is heard as pauses."""
    voice: str
    speed: float

    def file(self, folder: Path) -> Path:
        """Where its sound is kept."""
        name = hashlib.sha256("\t".join(map(str, self)).encode()).hexdigest()[:20]
        return folder / f"{name}.npz"


def cast_visit(number: int) -> dict[str, tuple[str, float]]:
    """The voice and the speed of the clerk and the customer in visit `number`; each voice is the clerk in turn."""
    rng = random.Random(f"natural {number}")  # noqa: S311 - reproducible draws, not secrets
    clerk = number % len(VOICES)
    order = {"clerk": VOICES[clerk], "customer": VOICES[1 - clerk]}
    return {side: (voice, round(rng.uniform(*SPEEDS), 2)) for side, voice in order.items()}


def spoken_line(line: Line, cast: Mapping[str, tuple[str, float]]) -> Spoken:
    """A line of a script as it is spoken in a visit."""
    voice, speed = cast[line.speaker]
    return Spoken(line.text, voice, speed)


def speak(sentences: Iterable[Spoken], folder: Path) -> None:
    """Speaks the sentences that are not in the folder yet, one process for each core. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [sentence for sentence in dict.fromkeys(sentences) if not sentence.file(folder).is_file()]
    if missing:
        with ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn")) as pool:
            deque(pool.map(_speak_one, missing, [folder] * len(missing), chunksize=4), maxlen=0)


def _speak_one(sentence: Spoken, folder: Path) -> None:
    reading = readings("".join(character for character in sentence.text if character.isalpha()))
    speech = _kokoro().say(phonemes(f"{sentence.text}。", reading), sentence.voice, sentence.speed)
    target = sentence.file(folder)
    partial = target.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, samples=np.round(speech.samples * CLIP).astype("<i2"), characters=np.array(speech.characters))
    partial.replace(target)


@cache
def _kokoro() -> Kokoro:
    from models.build.voices.kokoro import Kokoro
    from models.build.voices.packages import kokoro_folder

    return Kokoro(kokoro_folder())


def load_speech(sentence: Spoken, folder: Path) -> tuple[Samples, tuple[Span, ...]]:
    """The samples of a sentence that was spoken, and when each character is spoken in them, in seconds."""
    with np.load(sentence.file(folder)) as arrays:
        samples, characters = arrays["samples"].astype(np.float32), arrays["characters"]
    return samples, tuple((float(start), float(end)) for start, end in characters)


def natural_renderer(number: int, folder: Path) -> Renderer:
    """Renders the lines of visit `number` from the sentences in a folder."""
    cast = cast_visit(number)

    def render(line: Line, _: random.Random) -> RenderedLine:
        sentence = spoken_line(line, cast)
        return *load_speech(sentence, folder), sentence.voice

    return render
