"""Channels and tracks mixed to one: nothing cancels, and nothing is left out."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.audio.chunking import Chunk, samples_of
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, Gap

Samples = NDArray[np.int16]

_WINDOW: Final = 1_600
"""Samples (0.1 s) that are mixed in one way. It is the same for all sources, so that results do not depend on them."""
_MEMORY: Final = 0.9
"""Share of what was measured that counts on in the next window: about 1 s is remembered."""
_OPPOSITE: Final = -0.5
"""Correlation from which on two channels count as the same sound in opposite polarity."""
_LARGEST: Final = 32_767
_DAY: Final = 86_400.0
"""Seconds; a longer loss is not believed."""


@dataclass(slots=True)
class Mixer:
    """Mixes channels of 16 kHz to one: their mean, where a channel of opposite polarity is turned round.

    Opposite polarity is common: a swapped pair of wires, or a balanced line in a stereo socket. The mean would be
    silence. Channels are compared by the change from sample to sample, in which a hum hardly counts.
    """

    channels: int
    rest: Samples = field(init=False)
    """Samples that do not fill a window yet, a row for each channel."""
    signs: NDArray[np.float64] = field(init=False)
    """1, or -1 for a channel that is turned round."""
    products: NDArray[np.float64] = field(init=False)
    """Of recent sound: how each channel goes with those before it, and the energies of both."""

    def __post_init__(self) -> None:
        self.rest = np.zeros((self.channels, 0), np.int16)
        self.signs = np.ones(self.channels)
        self.products = np.zeros((3, self.channels))

    def mix(self, samples: Samples) -> Chunk:
        """The mixed samples of all windows that are full now. In: a row for each channel."""
        self.rest = np.concatenate((self.rest, samples), axis=1)
        full = self.rest.shape[1] // _WINDOW * _WINDOW
        windows = [self.rest[:, start : start + _WINDOW] for start in range(0, full, _WINDOW)]
        self.rest = self.rest[:, full:]
        return b"".join(map(self._mix, windows))

    def finish(self) -> Chunk:
        """The mixed samples that do not fill a window."""
        window, self.rest = self.rest, self.rest[:, :0]
        return self._mix(window) if window.size else b""

    def _mix(self, window: Samples) -> Chunk:
        sound = window.astype(np.float64)
        self._turn(np.diff(sound, axis=1))
        mean = np.rint(self.signs @ sound / self.channels)
        return np.clip(mean, -_LARGEST, _LARGEST).astype("<i2").tobytes()

    def _turn(self, changes: NDArray[np.float64]) -> None:
        """Decides which channels are turned round from now on."""
        self.products *= _MEMORY
        common = changes[0].copy()
        for number in range(1, self.channels):
            change = changes[number]
            self.products[:, number] += common @ change, common @ common, change @ change
            product, *energies = self.products[:, number]
            correlation = product / max(np.sqrt(np.prod(energies)), 1.0)
            if correlation < _OPPOSITE:
                self.signs[number] = -1.0
            elif correlation > 0.0:
                self.signs[number] = 1.0
            common += self.signs[number] * change


@dataclass(slots=True)
class _Track:
    """What comes next of a track: samples, or what is lost."""

    items: Iterator[Chunk | Gap]
    pending: deque[Samples | Gap] = field(default_factory=deque)
    told: bool = False
    """Whether the gap that comes next has been yielded."""

    def fill(self) -> bool:
        """Whether anything comes next."""
        while not self.pending and (item := next(self.items, None)) is not None:
            if isinstance(item, Gap):
                self.pending.append(item if item.seconds < _DAY else replace(item, seconds=0.0))
            elif len(item) >= SAMPLE_BYTES:
                self.pending.append(samples_of(item))
        return bool(self.pending)

    @property
    def left(self) -> int:
        """Samples until something else comes next."""
        item = self.pending[0]
        return round(item.seconds * SAMPLE_RATE) if isinstance(item, Gap) else item.size

    def skip(self, count: int) -> None:
        """Passes samples that are lost."""
        item = self.pending.popleft()
        rest = round(item.seconds * SAMPLE_RATE) - count if isinstance(item, Gap) else 0
        if isinstance(item, Gap) and rest > 0:
            self.pending.appendleft(replace(item, seconds=rest / SAMPLE_RATE))
        else:
            self.told = False

    def take(self, count: int) -> Samples:
        """The next samples; zeros where they are lost."""
        item = self.pending[0]
        if isinstance(item, Gap):
            self.skip(count)
            return np.zeros(count, np.int16)
        self.pending.popleft()
        if count < item.size:
            self.pending.appendleft(item[count:])
        return item[:count]


def mix_tracks(tracks: Sequence[Iterable[Chunk | Gap]]) -> Iterator[Chunk | Gap]:
    """Tracks of the same time, mixed. A track that ends earlier is silent from there on.

    What only some tracks have lost is a gap beside the sound of the others, and takes no time of its own.
    """
    sides = [_Track(iter(track)) for track in tracks]
    mixer = Mixer(len(sides))
    while playing := [side for side in sides if side.fill()]:
        count = min(side.left for side in playing)
        lost = [side for side in playing if isinstance(side.pending[0], Gap)]
        if len(lost) == len(playing):
            yield mixer.finish()
            yield Gap(0.0, count / SAMPLE_RATE, _reason(lost[0]))
            for side in playing:
                side.skip(count)
            continue
        for side in lost:
            if not side.told:
                yield mixer.finish()
                yield Gap(0.0, side.left / SAMPLE_RATE, _reason(side), beside=True)
                side.told = True
        taken = {id(side): side.take(count) for side in playing}
        ended = np.zeros(count, np.int16)
        yield mixer.mix(np.stack([taken.get(id(side), ended) for side in sides]))
    yield mixer.finish()


def _reason(side: _Track) -> str:
    item = side.pending[0]
    return item.reason if isinstance(item, Gap) else ""


def silence(seconds: float) -> Iterator[Chunk]:
    """Zeros, in chunks of at most a second."""
    left = round(seconds * SAMPLE_RATE)
    while left > 0:
        count = min(left, SAMPLE_RATE)
        yield bytes(count * SAMPLE_BYTES)
        left -= count
