"""Kokoro-82M speaks: phonemes to sound at 16 kHz, with the time of each character."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import resample_poly

from models.build.errors import BuildError
from models.build.voices.generator import Generator
from models.build.voices.network import FRONT, INPUTS, OUTPUTS
from models.build.voices.packages import SYMBOLS, VOICES
from models.build.voices.phonemes import Phoneme
from models.build.voices.speakers import style
from models.build.voices.speech import Speech, character_times, cut

KOKORO_RATE: Final = 24_000
DURATION_UNIT: Final = 600 / KOKORO_RATE
"""Seconds in a frame of the durations."""
LONGEST: Final = 500
"""Phonemes in a sentence; the network has 512 positions."""
DECODER_STYLE: Final = 128
"""The first half of a style is the timbre, which the generator uses; the other half is the prosody."""


class Kokoro:
    """The network with its voices. Uses one thread: run one process for each core."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        import torch

        torch.set_num_threads(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.front = onnxruntime.InferenceSession(
            str(folder / FRONT), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.generator = Generator(folder)
        self.symbols: dict[str, int] = json.loads((folder / SYMBOLS).read_text(encoding="utf-8"))
        with np.load(folder / VOICES) as arrays:
            self.voices = dict(arrays)

    def say(self, phonemes: Sequence[Phoneme], speaker: str, speed: float) -> Speech:
        """A sentence spoken by a voice or a mixture, `speed` times as fast as that voice speaks. Raises BuildError."""
        known = [phoneme for phoneme in phonemes if phoneme.symbol in self.symbols]
        if not known or len(known) > LONGEST:
            raise BuildError(f"A sentence must have 1 to {LONGEST} phonemes, not {len(known)}.")
        tokens = np.array([[0, *(self.symbols[phoneme.symbol] for phoneme in known), 0]], np.int64)
        manner = style(self.voices, speaker, len(known))
        given = dict(zip(INPUTS, (tokens, manner[None], np.array([speed], np.float32)), strict=True))
        features, source, durations = self.front.run(list(OUTPUTS), given)
        sound = self.generator(features, source, manner[:DECODER_STYLE])
        edges = np.cumsum([0, *durations.ravel()]) * DURATION_UNIT
        return cut(resample_poly(sound, 2, 3).astype(np.float32), character_times(known, edges))
