"""What libvosk computes of a sound, unit by unit: by a graph of one phone alone, which leaves it no choice.

The score of the only path is then the sum over all frames of that unit's log-probability less its log-prior. Any
mistake in features, running mean, layers, priors or edges shows there.
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

from models.build.phones import forward, in_word, loop

SECONDS: Final = 300
NEVER: Final = "".join(f"--endpoint.rule{rule}.min-trailing-silence=999\n" for rule in (1, 2, 3, 4))
"""One utterance, whatever is heard."""
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


def by_libvosk(model: Path, samples: NDArray[np.int16], wanted: Sequence[str]) -> Mapping[str, float]:
    """The summed log-likelihood of each wanted unit over 16 kHz samples, as the model in a folder has it."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "model")
        shutil.copytree(model, copy)
        _endless(copy)
        sound = Path(scratch, "sound")
        sound.write_bytes(samples.astype("<i2").tobytes())
        for unit in wanted:
            (copy / "graph" / "HCLG.fst").write_bytes(one_phone(in_word((unit,))[0]))
            found[unit] = _decoded(copy, sound)
    return found


def _endless(model: Path) -> None:
    conf = model / "conf" / "model.conf"
    kept = [line for line in conf.read_text().splitlines() if not line.startswith("--endpoint.rule")]
    scale = [line for line in kept if not line.startswith("--acoustic-scale")]
    long = "--endpoint.rule5.min-utterance-length=999\n"
    conf.write_text("\n".join([*scale, "--acoustic-scale=1.0"]) + "\n" + NEVER + long)


def _decoded(model: Path, sound: Path) -> float:
    command = [sys.executable, "-c", DECODE, str(model.resolve()), str(sound)]
    ran = subprocess.run(  # noqa: S603 - our own code
        command, capture_output=True, encoding="utf-8", timeout=SECONDS, check=True
    )
    return float(ran.stdout)


def one_phone(phone: int) -> bytes:
    """An OpenFst vector FST (vector-fst.h, Write) that hears a phone once, however long, and calls it word 1."""

    def text(value: str) -> bytes:
        return struct.pack("<i", len(value)) + value.encode()

    magic, version, flags, properties, start, states, arcs = 2_125_659_606, 2, 0, 3, 0, 2, 2
    header = struct.pack("<i", magic) + text("vector") + text("standard")
    header += struct.pack("<iiQqqq", version, flags, properties, start, states, arcs)
    never = float("inf")
    first = struct.pack("<fq", never, 1) + struct.pack("<iifi", forward(phone), 1, 0.0, 1)
    second = struct.pack("<fq", 0.0, 1) + struct.pack("<iifi", loop(phone), 0, 0.0, 1)
    return header + first + second


def noise() -> NDArray[np.int16]:
    """Six seconds of 16 kHz noise that grows louder, after half a second of exact zeros."""
    sound = np.random.default_rng(1).normal(size=96_000) * np.linspace(50, 3_000, 96_000)
    sound[:8_000] = 0
    return sound.astype(np.int16)
