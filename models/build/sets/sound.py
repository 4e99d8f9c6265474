"""Sound for the test sets: trimming, tempo, noise and rooms. Samples are float32, mono, 16 kHz, of 16-bit range."""

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

from counter_listener.audio.recording import read_recording
from counter_listener.domain.types import SAMPLE_RATE

Samples: TypeAlias = NDArray[np.float32]

FRAME: Final = SAMPLE_RATE // 100
"""Samples of 10 ms, over which energy is told."""
QUIET_DB: Final = 32.0
"""Decibels below its loudest frame at which a recorded word begins and ends; s, x and f are about 25 below a vowel."""
MARGIN: Final = 2
"""Frames left on each side of a trimmed word."""
FADE: Final = SAMPLE_RATE // 200
"""Samples of 5 ms over which what is cut or joined fades."""
CLIP: Final = 32_767
ROOM_METRES: Final = (4.5, 3.5, 2.7)
MOUTH: Final = (1.6, 1.7, 1.2)
MICROPHONE: Final = (2.3, 1.9, 1.0)
"""Metres; a microphone about 0.75 m from the mouth, as on a counter."""
RT60: Final = 0.3
"""Seconds until an echo has lost 60 dB."""


def read(path: Path) -> Samples:
    """The sound of a recording in any format. Raises AudioError."""
    sound = b"".join(chunk for chunk in read_recording(path) if isinstance(chunk, bytes))
    return np.frombuffer(sound, "<i2").astype(np.float32)


def write(path: Path, samples: Samples) -> None:
    """Writes a WAV file, whole or not at all."""
    beside = path.with_suffix(".part")
    with wave.open(str(beside), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.round(samples), -CLIP, CLIP).astype("<i2").tobytes())
    beside.replace(path)


def power(samples: Samples) -> float:
    """Mean square; never 0, so that it may divide."""
    return float(np.mean(np.square(samples, dtype=np.float64))) + 1e-9 if len(samples) else 1e-9


def trimmed(samples: Samples) -> Samples:
    """A word without the quiet around it, its ends faded."""
    frames = len(samples) // FRAME
    if not frames:
        return samples
    energy = np.square(samples[: frames * FRAME].reshape(frames, FRAME), dtype=np.float64).mean(1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-QUIET_DB / 10))
    first, last = max(0, loud[0] - MARGIN), min(frames, loud[-1] + 1 + MARGIN)
    return faded(samples[first * FRAME : last * FRAME])


def faded(samples: Samples) -> Samples:
    """The same with its first and last 5 ms rising from nothing and falling to it."""
    found, size = samples.copy(), min(FADE, len(samples) // 2)
    if size:
        ramp = np.linspace(0, 1, size, dtype=np.float32)
        found[:size] *= ramp
        found[-size:] *= ramp[::-1]
    return found


def level(samples: Samples, decibels: float) -> Samples:
    """The same at this root mean square, in decibels below the largest sample there can be."""
    return cast("Samples", samples * np.float32(CLIP * 10 ** (decibels / 20) / power(samples) ** 0.5))


def faster(samples: Samples, tempo: float) -> Samples:
    """The same so many times faster (0.5-2), its pitch kept: FFmpeg's atempo, a waveform-similarity overlap-add."""
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
    found = []
    while True:
        try:
            found.append(cast("AudioFrame", graph.pull()).to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            return np.concatenate(found).astype(np.float32)


def hiss(size: int, rng: np.random.Generator) -> Samples:
    """The rush of a quiet room, louder the lower, at power 1."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum /= np.sqrt(1 + np.arange(len(spectrum)) * SAMPLE_RATE / size / 200)
    found = np.fft.irfft(spectrum, size)
    return np.asarray(found / np.sqrt(np.mean(found**2)), np.float32)


def looped(samples: Samples, size: int) -> Samples:
    """As many samples, from the start again and again, at power 1."""
    found = np.resize(samples, size)
    return cast("Samples", found / np.float32(power(found) ** 0.5))


def with_noise(samples: Samples, noise: Samples, spoken: Sequence[tuple[float, float]], decibels: float) -> Samples:
    """The same with noise of power 1, so many decibels below what is spoken: its power where somebody speaks."""
    speech = np.concatenate([samples[int(a * SAMPLE_RATE) : int(b * SAMPLE_RATE)] for a, b in spoken])
    return cast("Samples", samples + noise * np.float32((power(speech) * 10 ** (-decibels / 10)) ** 0.5))


@cache
def room() -> Samples:
    """How a small room answers a clap, by the image method (pyroomacoustics; Allen and Berkley 1979).

    The direct sound stands at its first sample, so that what is said keeps its time.
    """
    import pyroomacoustics

    absorption, order = pyroomacoustics.inverse_sabine(RT60, ROOM_METRES)
    built = pyroomacoustics.ShoeBox(
        ROOM_METRES, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=order
    )
    built.add_source(MOUTH)
    built.add_microphone(MICROPHONE)
    built.compute_rir()
    response = np.asarray(built.rir[0][0], np.float32)
    direct = int(np.argmax(np.abs(response)))
    return cast("Samples", response[direct:] / response[direct])


def in_room(samples: Samples) -> Samples:
    """The same as that room answers it, at the power that it had."""
    answered = fftconvolve(samples, room())[: len(samples)].astype(np.float32)
    return cast("Samples", answered * np.float32((power(samples) / power(answered)) ** 0.5))
