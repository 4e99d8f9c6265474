"""What is missing from a recording: how much, where, and in which words to say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from counter_listener.audio.headers import WavHeader
from counter_listener.domain import N_, SAMPLE_BYTES, SAMPLE_RATE, Gap

_JUMP: Final = 0.05
"""Seconds by which time stamps may be out with nothing lost."""
_BREATH: Final = 0.02
"""Seconds too short to hold a syllable: lost at the end, nobody need be told."""
_DAY: Final = 86_400.0
"""Seconds; a file that says so much of it is missing is not believed."""

UNDECODABLE: Final = N_("part of the recording is damaged and could not be decoded")
UNSTAMPED: Final = N_("the time stamps of the recording jump: part of it is missing")
BROKEN_OFF: Final = N_("the recording is damaged and could not be read beyond this point")
UNCLOSED: Final = N_("the recorder never closed the file, so its end may be missing")
TRUNCATED: Final = N_("the recording breaks off before the length that its header promises")
UNREAD: Final = N_("the file goes on after the audio that its header counts, and that part was not read")


@dataclass(frozen=True, slots=True)
class SampleLoss:
    """Sound that is not there, before its place in the stream is known."""

    seconds: float
    """0 where nobody can say."""
    reason: str
    """One sentence for people."""


class TimedFrame(Protocol):
    """A stretch of sound with a time stamp: PyAV's frames have this shape."""

    @property
    def time(self) -> float | None:
        """Seconds, by the clock of the recorder."""

    @property
    def samples(self) -> int:
        """How many, of one channel."""

    @property
    def sample_rate(self) -> int:
        """Hertz."""


Sound = TypeVar("Sound", bound=TimedFrame)


@dataclass(slots=True)
class ReadPosition:
    """How far a recording has been read, and whether there was any sound on it."""

    samples: int = 0
    lost: float = 0.0
    """Seconds."""
    damaged: bool = False
    level: bytes = b""
    """The first sample."""
    silent: bool = True
    """Whether every sample so far was as the first."""

    @property
    def at(self) -> float:
        """Seconds into the stream."""
        return self.samples / SAMPLE_RATE + self.lost

    def pass_by(self, item: bytes | SampleLoss) -> bytes | Gap:
        """The chunk itself, or the gap that the loss is at this place."""
        if isinstance(item, SampleLoss):
            gap = Gap(self.at, item.seconds if self.lost + item.seconds < _DAY else 0.0, item.reason)
            self.lost += gap.seconds
            self.damaged = True
            return gap
        self.level = self.level or item[:SAMPLE_BYTES]
        self.silent = self.silent and item == self.level * (len(item) // SAMPLE_BYTES)
        self.samples += len(item) // SAMPLE_BYTES
        return item


def find_losses(items: Iterable[Sound | SampleLoss]) -> Iterator[Sound | SampleLoss]:
    """The same, with neighbouring losses as one, and with what the time stamps show to be missing."""
    due: float | None = None
    lost: SampleLoss | None = None
    for item in items:
        if isinstance(item, SampleLoss):
            lost = SampleLoss(item.seconds + (lost.seconds if lost else 0.0), item.reason)
            continue
        starts = item.time
        jump = starts - due if starts is not None and due is not None else 0.0
        if lost:
            yield SampleLoss(max(lost.seconds, jump), lost.reason)
        elif jump > _JUMP:
            yield SampleLoss(jump, UNSTAMPED)
        lost = None
        yield item
        due = None if starts is None else starts + item.samples / item.sample_rate
    if lost:
        yield lost


def wav_losses(wav: WavHeader) -> Iterator[SampleLoss]:
    """What is missing at the end of a WAV file, by its header."""
    if not wav.closed:
        yield SampleLoss(0.0, UNCLOSED)
    for size, reason in ((wav.missing, TRUNCATED), (wav.unread, UNREAD)):
        seconds = wav.seconds(size)
        if size and not 0.0 < seconds < _BREATH:
            yield SampleLoss(seconds, reason)
