"""What a microphone gave, as sound and gaps: what was dropped, what never came, what was only zeros."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from counter_listener.domain import N_, SAMPLE_BYTES, SAMPLE_RATE, Gap, MicrophoneError

QUEUE_SECONDS: Final = 30
"""Of sound that may wait; beyond it the listener has fallen behind."""
STALL_SECONDS: Final = 4.0
"""Without any sound from a device: it is gone."""
JUMP_SECONDS: Final = 1.0
"""By which sound may fall behind the clock with nothing lost: buffers, and a busy machine."""
DRIFT: Final = 0.001
"""Seconds a second by which a sound card's clock may differ from the computer's; real ones are within a tenth of it."""
HOLD_SECONDS: Final = 5.0
"""Of exact zeros that pass as quiet. Later ones are held back: a muted microphone must not close a visit."""
MUTE_SECONDS: Final = 60.0
"""Of exact zeros that are a gap. No microphone that is on gives them: its own noise is never zero for long."""
MUTE_AGAIN_SECONDS: Final = 600.0
"""How often a gap is told anew while the device stays muted."""
WAIT_SECONDS: Final = 0.25
"""How long to wait for sound before looking whether to stop."""

FELL_BEHIND: Final = N_("the computer could not keep up, and this was not listened to")
OVERFLOW: Final = N_("the sound system dropped this before it reached the listener")
STALLED: Final = N_("the microphone gave no sound for a while")
MUTED: Final = N_("the microphone gave nothing but zeros: is it muted or unplugged?")

CaptureItem = bytes | Gap | None
"""What a microphone gives: sound, a loss, or nothing for a moment."""


class Flags(Protocol):
    """What PortAudio says of a block: sounddevice's CallbackFlags has this shape."""

    @property
    def input_overflow(self) -> bool:
        """Whether sound before this block was dropped."""


@dataclass(slots=True)
class CaptureQueue:
    """Between the sound system's thread and the listener: one end of the only queue there is."""

    waiting: queue.Queue[tuple[bytes, int, bool]]
    """Sound, how many frames had been dropped by then, and whether the sound system dropped some before it."""
    given: int = 0
    """Frames that the device gave so far, dropped ones included."""
    dropped: int = 0
    """Frames so far that found no room in the queue."""
    full: bool = False
    """Whether to drop what comes until the queue has been emptied: then one loss is one gap."""

    def callback(self, indata: bytes, frames: int, _time: object, status: Flags) -> None:
        """Copies, counts and puts, for PortAudio's thread must neither wait nor raise."""
        self.given += frames
        if self.full:
            self.dropped += frames
            return
        try:
            self.waiting.put_nowait((bytes(indata), self.dropped, status.input_overflow))
        except queue.Full:
            self.full = True
            self.dropped += frames


def make_capture_queue(rate: int, block_frames: int) -> CaptureQueue:
    """A tap whose queue holds QUEUE_SECONDS of blocks of this many frames, at `rate` Hertz."""
    return CaptureQueue(queue.Queue(max(1, QUEUE_SECONDS * rate // block_frames)))


@dataclass(slots=True)
class Capture:
    """Reads a tap: sound and losses, in order, until told to stop."""

    tap: CaptureQueue
    rate: int
    """Hertz, of the device."""
    clock: Callable[[], float]
    """Seconds; it never goes back."""
    running: Callable[[], bool]
    """Whether the device's stream still runs."""
    stopping: Callable[[], bool]
    told: int = 0
    """Frames dropped that a gap was told of."""
    lag: float | None = None
    """The clock less the length of all sound given, the least of late: when the first sound began; None before it."""
    last: float = 0.0
    """When sound came last, by the clock."""

    def __iter__(self) -> Iterator[CaptureItem]:
        """Sound as the device gives it; gaps, whose start is not filled in; None where nothing came for a moment.

        Raises MicrophoneError once the device is gone.
        """
        self.last = self.clock()
        while not self.stopping():
            try:
                sound, dropped, overflow = self.tap.waiting.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                self._look_alive()
                yield None
                continue
            if self.tap.full and self.tap.waiting.empty():
                self.tap.full = False
            yield from self._losses(dropped, overflow=overflow)
            yield sound

    def _losses(self, dropped: int, *, overflow: bool) -> Iterator[Gap]:
        if dropped > self.told:
            yield Gap(0.0, (dropped - self.told) / self.rate, FELL_BEHIND)
            self.told = dropped
        now = self.clock()
        lag = now - self.tap.given / self.rate
        usual = lag if self.lag is None else min(lag, self.lag + DRIFT * (now - self.last))
        missing = lag - usual
        if overflow or missing > JUMP_SECONDS:
            yield Gap(0.0, missing, OVERFLOW if overflow else STALLED)
            usual = lag
        self.lag, self.last = usual, now

    def _look_alive(self) -> None:
        silent = self.clock() - self.last
        if not self.running():
            raise MicrophoneError("The microphone stopped: was it unplugged?")
        if silent >= STALL_SECONDS:
            raise MicrophoneError("The microphone gives no sound any more: was it unplugged?")


def mark_muted(items: Iterable[CaptureItem]) -> Iterator[CaptureItem]:
    """The same 16 kHz mono 16-bit sound, with a minute of exact zeros as a gap.

    The first HOLD_SECONDS of zeros pass, later ones are held back. Where sound comes back within the minute, what was
    held back follows first: it was only quiet.
    """
    run, held = 0.0, HeldZeros()
    for item in items:
        if item is None:
            yield None
            continue
        if isinstance(item, Gap) or any(item):
            yield from held.let_go(muted=run >= MUTE_SECONDS)
            run = 0.0
            yield item
            continue
        run += len(item) / SAMPLE_BYTES / SAMPLE_RATE
        if run <= HOLD_SECONDS:
            yield item
            continue
        held.add(item, keep=run < MUTE_SECONDS)
        if run >= MUTE_SECONDS and held.due():
            yield held.as_gap()
        yield None
    yield from held.let_go(muted=run >= MUTE_SECONDS)


@dataclass(slots=True)
class HeldZeros:
    """Zeros held back until it shows what they are."""

    seconds: float = 0.0
    told: bool = False
    """Whether a gap was told of this mute."""
    sound: list[bytes] = field(default_factory=list)

    def add(self, zeros: bytes, *, keep: bool) -> None:
        """Counts some more, and keeps them where they may still be quiet."""
        self.seconds += len(zeros) / SAMPLE_BYTES / SAMPLE_RATE
        if keep:
            self.sound.append(zeros)

    def due(self) -> bool:
        """Whether a gap is to be told: at once for a new mute, later every MUTE_AGAIN_SECONDS."""
        return not self.told or self.seconds >= MUTE_AGAIN_SECONDS

    def as_gap(self) -> Gap:
        """What is held, as a gap whose start is not filled in."""
        gap = Gap(0.0, self.seconds, MUTED)
        self.seconds, self.told = 0.0, True
        self.sound.clear()
        return gap

    def let_go(self, *, muted: bool) -> Iterator[bytes | Gap]:
        """What is held: as a gap after a mute, else as the quiet that it was."""
        if muted and self.seconds:
            yield self.as_gap()
        yield from self.sound
        self.sound.clear()
        self.seconds, self.told = 0.0, False
