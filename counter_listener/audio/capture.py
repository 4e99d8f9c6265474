"""What a microphone delivers, as audio and gaps: dropped blocks, stalls and muted stretches are found here."""

import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from counter_listener.audio.chunking import samples_of
from counter_listener.domain import N_, SAMPLE_BYTES, SAMPLE_RATE, Gap, MicrophoneError

BLOCK_SECONDS: Final = 0.1
"""Length of the blocks that the device delivers: half a recogniser's block, which is then whole soon after its end."""
QUEUE_SECONDS: Final = 30
"""Length of the audio that may wait in the queue; beyond it the listener has fallen behind."""
STALL_SECONDS: Final = 4.0
"""A device that delivers nothing for so long is gone."""
JUMP_SECONDS: Final = 1.0
"""Audio may fall behind the clock by so much with nothing lost: buffers, and a busy computer."""
DRIFT: Final = 0.001
"""Seconds a second by which a sound card's clock may differ from the computer's; real ones are within a tenth of it."""
HOLD_SECONDS: Final = 5.0
"""Exact zeros pass as silence for so long. Later ones are held back: a muted microphone must not close a visit."""
MUTE_SECONDS: Final = 60.0
"""Exact zeros for so long are a gap. A microphone that is on never delivers them: its own noise is not zero."""
MUTE_AGAIN_SECONDS: Final = 600.0
"""How often a gap is reported again while the device stays muted."""
WAIT_SECONDS: Final = 0.25
"""How long to wait for audio before asking again whether to stop."""

FELL_BEHIND: Final = N_("the computer could not keep up, and this was not listened to")
OVERFLOW: Final = N_("the sound system dropped this before it reached the listener")
STALLED: Final = N_("the microphone gave no sound for a while")
MUTED: Final = N_("the microphone gave nothing but zeros: is it muted or unplugged?")

CaptureItem = bytes | Gap | None
"""What a microphone delivers: audio, a gap, or None where nothing came for a moment."""


@dataclass(slots=True)
class CaptureQueue:
    """The queue between the sound system's thread and the listener."""

    blocks: queue.Queue[tuple[bytes, int, bool]] = field(
        default_factory=lambda: queue.Queue(round(QUEUE_SECONDS / BLOCK_SECONDS))
    )
    """Audio, the frames dropped before it since the start, and whether the sound system dropped some before it."""
    frames: int = 0
    """Frames that the device has delivered, dropped ones included."""
    dropped: int = 0
    """Frames for which the queue had no room."""
    full: bool = False
    """Whether to drop what comes until the queue is empty, so that one loss is one gap."""

    def callback(self, indata: bytes, frames: int, _time: object, status: Any) -> None:  # noqa: ANN401 - it has no types
        """Called by PortAudio's thread, which must neither wait nor raise: it copies, counts and puts."""
        self.frames += frames
        if self.full:
            self.dropped += frames
            return
        try:
            self.blocks.put_nowait((bytes(indata), self.dropped, status.input_overflow))
        except queue.Full:
            self.full = True
            self.dropped += frames


@dataclass(slots=True)
class Capture:
    """Reads a capture queue: audio and gaps, in order, until `stopping`."""

    source: CaptureQueue
    rate: int
    """Hertz, of the device."""
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    running: Callable[[], bool]
    """Whether the device's stream still runs."""
    stopping: Callable[[], bool]
    start: float | None = None
    """When the first sample was recorded, by the clock: the clock less the length of all audio delivered, its recent
    minimum, for delays only add to it. None before the first block."""
    last: float = 0.0
    """When the last block came, by the clock."""
    reported: int = 0
    """Dropped frames for which a gap was yielded."""

    def __iter__(self) -> Iterator[CaptureItem]:
        """Audio as the device delivers it; gaps, whose start is not filled in; None where nothing came for a moment.

        Raises MicrophoneError once the device is gone.
        """
        self.last = self.clock()
        while not self.stopping():
            try:
                audio, dropped, overflow = self.source.blocks.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                self._check_device()
                yield None
                continue
            if self.source.full and self.source.blocks.empty():
                self.source.full = False
            yield from self._gaps(dropped, overflow=overflow)
            yield audio

    def _gaps(self, dropped: int, *, overflow: bool) -> Iterator[Gap]:
        if dropped > self.reported:
            yield Gap(0.0, (dropped - self.reported) / self.rate, FELL_BEHIND)
            self.reported = dropped
        now = self.clock()
        start = now - self.source.frames / self.rate
        expected = start if self.start is None else min(start, self.start + DRIFT * (now - self.last))
        missing = start - expected
        if overflow or missing > JUMP_SECONDS:
            yield Gap(0.0, missing, OVERFLOW if overflow else STALLED)
            expected = start
        self.start, self.last = expected, now

    def _check_device(self) -> None:
        if not self.running():
            raise MicrophoneError("The microphone stopped: was it unplugged?")
        if self.clock() - self.last >= STALL_SECONDS:
            raise MicrophoneError("The microphone gives no sound any more: was it unplugged?")


def mark_muted(items: Iterable[CaptureItem]) -> Iterator[CaptureItem]:
    """The same 16 kHz mono 16-bit audio, with MUTE_SECONDS of exact zeros as a gap.

    The first HOLD_SECONDS of zeros pass, later ones are held back. If other audio comes before MUTE_SECONDS, the zeros
    are yielded before it: they were only silence.
    """
    zeros = ZeroRun()
    for item in items:
        if item is None:
            yield None
        elif isinstance(item, bytes) and not samples_of(item).any():
            yield from zeros.add(item)
        else:
            yield from zeros.end()
            zeros = ZeroRun()
            yield item
    yield from zeros.end()


@dataclass(slots=True)
class ZeroRun:
    """Exact zeros in a row, held back until they are known to be silence or a muted microphone."""

    seconds: float = 0.0
    unreported: float = 0.0
    """Seconds of zeros held back, and not yet in a gap."""
    reported: bool = False
    """Whether a gap was yielded for this run."""
    held: list[bytes] = field(default_factory=list)

    def add(self, zeros: bytes) -> Iterator[CaptureItem]:
        """What can be yielded once these zeros have come."""
        seconds = len(zeros) / SAMPLE_BYTES / SAMPLE_RATE
        self.seconds += seconds
        if self.seconds <= HOLD_SECONDS:
            yield zeros
            return
        self.unreported += seconds
        if self.seconds < MUTE_SECONDS:
            self.held.append(zeros)
        elif not self.reported or self.unreported >= MUTE_AGAIN_SECONDS:
            yield self._gap()
        yield None

    def end(self) -> Iterator[bytes | Gap]:
        """What is held back when the run is over: the rest of a mute as a gap, or the zeros."""
        if self.reported and self.unreported:
            yield self._gap()
        yield from self.held

    def _gap(self) -> Gap:
        gap = Gap(0.0, self.unreported, MUTED)
        self.unreported, self.reported = 0.0, True
        self.held.clear()
        return gap
