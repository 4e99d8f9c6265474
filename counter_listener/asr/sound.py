"""How much sound there was around an utterance, and how loud: what was to be understood."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_RATE, Sound, Word

BLOCK_SECONDS: Final = BLOCK_SAMPLES / SAMPLE_RATE
ABOVE_BACKGROUND: Final = 9.0
"""Decibels above the background from which a block is sound. Measured: bench/understood.py."""
BELOW_SPEECH: Final = 20.0
"""Decibels below the loudest sound up to which a block is sound: the other channel is heard softer than that."""
BACKGROUND, LOUDEST = 10, 95
"""Percentiles of the levels of the last WINDOW blocks: the level of the background, and of the loudest sound."""
WINDOW: Final = 300
"""Blocks (a minute)."""
LEAST: Final = 50
"""Blocks (10 s) in which even speech without a pause has softer moments, so that they show the background."""
BEFORE: Final = 15
"""Blocks (3 s) before the first word of an utterance that may hold speech in which no word was found."""
AFTER: Final = 3
"""Blocks (0.6 s) after its last word, likewise."""
FRAME_SAMPLES: Final = 160
"""Samples of a frame (10 ms), in which the level of speech is measured: words begin and end within blocks."""
FRAMES: Final = BLOCK_SAMPLES // FRAME_SAMPLES
"""Frames of a block."""
SILENT: Final = -96.0
"""The level of 16-bit silence, in decibels below full scale."""


@dataclass(slots=True)
class SoundMeter:
    """The levels of the blocks of a stream."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=5 * WINDOW))
    """Of the last blocks, in decibels below full scale."""
    powers: deque[float] = field(default_factory=lambda: deque(maxlen=5 * WINDOW * FRAMES))
    """Of the last frames: the mean square of their samples."""
    blocks: int = 0
    """Blocks so far."""
    frames: int = 0
    """Frames so far."""
    measured: int = 0
    """Blocks up to the end of the last utterance."""

    def add(self, block: bytes) -> None:
        """Adds the next block."""
        samples = np.frombuffer(block, np.int16).astype(np.float64)
        power = float(np.square(samples).mean()) if samples.size else 0.0
        self.levels.append(_decibels(power))
        self.blocks += 1
        edges = np.arange(0, samples.size, FRAME_SAMPLES)
        if samples.size:
            sums = np.add.reduceat(np.square(samples), edges)
            self.powers.extend((sums / np.diff(edges, append=samples.size)).tolist())
        self.frames += edges.size

    def sound(self, words: tuple[Word, ...]) -> Sound:
        """The sound in and around an utterance. Word times are seconds of audio received.

        What an earlier utterance took is not counted again.
        """
        oldest = self.blocks - len(self.levels)
        first = max(oldest, self.measured, int(words[0].start / BLOCK_SECONDS) - BEFORE)
        last = max(first, min(self.blocks, int(words[-1].end / BLOCK_SECONDS) + 1 + AFTER))
        self.measured = last
        recent = np.array(self.levels)[max(0, min(first, last - WINDOW) - oldest) : last - oldest]
        own = recent[len(recent) - (last - first) :]
        speech = self._speech_level(words)
        if not own.size:
            return Sound(0.0, SILENT, None, speech)
        background, loudest = np.percentile(recent, (BACKGROUND, LOUDEST))
        loud = (own > background + ABOVE_BACKGROUND) & (own > loudest - BELOW_SPEECH)
        contrast = round(float(loudest - background), 1) if recent.size >= LEAST else None
        return Sound(round(int(loud.sum()) * BLOCK_SECONDS, 1), round(float(own.max()), 1), contrast, speech)

    def _speech_level(self, words: tuple[Word, ...]) -> float | None:
        """The mean level of the frames in which a word was said, in dB below full scale; None if none is at hand.

        Full scale is a square wave, as in ITU-T P.56 (dBov): a sine of full scale has -3.0.
        """
        oldest, seconds = self.frames - len(self.powers), FRAME_SAMPLES / SAMPLE_RATE
        powers = np.array(self.powers)
        spoken = np.zeros(powers.size, bool)
        for word in words:
            first, last = (round(at / seconds) - oldest for at in (word.start, word.end))
            spoken[max(0, first) : max(0, last)] = True
        power = float(powers[spoken].mean()) if spoken.any() else None
        return None if power is None else round(_decibels(power), 1)


def _decibels(power: float) -> float:
    """The mean square of samples as a level, in decibels below full scale."""
    return max(SILENT, 10 * math.log10(power / 32_768**2)) if power else SILENT
