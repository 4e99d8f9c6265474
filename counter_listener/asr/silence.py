"""A recogniser that does not decode long stretches of unchanging sound in which no word was found."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np

from counter_listener.asr.recognizer import Recognizer
from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Word

STEP: Final = 4
"""Samples over which a change is measured. A hum, rumble or offset hardly counts then, a voice does."""
LEVEL_RATIO: Final = 1.25
"""Largest ratio of the highest to the lowest level in a steady stretch."""
LEVEL_TOLERANCE: Final = 2.0
"""RMS, of 32 768, by which levels may differ in any case. No speech is this quiet."""
STEADY_BLOCKS: Final = 10
"""Blocks (2 s) that must have been alike before anything is held back."""
LEAD_SAMPLES: Final = 16_000
"""Samples (1 s) of quiet, at least, that the recogniser receives before sound that changes."""
SILENT_SAMPLES: Final = 80_640
"""Samples (5.04 s) after which libvosk ends an utterance that holds only silence: 5 s, in whole chunks of 21 frames of
10 ms. If multiples of it are skipped, the decoder is as far into an utterance, and cuts frames and chunks at the same
samples, as if nothing had been skipped."""


@dataclass(slots=True)
class SteadyStretch:
    """How many consecutive blocks sounded alike, and the range of their levels."""

    blocks: int = 0
    low: float = 0.0
    high: float = 0.0

    def add(self, block: bytes) -> bool:
        """Whether the block is like the whole stretch; if not, a new stretch begins with it."""
        level = signal_change(block)
        low, high = min(self.low, level), max(self.high, level)
        alike = self.blocks > 0 and high <= low * LEVEL_RATIO + LEVEL_TOLERANCE
        self.blocks, self.low, self.high = (self.blocks + 1, low, high) if alike else (1, level, level)
        return alike and len(block) == BLOCK_SAMPLES * SAMPLE_BYTES


@dataclass(slots=True)
class SilenceSkipper:
    """A Recognizer that skips steady sound; its times are those of the whole stream.

    Once the inner recogniser has ended an utterance without a word and the sound has been alike for STEADY_BLOCKS,
    blocks that stay alike are held back. Held sound is dropped in whole silent utterances, the oldest first. When the
    sound changes, the recogniser continues with what came right before the change, as far into an utterance as it would
    have been. The result then differs only, by hundredths of a second, where libvosk restarts its features every
    10 minutes.
    """

    inner: Recognizer
    held: bytearray | None = None
    """Sound held back; None while every block is passed on."""
    dropped: int = 0
    """Bytes dropped since the last block that was passed on."""
    skipped: int = 0
    """Samples dropped so far."""
    stretch: SteadyStretch = field(default_factory=SteadyStretch)

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended (none if it was silence), or None while it continues."""
        alike = self.stretch.add(block)
        if self.held is None:
            words = self.inner.accept(block)
            if words == () and self.stretch.blocks >= STEADY_BLOCKS:
                self.held, self.dropped = bytearray(), 0
            return None if words is None else self._shifted(words)
        self.held += block
        if not alike:
            return self._release()
        if len(self.held) < (SILENT_SAMPLES + LEAD_SAMPLES) * SAMPLE_BYTES:
            return None
        del self.held[: SILENT_SAMPLES * SAMPLE_BYTES]
        self.dropped += SILENT_SAMPLES * SAMPLE_BYTES
        self.skipped += SILENT_SAMPLES
        return ()

    def finish(self) -> tuple[Word, ...]:
        """The words that have not been returned yet."""
        words = self._release() or ()
        self.stretch = SteadyStretch()
        return words + self._shifted(self.inner.finish())

    def _release(self) -> tuple[Word, ...] | None:
        """Passes the held sound on, in the same blocks as without skipping."""
        held, self.held = bytes(self.held or b""), None
        size = BLOCK_SAMPLES * SAMPLE_BYTES
        first = size - self.dropped % size  # the rest of a block whose beginning was dropped
        edges = [0, *range(first, len(held), size), len(held)] if held else []
        ended = [words for a, b in pairwise(edges) if (words := self.inner.accept(held[a:b])) is not None]
        return self._shifted(tuple(word for words in ended for word in words)) if ended else None

    def _shifted(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        shift = self.skipped / SAMPLE_RATE
        if not shift:
            return words
        return tuple(replace(w, start=round(w.start + shift, 3), end=round(w.end + shift, 3)) for w in words)


def signal_change(block: bytes) -> float:
    """The RMS, of 32 768, of the change of 16-bit samples over STEP samples, computed from every fourth sample."""
    change = np.diff(np.frombuffer(block, dtype=np.int16)[::STEP].astype(np.float64))
    return float(np.linalg.norm(change) / max(1, change.size) ** 0.5)
