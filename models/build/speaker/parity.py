"""Parity: the vector that libvosk gives of audio must be that of PyTorch, within 1e-3 in every dimension.

The graph of the acoustic model is replaced by one that accepts a single phone which is no silence. So every frame is
speech for libvosk, and both compute the vector of the same frames.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from models.build.features import log_mel
from models.build.one_phone import TIMEOUT, disable_endpoints, one_phone_fst
from models.build.phones import word_phones
from models.build.speaker.export import round_weights
from models.build.speaker.net import SpeakerNet, speaker_vector

TOLERANCE: Final = 1e-3
"""Largest difference in a dimension, of vectors whose dimensions are 1 on average."""
DECODE: Final = """
import json, sys
from vosk import KaldiRecognizer, Model, SetLogLevel, SpkModel
SetLogLevel(-1)
recognizer = KaldiRecognizer(Model(model_path=sys.argv[1]), 16000)
recognizer.SetSpkModel(SpkModel(sys.argv[2]))
sound = open(sys.argv[3], "rb").read()
for at in range(0, len(sound), 6400):
    recognizer.AcceptWaveform(sound[at:at + 6400])
result = json.loads(recognizer.FinalResult())
print(json.dumps([result["spk"], result["spk_frames"]]))
"""


def libvosk_vector(model: Path, speaker_model: Path, samples: NDArray[np.int16]) -> tuple[NDArray[np.float64], int]:
    """The vector of 16 kHz samples (at most 15 s), all of them taken for speech, and the number of its frames."""
    with tempfile.TemporaryDirectory() as scratch:
        copy, audio = Path(scratch, "model"), Path(scratch, "sound")
        shutil.copytree(model, copy)
        disable_endpoints(copy)
        (copy / "graph" / "HCLG.fst").write_bytes(one_phone_fst(word_phones(("ang",))[0]))
        audio.write_bytes(samples.astype("<i2").tobytes())
        command = [sys.executable, "-c", DECODE, str(copy), str(speaker_model.resolve()), str(audio)]
        result = subprocess.run(  # noqa: S603 - our own code
            command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=True
        )
    vector, frames = json.loads(result.stdout)
    return np.array(vector), int(frames)


def largest_difference(net: SpeakerNet, model: Path, speaker_model: Path, samples: NDArray[np.int16]) -> float:
    """The largest difference in a dimension between the vectors of libvosk and of PyTorch."""
    computed, frames = libvosk_vector(model, speaker_model, samples)
    speech = torch.from_numpy(log_mel(samples.astype(np.float32))[:frames])
    expected = speaker_vector(round_weights(net), speech).numpy()
    return float(np.abs(expected - computed).max())
