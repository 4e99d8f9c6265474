"""Compares `check` with a bare loop of libvosk over the same audio.

    python bench/overhead.py [--minutes 20] [--rounds 5]

Joins the fixtures to a recording of at least that length. Each round runs, one after the other, as separate processes,
the loop of vosk's own example (AcceptWaveform, Result, words on) and `counter-listener check` with a record. Prints the
wall times, their ratio, and the peak memory of each; then the time of `--help` over `python -c pass`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from pathlib import Path

from counter_listener.asr import find_model
from counter_listener.audio import read_recording
from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, AudioError, bundled_folder

MODEL = "counter-cn"
BARE = f"""
import json, sys, wave
from vosk import KaldiRecognizer, Model, SetLogLevel
SetLogLevel(-1)
recording = wave.open(sys.argv[1], "rb")
recognizer = KaldiRecognizer(Model(model_path=sys.argv[2]), recording.getframerate())
recognizer.SetWords(True)
while data := recording.readframes({BLOCK_SAMPLES}):
    if recognizer.AcceptWaveform(data):
        json.loads(recognizer.Result())
json.loads(recognizer.FinalResult())
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=20.0)
    options.add_argument("--rounds", type=int, default=5)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder, "joined.wav")
        seconds = join_fixtures(recording, arguments.minutes * 60)
        print(f"{seconds / 60:.1f} minutes of audio, {arguments.rounds} rounds")
        compare(recording, Path(folder), arguments.rounds)
    compare_help(arguments.rounds)


def join_fixtures(target: Path, least: float) -> float:
    """Writes the readable fixtures, joined and repeated, as 16 kHz mono WAV. Returns the length in seconds."""
    sound = b"".join(part for path in sorted(bundled_folder("recordings").glob("*.wav")) for part in parts(path))
    repeats = int(least * SAMPLE_RATE * SAMPLE_BYTES / len(sound)) + 1
    write_wave(target, sound * repeats)
    return repeats * len(sound) / SAMPLE_BYTES / SAMPLE_RATE


def write_wave(target: Path, sound: bytes) -> None:
    """Writes 16-bit samples as 16 kHz mono WAV."""
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(SAMPLE_BYTES)
        out.setframerate(SAMPLE_RATE)
        out.writeframes(sound)


def parts(path: Path) -> list[bytes]:
    try:
        return [part for part in read_recording(path) if isinstance(part, bytes)]
    except AudioError:
        return []


def compare(recording: Path, folder: Path, rounds: int) -> None:
    bare_command = [sys.executable, "-c", BARE, str(recording), str(find_model(MODEL).resolve())]
    bare, checks = [], []
    for number in range(rounds):
        bare.append(run(bare_command))
        record = str(folder / f"{number}.db")
        command = [sys.executable, "-m", "counter_listener", "check", str(recording), "--store", record, "--quiet"]
        checks.append(run([*command, "--format", "jsonl"]))
        ratio = checks[-1][0] / bare[-1][0]
        print(f"round {number + 1}: bare {bare[-1][0]:.2f} s, check {checks[-1][0]:.2f} s, ratio {ratio:.3f}")
    ratios = [check[0] / loop[0] for check, loop in zip(checks, bare, strict=True)]
    memory = statistics.median(m for _, m in checks) - statistics.median(m for _, m in bare)
    median = {
        "bare_s": statistics.median(seconds for seconds, _ in bare),
        "check_s": statistics.median(seconds for seconds, _ in checks),
        "ratio": statistics.median(ratios),
        "bare_peak_mb": statistics.median(m for _, m in bare),
        "more_peak_mb": memory,
    }
    print("median: " + json.dumps({name: round(value, 3) for name, value in median.items()}))


def compare_help(rounds: int) -> None:
    rounds = max(rounds, 15)
    nothing = statistics.median(run([sys.executable, "-c", "pass"])[0] for _ in range(rounds))
    usage = statistics.median(run([sys.executable, "-m", "counter_listener", "--help"])[0] for _ in range(rounds))
    print(f"--help: {usage:.3f} s, python -c pass: {nothing:.3f} s, more: {usage - nothing:.3f} s")


def run(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak resident megabytes of a program that must succeed."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command[:4])} ... ended with {child.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
