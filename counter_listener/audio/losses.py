"""What is missing from a recording: how much, where, and the reason in words.

A gap has no start (0.0) until ReadPosition has fixed it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from counter_listener.audio.chunking import samples_of
from counter_listener.audio.wav import WavAudio
from counter_listener.domain import N_, SAMPLE_RATE, Gap

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_WINDOW: Final = 5.0
"""Seconds of audio before and behind a place over which clock and samples are compared there."""
_MOST: Final = 300
"""Frames of a window, at most: 6 s of 20 ms each, of damaged files much less."""
_FEW: Final = 10
"""Frames; fewer in a window may all be early, or all be late, by chance."""
LEAST_LOSS: Final = 0.1
"""Seconds by which all time stamps behind a place must be later than all before it: half a syllable. Time stamps of
FLV, WMA and others are rounded, so they are never exact."""
LEAST_LOSS_OF_FEW: Final = 0.25
"""The same where a window holds few frames: cameras write stamps that are off by 0.12 s either way. And seconds by
which a clock may be ahead after a window: no crystal is 5 % fast."""
_WORD: Final = 0.25
"""Seconds of sound between two losses that may hold a word."""
_INAUDIBLE: Final = 0.02
"""Seconds too short for a syllable: a shorter loss at the end is not reported."""
_DAY: Final = 86_400.0
"""Seconds; a larger total loss is not believed."""

UNDECODABLE: Final = N_("part of the recording is damaged and could not be decoded")
UNSTAMPED: Final = N_("the time stamps of the recording jump: part of it is missing")
MISSING_PAGES: Final = N_("pages of the Ogg file are missing")
MISSING_START: Final = N_("the beginning of the recording is missing")
BROKEN_OFF: Final = N_("the recording is damaged and could not be read beyond this point")
UNCLOSED: Final = N_("the recorder never closed the file, so its end may be missing")
TRUNCATED: Final = N_("the recording breaks off before the length that its header promises")
UNREAD: Final = N_("the file goes on after the audio that its header counts, and that part was not read")
UNREAD_TRACK: Final = N_("a sound track of the recording is coded in a way that cannot be decoded here")
LATE_TRACK: Final = N_("a track that begins in the middle of the recording was not read")


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
            gap = Gap(self.at, item.seconds if self.lost + item.seconds < _DAY else 0.0, item.reason, item.beside)
            self.lost += 0.0 if item.beside else gap.seconds
            self.damaged = True
            return gap
        samples = samples_of(item)
        if samples.size and not self.samples:
            self.first = int(samples[0])
        self.silent = self.silent and bool((samples == self.first).all())
        self.samples += samples.size
        return item


class _Waiting(NamedTuple):
    """A frame or a gap whose surroundings are not known yet."""

    item: AudioFrame | Gap
    at: float
    """Seconds of samples before it."""
    ahead: float | None
    """Of a frame: seconds by which its time stamp is ahead of the samples; None without a time stamp."""


@dataclass(slots=True)
class SoundClock:
    """Compares the time stamps of a track with its samples, and finds where samples are missing.

    A single time stamp proves nothing: cameras write stamps that wander. Samples are missing where every stamp of the
    next seconds is later, counted by samples, than every stamp of the last seconds; and where the clock runs so fast
    over seconds that no crystal does: then many short stretches are missing. A clock that is set back is no loss.
    """

    read: float = 0.0
    """Seconds of samples read so far."""
    lost: float = 0.0
    """Seconds in the gaps so far."""
    begin: float | None = None
    """Where the sound begins, in seconds by its own time stamps; None before the first one."""
    stamped_end: float = 0.0
    """Where it ends by them."""
    waiting: deque[_Waiting] = field(default_factory=deque)
    """The next seconds."""
    before: deque[tuple[float, float]] = field(default_factory=deque)
    """Of each frame of the last seconds: seconds of samples before it, and seconds by which its stamp is ahead."""

    @property
    def end(self) -> float:
        """Where the sound ends, in seconds of its own clock; by its samples if the clock is slow or nonsense."""
        return max(self.stamped_end, (self.begin or 0.0) + self.read + self.lost)

    def watch(self, items: Iterable[AudioFrame | Gap]) -> Iterator[AudioFrame | Gap]:
        """The same items; neighbouring gaps are merged, and where samples are missing there is a gap."""
        for item in items:
            self._add(item)
            while self.waiting and (self.read - self.waiting[0].at > _WINDOW or len(self.waiting) > _MOST):
                yield from self._release()
        while self.waiting:
            yield from self._release()

    def _add(self, item: AudioFrame | Gap) -> None:
        if isinstance(item, Gap) and item.beside:
            self.waiting.append(_Waiting(item, self.read, None))
            return
        if isinstance(item, Gap):
            self.stamped_end += item.seconds
            if self.waiting and isinstance(last := self.waiting[-1].item, Gap) and not last.beside:
                item = Gap(0.0, last.seconds + item.seconds, item.reason)
                self.waiting.pop()
            self.waiting.append(_Waiting(item, self.read, None))
            return
        seconds, time = item.samples / item.sample_rate, item.time
        self.waiting.append(_Waiting(item, self.read, None if time is None else time - self.read))
        self.read += seconds
        self.begin = time if self.begin is None else self.begin
        self.stamped_end = (self.stamped_end if time is None else time) + seconds

    def _release(self) -> Iterator[AudioFrame | Gap]:
        """The first item that waits, and a gap before it if samples are missing there."""
        first = self.waiting.popleft()
        if isinstance(first.item, Gap) and first.item.beside:
            yield first.item
            return
        if isinstance(first.item, Gap):
            yield self._lose(max(first.item.seconds, self._step(self._aheads())), first.item.reason)
            return
        if first.ahead is not None:
            if self.before:
                yield from self._compare(first.ahead)
            self.before.append((first.at, first.ahead))
            while first.at - self.before[0][0] > _WINDOW or len(self.before) > _MOST:
                self.before.popleft()
        yield first.item

    def _aheads(self) -> list[float]:
        """By how much the stamps are ahead up to the next gap."""
        frames = takewhile(lambda waiting: not isinstance(waiting.item, Gap), self.waiting)
        return [waiting.ahead for waiting in frames if waiting.ahead is not None]

    def _compare(self, ahead: float) -> Iterator[Gap]:
        """A gap if the stamps from here on are all later than those before. If all are earlier, the clock was set."""
        jump = ahead - self.before[-1][1]
        drift = ahead - self.before[0][1]
        if abs(jump) <= LEAST_LOSS and drift <= LEAST_LOSS_OF_FEW:
            return  # the usual case, without the work below
        before, after = [ahead for _, ahead in self.before], [ahead, *self._aheads()]
        is_full = min(len(before), len(after)) >= _FEW
        least = LEAST_LOSS if is_full else LEAST_LOSS_OF_FEW
        step = min(after) - min(before)
        if min(after) - max(before) > least or (is_full and step > LEAST_LOSS_OF_FEW):
            yield self._lose(step, UNSTAMPED)
        elif min(before) - max(after) > least:
            self.before.clear()

    def _step(self, after: list[float]) -> float:
        """Seconds missing at a gap by the time stamps; too few rather than too many."""
        before = [ahead for _, ahead in self.before]
        if not before or not after:
            return 0.0
        return min(after) - (min(before) if min(len(before), len(after)) >= _FEW else max(before))

    def _lose(self, seconds: float, reason: str) -> Gap:
        self.before.clear()
        self.lost += seconds
        return Gap(0.0, seconds, reason)


def merge_close(items: Iterable[AudioFrame | Gap]) -> Iterator[AudioFrame | Gap]:
    """The same items, where losses with less than a word between them are one, with what is between them."""
    loss: Gap | None = None
    since: list[AudioFrame | Gap] = []
    heard = 0.0
    for item in items:
        if isinstance(item, Gap) and not item.beside:
            loss = Gap(0.0, loss.seconds + heard + item.seconds, loss.reason) if loss else item
            since, heard = [each for each in since if isinstance(each, Gap)], 0.0
            continue
        since.append(item)
        heard += 0.0 if isinstance(item, Gap) else item.samples / item.sample_rate
        if loss is None or heard > _WORD:
            yield from (*([loss] if loss else []), *since)
            loss, since, heard = None, [], 0.0
    yield from (*([loss] if loss else []), *since)


def wav_losses(wav: WavAudio) -> Iterator[Gap]:
    """What is missing at the end of the audio of a WAV file, by its header."""
    if not wav.closed:
        yield Gap(0.0, 0.0, UNCLOSED)
    for size, reason in ((wav.missing, TRUNCATED), (wav.unread, UNREAD)):
        seconds = wav.seconds(size)
        if size and not 0.0 < seconds < _INAUDIBLE:
            yield Gap(0.0, seconds, reason)
