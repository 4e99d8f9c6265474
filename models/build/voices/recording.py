"""Writes speech to an Opus file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from models.build.voices.speech import RATE

PEAK: Final = 0.7
"""Largest sample of a recording, of 1."""
BIT_RATE: Final = 32_000
"""Bits a second: a fifth of a minute's FLAC, and nothing of it is heard at 16 kHz."""


def write_opus(path: Path, samples: NDArray[np.float32]) -> None:
    """Writes samples at 16 kHz as Opus, atomically; the largest becomes PEAK."""
    scaled = samples / max(float(np.abs(samples).max()), 1e-6) * PEAK
    partial = path.with_suffix(".part")
    with av.open(str(partial), mode="w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = AudioFrame.from_ndarray(np.round(scaled * 32_767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    partial.replace(path)
