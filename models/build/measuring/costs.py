"""The cost of a model: its size, loading time and memory, and the time of decoding, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final

from models.build.errors import BuildError

SPEECH_RUNS: Final = 3
"""How often speech is decoded; the other stretches, which are slow, are decoded once."""
TIMEOUT: Final = 900
"""Seconds for one decoding of a minute of audio."""
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
figures = {"load": load, "spent": spent, "seconds": len(sound) / 32000, "peak": peak(), "bare": bare}
print(json.dumps(figures))
"""
"""Peak memory is that of the whole process, including Python and libvosk; the time is its processor time.

The memory is read from Linux's VmHWM, because ru_maxrss includes the process that this one was forked from.
"""


def measure_costs(model: Path, stretches: Path) -> dict[str, Any]:
    """Size in MB, loading time in seconds (least of all runs), peak memory in MB, and real-time factors.

    Raises BuildError if there are no stretches or one cannot be decoded.
    """
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6
    runs = {
        file.stem: [_decode(model, file) for _ in range(SPEECH_RUNS if file.stem == "speech" else 1)]
        for file in sorted(stretches.glob("*.wav"))
    }
    if not runs:
        raise BuildError(f"{stretches} contains no recordings; make them with python -m models.build.sets.")
    all_runs = [run for group in runs.values() for run in group]
    return {
        "size_mb": size,
        "load_seconds": min(run["load"] for run in all_runs),
        "peak_mb": max(run["peak"] for run in all_runs),
        "bare_mb": min(run["bare"] for run in all_runs),
        "real_time_factor": {
            name: median(run["spent"] / run["seconds"] for run in group) for name, group in runs.items()
        },
    }


def _decode(model: Path, file: Path) -> dict[str, float]:
    command = [sys.executable, "-c", DECODE, str(model.resolve()), str(file)]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise BuildError(f"{file} was not decoded in {TIMEOUT} s.") from None
    if result.returncode:
        raise BuildError(f"{file} cannot be decoded with {model}: {result.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, float] = json.loads(result.stdout)
    return figures
