"""Audio for the test sets: trimming, tempo, noise and rooms. Samples are float32, mono, 16 kHz, in 16-bit range."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from counter_listener.audio import read_recording
from counter_listener.domain import SAMPLE_RATE

Samples: TypeAlias = NDArray[np.float32]

FRAME: Final = SAMPLE_RATE // 100
"""Samples in 10 ms, the frame in which energy is measured."""
QUIET_DB: Final = 32.0
"""A recorded word begins and ends this many decibels below its loudest frame; s, x and f are about 25 below a vowel."""
MARGIN: Final = 2
"""Frames that remain on each side of a trimmed word."""
FADE: Final = SAMPLE_RATE // 200
"""Samples in 5 ms, the length of a fade at an edge or a joint."""
CLIP: Final = 32_767
ROOM_METRES: Final = (4.5, 3.5, 2.7)
MOUTH: Final = (1.6, 1.7, 1.2)
MICROPHONE: Final = (2.3, 1.9, 1.0)
"""Metres; the microphone is about 0.75 m from the mouth, as on a counter."""
FAR_MICROPHONE: Final = (4.2, 3.19, 1.0)
"""Metres; 3 m from the mouth, in a corner of the room."""
RT60: Final = 0.3
"""Reverberation time: seconds until the energy has decayed by 60 dB."""


def read(path: Path) -> Samples:
    """The samples of a recording in any format. Raises AudioError."""
    pcm = b"".join(chunk for chunk in read_recording(path) if isinstance(chunk, bytes))
    return np.frombuffer(pcm, "<i2").astype(np.float32)


def write(path: Path, samples: Samples) -> None:
    """Writes a WAV file atomically."""
    partial = path.with_suffix(".part")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.round(samples), -CLIP, CLIP).astype("<i2").tobytes())
    partial.replace(path)


def power(samples: Samples) -> float:
    """Mean square; never 0, so it can be a divisor."""
    return float(np.mean(np.square(samples, dtype=np.float64))) + 1e-9 if len(samples) else 1e-9


def trim(samples: Samples) -> Samples:
    """A word without the silence around it, with a fade at both ends."""
    frames = len(samples) // FRAME
    if not frames:
        return samples
    energy = np.square(samples[: frames * FRAME].reshape(frames, FRAME), dtype=np.float64).mean(1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-QUIET_DB / 10))
    first, last = max(0, loud[0] - MARGIN), min(frames, loud[-1] + 1 + MARGIN)
    return fade(samples[first * FRAME : last * FRAME])


def fade(samples: Samples) -> Samples:
    """The samples with a fade-in and a fade-out of 5 ms."""
    faded, size = samples.copy(), min(FADE, len(samples) // 2)
    if size:
        ramp = np.linspace(0, 1, size, dtype=np.float32)
        faded[:size] *= ramp
        faded[-size:] *= ramp[::-1]
    return faded


def set_level(samples: Samples, decibels: float) -> Samples:
    """The samples scaled to a root mean square in decibels relative to the largest sample (CLIP)."""
    return cast("Samples", samples * np.float32(CLIP * 10 ** (decibels / 20) / power(samples) ** 0.5))


def change_tempo(samples: Samples, tempo: float) -> Samples:
    """The samples `tempo` times as fast (0.5-2) at the same pitch: FFmpeg's atempo, waveform-similarity overlap-add."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=SAMPLE_RATE, layout="mono", time_base=None)
    tempo_filter = graph.add("atempo", f"{tempo:.4f}")
    sink = graph.add("abuffersink")
    source.link_to(tempo_filter)
    tempo_filter.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    graph.push(frame)
    graph.push(None)
    frames = []
    while True:
        try:
            frames.append(cast("AudioFrame", graph.pull()).to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            return np.concatenate(frames).astype(np.float32)


def hiss(size: int, rng: np.random.Generator) -> Samples:
    """The noise of a quiet room at power 1, with more energy at low frequencies."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum /= np.sqrt(1 + np.arange(len(spectrum)) * SAMPLE_RATE / size / 200)
    noise = np.fft.irfft(spectrum, size)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def loop(samples: Samples, size: int) -> Samples:
    """The samples repeated up to a length of `size`, at power 1."""
    looped = np.resize(samples, size)
    return cast("Samples", looped / np.float32(power(looped) ** 0.5))


def add_noise(samples: Samples, noise: Samples, spoken: Sequence[tuple[float, float]], decibels: float) -> Samples:
    """The samples with noise of power 1, `decibels` below the power in the `spoken` spans (seconds)."""
    speech = np.concatenate([samples[int(a * SAMPLE_RATE) : int(b * SAMPLE_RATE)] for a, b in spoken])
    return cast("Samples", samples + noise * np.float32((power(speech) * 10 ** (-decibels / 10)) ** 0.5))


@cache
def room_response(microphone: tuple[float, float, float] = MICROPHONE) -> Samples:
    """The impulse response of a small room at a microphone: the image method (pyroomacoustics; Allen and Berkley 1979).

    The direct sound is its first sample, so that spoken times do not change.
    """
    import pyroomacoustics

    absorption, order = pyroomacoustics.inverse_sabine(RT60, ROOM_METRES)
    room = pyroomacoustics.ShoeBox(
        ROOM_METRES, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=order
    )
    room.add_source(MOUTH)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float32)
    direct = int(np.argmax(np.abs(response)))
    return cast("Samples", response[direct:] / response[direct])


def _metres(microphone: tuple[float, float, float]) -> float:
    """The distance of a microphone from the mouth."""
    return float(np.linalg.norm(np.subtract(microphone, MOUTH)))


def distance_db(microphone: tuple[float, float, float]) -> float:
    """How much weaker the direct sound is than at MICROPHONE, in decibels: it falls with the square of the distance."""
    return 20 * float(np.log10(_metres(microphone) / _metres(MICROPHONE)))


def in_room(samples: Samples, microphone: tuple[float, float, float] = MICROPHONE) -> Samples:
    """The samples with the reverberation of that room, at the same power."""
    reverberant = fftconvolve(samples, room_response(microphone))[: len(samples)].astype(np.float32)
    return cast("Samples", reverberant * np.float32((power(samples) / power(reverberant)) ** 0.5))
