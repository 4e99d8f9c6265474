"""What libvosk computes from audio for single units, by decoding with a graph that contains one phone only.

The score of the only path is the sum, over all frames, of the log-probability of the unit minus its log-prior. An error
in features, running mean, layers, priors or edges changes it.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.phones import forward, loop, word_phones

TIMEOUT: Final = 300
"""Seconds for one decoding."""
NO_ENDPOINTS: Final = "".join(f"--endpoint.rule{rule}.min-trailing-silence=999\n" for rule in (1, 2, 3, 4))
"""The whole audio is one utterance."""
DECODE: Final = """
import json, sys
from vosk import KaldiRecognizer, Model, SetLogLevel
SetLogLevel(-1)
recognizer = KaldiRecognizer(Model(model_path=sys.argv[1]), 16000)
recognizer.SetMaxAlternatives(1)
sound = open(sys.argv[2], "rb").read()
for at in range(0, len(sound), 6400):
    recognizer.AcceptWaveform(sound[at:at + 6400])
print(json.loads(recognizer.FinalResult())["alternatives"][0]["confidence"])
"""


def libvosk_log_likelihoods(model: Path, samples: NDArray[np.int16], units: Sequence[str]) -> Mapping[str, float]:
    """The log-likelihood of each unit, summed over 16 kHz samples, as libvosk computes it with a model folder."""
    likelihoods = {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "model")
        shutil.copytree(model, copy)
        disable_endpoints(copy)
        audio = Path(scratch, "sound")
        audio.write_bytes(samples.astype("<i2").tobytes())
        for unit in units:
            (copy / "graph" / "HCLG.fst").write_bytes(one_phone_fst(word_phones((unit,))[0]))
            likelihoods[unit] = _decode(copy, audio)
    return likelihoods


def disable_endpoints(model: Path) -> None:
    """Sets the acoustic scale to 1 and disables the end-of-utterance rules."""
    conf = model / "conf" / "model.conf"
    replaced = ("--endpoint.rule", "--acoustic-scale")
    lines = [line for line in conf.read_text().splitlines() if not line.startswith(replaced)]
    longest_utterance = "--endpoint.rule5.min-utterance-length=999\n"
    conf.write_text("\n".join([*lines, "--acoustic-scale=1.0"]) + "\n" + NO_ENDPOINTS + longest_utterance)


def _decode(model: Path, audio: Path) -> float:
    command = [sys.executable, "-c", DECODE, str(model.resolve()), str(audio)]
    result = subprocess.run(  # noqa: S603 - our own code
        command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=True
    )
    return float(result.stdout)


def one_phone_fst(phone: int) -> bytes:
    """An OpenFst vector FST (vector-fst.h, Write) that accepts one phone of any length and outputs word 1."""

    def text(value: str) -> bytes:
        return struct.pack("<i", len(value)) + value.encode()

    magic, version, flags, properties, start, states, arcs = 2_125_659_606, 2, 0, 3, 0, 2, 2
    header = struct.pack("<i", magic) + text("vector") + text("standard")
    header += struct.pack("<iiQqqq", version, flags, properties, start, states, arcs)
    not_final = float("inf")
    first = struct.pack("<fq", not_final, 1) + struct.pack("<iifi", forward(phone), 1, 0.0, 1)
    second = struct.pack("<fq", 0.0, 1) + struct.pack("<iifi", loop(phone), 0, 0.0, 1)
    return header + first + second


def rising_noise() -> NDArray[np.int16]:
    """Six seconds of 16 kHz noise of rising level, which start with half a second of digital silence."""
    samples = np.random.default_rng(1).normal(size=96_000) * np.linspace(50, 3_000, 96_000)
    samples[:8_000] = 0
    return samples.astype(np.int16)
