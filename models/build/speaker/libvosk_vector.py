"""The vector that libvosk gives of audio, with all of it taken for speech.

The graph of the acoustic model is replaced by one that accepts a single phone which is no silence. So every frame is
speech for libvosk, and what it computes can be computed elsewhere from the same frames.
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
from numpy.typing import NDArray

from models.build.one_phone import TIMEOUT, disable_endpoints, one_phone_fst
from models.build.phones import word_phones

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
