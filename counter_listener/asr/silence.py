"""A recogniser that is spared sound that goes on unchanged and in which it has just found no word."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, Protocol

from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Word

STEP: Final = 4
"""Samples over which a change is measured: a hum, rumble and an offset hardly count then, a voice does."""
LEVEL_RATIO: Final = 1.25
"""By what factor the loudest block of an unchanging stretch may be above the faintest."""
LEVEL_TOLERANCE: Final = 2.0
"""RMS, of 32 768, by which blocks may differ in any case: nobody's words are this faint."""
STEADY_BLOCKS: Final = 10
"""Blocks (2 s) that must have been alike before anything is held back."""
LEAD_SAMPLES: Final = 16_000
"""Samples (1 s) of quiet, at least, that the recogniser hears before sound that changes."""
SILENT_SAMPLES: Final = 80_640
"""Samples (5.04 s) of an utterance that libvosk ends because it holds only silence: 5 s, in whole chunks of 21 frames
of 10 ms. Let go in such measures, what follows meets the decoder just as far into an utterance, and is cut into frames
and chunks at the same samples, as if nothing had been left out."""


class Inner(Protocol):
    """What is spared: see recognizer.Recognizer."""

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended, or None while it goes on."""
        ...

    def finish(self) -> tuple[Word, ...]:
        """The words of what has not been given out yet."""
        ...


@dataclass(slots=True)
class SteadyStretch:
    """How many blocks in a row sounded alike, and between which levels they were."""

    blocks: int = 0
    low: float = 0.0
    high: float = 0.0

    def goes_on(self, block: bytes) -> bool:
        """Whether the block is like all of the stretch; if not, a new one begins with it."""
        level = signal_change(block)
        low, high = min(self.low, level), max(self.high, level)
        alike = self.blocks > 0 and high <= low * LEVEL_RATIO + LEVEL_TOLERANCE
        self.blocks, self.low, self.high = (self.blocks + 1, low, high) if alike else (1, level, level)
        return alike and len(block) == BLOCK_SAMPLES * SAMPLE_BYTES


@dataclass(slots=True)
class SilenceSkipper:
    """A recogniser of blocks, as the one inside it, and with its times as if that had been fed everything.

    Once the recogniser has ended an utterance without a word and the sound has been alike for STEADY_BLOCKS, blocks
    that go on alike are held back. Held sound is let go by whole silent utterances, the oldest first, so that when the
    sound changes the recogniser goes on with what was right before the change, as far into an utterance as it would
    have been. What differs then, by hundredths of a second, is where libvosk starts its features anew every 10 minutes.
    """

    inner: Inner
    held: bytearray | None = None
    """Sound held back; None while everything is fed."""
    gone: int = 0
    """Bytes let go since the last block that was fed."""
    skipped: int = 0
    """Samples never fed so far."""
    stretch: SteadyStretch = field(default_factory=SteadyStretch)

    def accept(self, block: bytes) -> tuple[Word, ...] | None:
        """The words of the utterance that this block ended (none if it was silence), or None while it goes on."""
        alike = self.stretch.goes_on(block)
        if self.held is None:
            return self._feed(block)
        self.held += block
        if not alike:
            return self._let_through()
        if len(self.held) < (SILENT_SAMPLES + LEAD_SAMPLES) * SAMPLE_BYTES:
            return None
        del self.held[: SILENT_SAMPLES * SAMPLE_BYTES]
        self.gone += SILENT_SAMPLES * SAMPLE_BYTES
        self.skipped += SILENT_SAMPLES
        return ()

    def finish(self) -> tuple[Word, ...]:
        """The words of what has not been given out yet."""
        words = self._let_through() or ()
        self.stretch = SteadyStretch()
        return words + self._moved(self.inner.finish())

    def partial(self) -> str:
        """What the utterance holds so far, by the engine's guess."""
        return self.inner.partial() if hasattr(self.inner, "partial") else ""

    def _feed(self, block: bytes) -> tuple[Word, ...] | None:
        words = self.inner.accept(block)
        if words == () and self.stretch.blocks >= STEADY_BLOCKS:
            self.held, self.gone = bytearray(), 0
        return None if words is None else self._moved(words)

    def _let_through(self) -> tuple[Word, ...] | None:
        held, self.held = bytes(self.held or b""), None
        size = BLOCK_SAMPLES * SAMPLE_BYTES
        first = size - self.gone % size  # the rest of a block that began in what was let go
        edges = [0, *range(first, len(held), size), len(held)] if held else []
        ended = [words for a, b in pairwise(edges) if (words := self.inner.accept(held[a:b])) is not None]
        return self._moved(tuple(word for words in ended for word in words)) if ended else None

    def _moved(self, words: Sequence[Word]) -> tuple[Word, ...]:
        shift = self.skipped / SAMPLE_RATE
        if not shift:
            return tuple(words)
        return tuple(replace(w, start=round(w.start + shift, 3), end=round(w.end + shift, 3)) for w in words)


def signal_change(block: bytes) -> float:
    """The RMS of how much 16-bit sound changes over STEP samples, of 32 768, told from every fourth sample."""
    samples = array("h")
    samples.frombytes(block)
    some = samples[::STEP]
    return math.dist(some[1:], some[:-1]) / math.sqrt(max(1, len(some) - 1))
