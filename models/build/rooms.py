"""Rooms: impulse responses by the image method (Allen and Berkley, 1979), from a small office to a banking hall."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from models.build.features import SAMPLE_RATE

Samples = NDArray[np.float32]

ROOMS: Final = 200
"""Different responses; a response takes about 20 ms to compute."""
SMALLEST: Final = (2.4, 2.4, 2.4)
LARGEST: Final = (14.0, 10.0, 4.5)
"""Metres: the range of the width, the depth and the height of a room."""
REVERBERATION: Final = (0.2, 0.8)
"""Least and longest reverberation time in seconds."""
DISTANCES: Final = (0.4, 4.0)
"""Least and largest distance of a speaker from the microphone in metres."""
MARGIN: Final = 0.3
"""Metres that the microphone and the speaker keep from the walls."""
ORDER: Final = 36
"""Most reflections of a path: they cover the first quarter of a second of the largest room."""
GLASS_SHARE: Final = 0.25
"""Share of speakers who stand behind the glass of a counter."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room with a speaker and a microphone: sizes and positions in metres, the reverberation time in seconds."""

    size: tuple[float, ...]
    reverberation: float
    mouth: tuple[float, ...]
    microphone: tuple[float, ...]

    @property
    def distance(self) -> float:
        return float(np.linalg.norm(np.subtract(self.mouth, self.microphone)))


def draw_room(rng: random.Random) -> Room:
    """A room in which the speaker is in DISTANCES, near ones as often as far ones."""
    size = tuple(low * (high / low) ** rng.random() for low, high in zip(SMALLEST, LARGEST, strict=True))
    volume, surface = np.prod(size), 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    least = 1.1 * 0.161 * volume / surface  # Sabine: shorter only if more than all sound were absorbed
    reverberation = max(least, rng.uniform(*REVERBERATION))
    while True:
        microphone = (*(rng.uniform(MARGIN, side - MARGIN) for side in size[:2]), rng.uniform(0.8, 1.3))
        distance = DISTANCES[0] * (DISTANCES[1] / DISTANCES[0]) ** rng.random()
        angle = rng.uniform(0, 2 * np.pi)
        height = rng.uniform(1.1, 1.6)
        mouth = (microphone[0] + distance * np.cos(angle), microphone[1] + distance * np.sin(angle), height)
        if all(MARGIN <= place <= side - MARGIN for place, side in zip(mouth, size, strict=True)):
            return Room(size, reverberation, mouth, microphone)


def response(room: Room) -> Samples:
    """The impulse response of a room. The direct sound is its first sample, with the value 1."""
    import pyroomacoustics

    absorption, order = pyroomacoustics.inverse_sabine(room.reverberation, room.size)
    shoebox = pyroomacoustics.ShoeBox(
        room.size, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, ORDER)
    )
    shoebox.add_source(room.mouth)
    shoebox.add_microphone(room.microphone)
    shoebox.compute_rir()
    computed = np.asarray(shoebox.rir[0][0], np.float32)
    first = round(room.distance / pyroomacoustics.constants.get("c") * SAMPLE_RATE) + _filter_delay(pyroomacoustics)
    direct = first - 8 + int(np.argmax(np.abs(computed[first - 8 : first + 9])))
    return cast("Samples", computed[direct:] / computed[direct])


def _filter_delay(pyroomacoustics: object) -> int:
    """Samples by which the filters of fractional delays in the image method delay everything."""
    return int(pyroomacoustics.constants.get("frac_delay_length") // 2)  # type: ignore[attr-defined]


def behind_glass(samples: Samples, rng: random.Random) -> Samples:
    """Speech through the glass of a counter, as long as before.

    Above a corner frequency a pane passes 6 dB less per octave (the mass law); what comes through the opening limits
    the loss.
    """
    corner, leak = rng.uniform(300, 900), 10 ** (-rng.uniform(8, 22) / 20)
    size = 1 << (2 * len(samples) - 1).bit_length()
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    passed = np.maximum(leak, 1 / np.sqrt(1 + (frequencies / corner) ** 2))
    return np.fft.irfft(np.fft.rfft(samples, size) * passed, size)[: len(samples)].astype(np.float32)


@cache
def known_response(number: int) -> Samples:
    """The response of one of ROOMS rooms; the same number always is the same room."""
    return response(draw_room(random.Random(f"room {number}")))  # noqa: S311 - reproducible draws, not secrets


def in_room(samples: Samples, rng: random.Random) -> Samples:
    """The samples in one of the rooms, sometimes from behind glass; as long as before, at the same power."""
    far = fftconvolve(samples, known_response(rng.randrange(ROOMS)))[: len(samples)].astype(np.float32)
    if rng.random() < GLASS_SHARE:
        far = behind_glass(far, rng)
    power = float(np.square(samples, dtype=np.float64).mean() / max(1e-9, np.square(far, dtype=np.float64).mean()))
    return cast("Samples", far * np.float32(power**0.5))
