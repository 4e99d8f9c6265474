"""Transmission: what telephones, recorders and low-rate codecs do to speech. Samples are 16 kHz, mono, 16-bit range."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, correlate, sosfilt

from models.build.features import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

Samples = NDArray[np.float32]

FULL_SCALE: Final = 32_767
OVERDRIVE: Final = (2.0, 14.0)
"""Least and most decibels by which loud speech exceeds the largest sample before it is clipped."""
LINE: Final = (300.0, 3_400.0)
"""Hertz of a telephone line (ITU-T G.712), from which the edges of a line vary by a fifth."""
MAX_DELAY: Final = SAMPLE_RATE // 20
"""Longest delay of a codec in samples, 50 ms; the delay is taken out, so that alignments stay valid."""


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of FFmpeg, the container that is written, its sampling rate in hertz and bit rates in bits per second."""

    name: str
    container: str
    rate: int
    bit_rates: tuple[int, ...]
    options: tuple[tuple[str, str], ...] = ()


CODECS: Final = (
    Codec("libopus", "ogg", 16_000, (8_000, 10_000, 12_000, 16_000), (("application", "voip"),)),
    Codec("libopus", "ogg", 8_000, (6_000, 8_000, 10_000), (("application", "voip"),)),
    Codec("libopencore_amrnb", "amr", 8_000, (4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200)),
    Codec("pcm_alaw", "wav", 8_000, (64_000,)),
    Codec("libmp3lame", "mp3", 16_000, (16_000, 24_000, 32_000)),
)
"""Opus of calls over the internet, AMR of mobile telephones (3GPP TS 26.071), A-law of landlines (ITU-T G.711), MP3 of
recorders."""


def transmit(samples: Samples, rng: random.Random) -> Samples:
    """The samples after an overdriven microphone, a telephone line, a codec, or several of them; as long as before."""
    if rng.random() < 0.4:
        samples = overdrive(samples, rng.uniform(*OVERDRIVE))
    codec = rng.choice(CODECS)
    if codec.rate < SAMPLE_RATE and rng.random() < 0.7:
        samples = through_line(samples, *(edge * rng.uniform(0.8, 1.2) for edge in LINE))
    return code(samples, codec, rng.choice(codec.bit_rates)) if rng.random() < 0.85 else samples


def overdrive(samples: Samples, decibels: float) -> Samples:
    """The samples amplified until the loudest is this many decibels above full scale, and clipped."""
    peak = float(np.abs(samples).max(initial=1.0))
    louder = samples * np.float32(FULL_SCALE / peak * 10 ** (decibels / 20))
    return np.clip(louder, -FULL_SCALE, FULL_SCALE).astype(np.float32)


def through_line(samples: Samples, low: float, high: float) -> Samples:
    """The samples between two frequencies in hertz, with 24 dB per octave below and 48 above."""
    below = butter(4, low, "highpass", fs=SAMPLE_RATE, output="sos")
    above = butter(8, high, "lowpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(above, sosfilt(below, samples)), np.float32)


def code(samples: Samples, codec: Codec, bit_rate: int) -> Samples:
    """The samples encoded and decoded, without the delay of the codec; as long as before."""
    decoded = _decode(_encode(samples, codec, bit_rate))
    padded = np.pad(decoded, (0, max(0, len(samples) + MAX_DELAY - len(decoded))))
    similarity = correlate(padded[: len(samples) + MAX_DELAY], samples, "valid", "fft")
    delay = int(similarity.argmax())
    return np.asarray(padded[delay : delay + len(samples)], np.float32)


def _encode(samples: Samples, codec: Codec, bit_rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=codec.container) as container:
        stream = cast("AudioStream", container.add_stream(codec.name, rate=codec.rate, options=dict(codec.options)))
        stream.bit_rate, stream.layout = bit_rate, "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", codec.rate, frame_size=stream.frame_size or None)
        pcm = np.clip(np.round(samples), -FULL_SCALE, FULL_SCALE).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


def _decode(content: bytes) -> Samples:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(io.BytesIO(content), "r") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    parts = [frame.to_ndarray()[0] for frame in (*frames, *resampler.resample(None))]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
