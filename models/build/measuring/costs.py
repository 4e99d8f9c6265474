"""What a model costs: its size, its loading, its memory and the time it takes to decode, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

from models.build.errors import BuildError

TIMES: Final = 3
"""How often speech is decoded; the rest, which is slow, once."""
TIMEOUT: Final = 900
"""Seconds for one decoding of two minutes: ten times what the slowest model may take."""
DECODE: Final = """
import json, re, sys, time, wave
import vosk
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
vosk.SetLogLevel(-1)
bare = peak()
began = time.perf_counter()
model = vosk.Model(model_path=sys.argv[1])
load = time.perf_counter() - began
recognizer = vosk.KaldiRecognizer(model, 16000)
recognizer.SetWords(True)
file = wave.open(sys.argv[2])
sound = file.readframes(file.getnframes())
began = time.process_time()
for at in range(0, len(sound), 6400):
    if recognizer.AcceptWaveform(sound[at : at + 6400]):
        recognizer.Result()
recognizer.FinalResult()
spent = time.process_time() - began
told = {"load": load, "spent": spent, "seconds": len(sound) / 32000, "peak": peak(), "bare": bare}
print(json.dumps(told))
"""
"""Peak memory is that of the whole process, Python and libvosk included; time that of its processor alone.

It is read from Linux's VmHWM, since ru_maxrss remembers the process that this one was forked from.
"""


def costs(model: Path, stretches: Path) -> dict[str, Any]:
    """Size in MB, load in seconds (least of three), peak memory in MB, and processor seconds a second of sound.

    Raises BuildError if a stretch is missing or cannot be decoded.
    """
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6
    runs = {
        file.stem: [_decode(model, file) for _ in range(TIMES if file.stem == "speech" else 1)]
        for file in sorted(stretches.glob("*.wav"))
    }
    if not runs:
        raise BuildError(f"{stretches} holds no stretches of sound; make them with python -m models.build.sets.")
    every = [run for each in runs.values() for run in each]
    return {
        "size_mb": size,
        "load_seconds": min(run["load"] for run in every),
        "peak_mb": max(run["peak"] for run in every),
        "bare_mb": min(run["bare"] for run in every),
        "real_time_factor": {
            name: median(run["spent"] / run["seconds"] for run in each) for name, each in runs.items()
        },
    }


def _decode(model: Path, sound: Path) -> dict[str, float]:
    command = [sys.executable, "-c", DECODE, str(model.resolve()), str(sound)]
    try:
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BuildError(f"{sound} was not decoded in {TIMEOUT} s.") from None
    if ran.returncode:
        raise BuildError(f"{sound} cannot be decoded with {model}: {ran.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(ran.stdout)
    return found
