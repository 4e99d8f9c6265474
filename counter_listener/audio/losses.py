"""What is missing from a recording: how much, where, and the reason in words.

A gap has no start (0.0) until ReadPosition has fixed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from counter_listener.audio.chunking import samples_of
from counter_listener.audio.headers import WavHeader
from counter_listener.domain import N_, SAMPLE_RATE, Gap

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_JUMP: Final = 0.05
"""Seconds by which time stamps may be inexact with nothing lost."""
_INAUDIBLE: Final = 0.02
"""Seconds too short for a syllable: a shorter loss at the end is not reported."""
_DAY: Final = 86_400.0
"""Seconds; a larger total loss is not believed."""

UNDECODABLE: Final = N_("part of the recording is damaged and could not be decoded")
UNSTAMPED: Final = N_("the time stamps of the recording jump: part of it is missing")
BROKEN_OFF: Final = N_("the recording is damaged and could not be read beyond this point")
UNCLOSED: Final = N_("the recorder never closed the file, so its end may be missing")
TRUNCATED: Final = N_("the recording breaks off before the length that its header promises")
UNREAD: Final = N_("the file goes on after the audio that its header counts, and that part was not read")


@dataclass(slots=True)
class ReadPosition:
    """How far a recording has been read, and whether it held anything but silence."""

    samples: int = 0
    lost: float = 0.0
    """Seconds."""
    damaged: bool = False
    first: int = 0
    """The first sample."""
    silent: bool = True
    """Whether every sample so far equals the first."""

    @property
    def at(self) -> float:
        """Seconds into the stream."""
        return self.samples / SAMPLE_RATE + self.lost

    def advance(self, item: bytes | Gap) -> bytes | Gap:
        """Counts an item; returns the chunk itself, or the gap with its start."""
        if isinstance(item, Gap):
            gap = Gap(self.at, item.seconds if self.lost + item.seconds < _DAY else 0.0, item.reason)
            self.lost += gap.seconds
            self.damaged = True
            return gap
        samples = samples_of(item)
        if samples.size and not self.samples:
            self.first = int(samples[0])
        self.silent = self.silent and bool((samples == self.first).all())
        self.samples += samples.size
        return item


def find_losses(items: Iterable[AudioFrame | Gap]) -> Iterator[AudioFrame | Gap]:
    """The same items; neighbouring gaps are merged, and jumps of the time stamps become gaps."""
    expected: float | None = None
    loss: Gap | None = None
    for item in items:
        if isinstance(item, Gap):
            loss = Gap(0.0, item.seconds + (loss.seconds if loss else 0.0), item.reason)
            continue
        start = item.time
        jump = start - expected if start is not None and expected is not None else 0.0
        if loss:
            yield Gap(0.0, max(loss.seconds, jump), loss.reason)
        elif jump > _JUMP:
            yield Gap(0.0, jump, UNSTAMPED)
        loss = None
        yield item
        expected = None if start is None else start + item.samples / item.sample_rate
    if loss:
        yield loss


def wav_losses(wav: WavHeader) -> Iterator[Gap]:
    """What is missing at the end of a WAV file, by its header."""
    if not wav.closed:
        yield Gap(0.0, 0.0, UNCLOSED)
    for size, reason in ((wav.missing, TRUNCATED), (wav.unread, UNREAD)):
        seconds = wav.seconds(size)
        if size and not 0.0 < seconds < _INAUDIBLE:
            yield Gap(0.0, seconds, reason)
