"""Many recordings: `check` with one and two workers, a bare libvosk loop and vosk-transcriber, in one run.

    python bench/batch.py [--minutes 60] [--files 24] [--rounds 3] [--transcripts 10000]
                          [--only speech|quiet|transcripts|many]

Joins the fixtures to recordings of speech, and to recordings of which 70 % is the faint noise of a room, as at a
counter between visits. Each round runs, as processes of their own and in turn: the loop of vosk's own example over the
files; `check --jobs 1` and `--jobs 2` with a record; `vosk-transcriber`, which has as many threads as there are cores
whatever --tasks says (it heeds that only with a server). It wants ffmpeg, in whose place it is given a script
that copies the samples: the files are 16 kHz WAV. Prints wall times and ratios of each round and their medians, the
peak memory of each process, how soon the first result is there, and how long transcripts of made-up visits
(visits.py, no two the same) take. `many` checks 100 and then 10 000 recordings of a second and a half, for what memory
does as they grow more. `--jobs 2` wants two idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from overhead import parts, write_wave
from visits import visits

from counter_listener.asr.model_files import find_model
from counter_listener.domain.resources import bundled_folder
from counter_listener.domain.types import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set

MODEL: Final = "counter-cn"
QUIET: Final = 0.7
"""Share of the quiet recordings that is only a room's noise."""
ROOM: Final = 20.0
"""RMS of that noise, of 32 768."""
FEW: Final = 100
"""Files that are named one by one on a command line."""
MANY: Final = 10_000
"""Recordings that a folder may well hold."""
SHORT: Final = int(1.5 * SAMPLE_RATE) * SAMPLE_BYTES
"""Bytes of each of them."""
LOOK: Final = 0.5
"""Seconds between two looks at the memory: looking costs some milliseconds, which two busy workers would lack."""
HELPER: Final = 40.0
"""Megabytes that no process of ours stays under; those of Python's own do."""
BARE: Final = f"""
import json, sys, wave
from vosk import KaldiRecognizer, Model, SetLogLevel
SetLogLevel(-1)
model = Model(model_path=sys.argv[1])
for path in sys.argv[2:]:
    recording = wave.open(path, "rb")
    recognizer = KaldiRecognizer(model, recording.getframerate())
    recognizer.SetWords(True)
    while data := recording.readframes({BLOCK_SAMPLES}):
        if recognizer.AcceptWaveform(data):
            json.loads(recognizer.Result())
    json.loads(recognizer.FinalResult())
"""
FFMPEG: Final = """#!/bin/sh
while [ "$1" != "-i" ]; do shift; done
exec tail -c +45 "$2"
"""


@dataclass
class Cost:
    """What a program took."""

    seconds: float
    first: float
    """Seconds until its first line."""
    peaks: list[float]
    """Megabytes: the program's own, then that of each process it started."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--files", type=int, default=24)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--transcripts", type=int, default=10_000)
    options.add_argument("--only", choices=["speech", "quiet", "transcripts", "many"])
    asked = options.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ffmpeg").write_text(FFMPEG)
        (folder / "ffmpeg").chmod(0o755)
        for kind, quiet in (("speech", 0.0), ("quiet", QUIET)):
            if asked.only in {None, kind}:
                files = recordings(folder / kind, asked.files, asked.minutes * 60 / asked.files, quiet)
                compare(kind, files, folder, asked.rounds)
        if asked.only in {None, "transcripts"}:
            judge(folder, asked.transcripts)
        if asked.only in {None, "many"}:
            remember(folder)


def recordings(folder: Path, number: int, seconds: float, quiet: float) -> list[Path]:
    """Writes recordings of this length, fixtures one after the other, with quiet between them; no two are the same."""
    folder.mkdir()
    rng = random.Random(1)
    spoken = [b"".join(parts(path)) for path in sorted(bundled_folder("recordings").glob("*.wav"))]
    spoken = [sound for sound in spoken if sound]
    room = array("h", (round(rng.gauss(0, ROOM)) for _ in range(100 * SAMPLE_RATE))).tobytes()
    files = [folder / f"{n:03}.wav" for n in range(number)]
    for file in files:
        sound, pause = bytearray(), bytearray()
        while len(sound) < seconds * (1 - quiet) * SAMPLE_RATE * SAMPLE_BYTES:
            sound += rng.choice(spoken)
        mixed = bytearray()
        visits_, size = 3, len(sound) // 3 // SAMPLE_BYTES * SAMPLE_BYTES
        for n in range(visits_):
            length = int(len(sound) * quiet / (1 - quiet) / visits_ / SAMPLE_BYTES) * SAMPLE_BYTES
            pause = bytearray((room * (length // len(room) + 1))[:length])
            mixed += sound[n * size : (n + 1) * size] + pause
        write_wave(file, bytes(mixed))
    return files


def compare(kind: str, files: Sequence[Path], folder: Path, rounds: int) -> None:
    """Runs all four over the same files, and prints what they took."""
    seconds = sum(file.stat().st_size for file in files) / SAMPLE_RATE / SAMPLE_BYTES
    print(f"{kind}: {seconds / 60:.1f} min in {len(files)} files")
    model = str(find_model(MODEL).resolve())
    told: dict[str, list[float]] = {}
    for number in range(rounds):
        bare = run([sys.executable, "-c", BARE, model, *map(str, files)])
        one, two = (run(check(files, folder / f"{kind}-{number}-{jobs}.db", jobs)) for jobs in (1, 2))
        out = folder / f"{kind}-{number}"
        out.mkdir()
        command = [str(Path(sys.executable).with_name("vosk-transcriber")), "-m", model, "-i", str(files[0].parent)]
        path = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        theirs = run([*command, "-o", str(out), "-t", "txt", "--tasks", "2", "--log-level", "error"], path)
        figures = {
            "bare_s": bare.seconds,
            "one_s": one.seconds,
            "two_s": two.seconds,
            "transcriber_s": theirs.seconds,
            "one_over_bare": one.seconds / bare.seconds,
            "one_over_two": one.seconds / two.seconds,
            "transcriber_over_two": theirs.seconds / two.seconds,
            "bare_peak_mb": bare.peaks[0],
            "one_peak_mb": one.peaks[0],
            "two_parent_peak_mb": two.peaks[0],
            "two_worker_peak_mb": max(two.peaks[1:], default=0.0),
            "two_first_result_s": two.first,
        }
        print(f"round {number + 1}: " + json.dumps({name: round(value, 3) for name, value in figures.items()}))
        for name, value in figures.items():
            told.setdefault(name, []).append(value)
    print("median: " + json.dumps({name: round(statistics.median(values), 3) for name, values in told.items()}))
    first = [
        run(check([bundled_folder("recordings") / "no-farewell.wav", *files[:2]], folder / "f.db", jobs))
        for jobs in (1, 2)
    ]
    print(
        f"first result, of a recording of 6 s: {first[0].first:.2f} s with one worker, {first[1].first:.2f} s with two"
    )


def judge(folder: Path, number: int) -> None:
    """Times transcripts of made-up visits, and the memory for few and for many."""
    phrases = read_phrase_set(find_phrase_set("bank-counter"))[0]
    (folder / "transcripts").mkdir()
    files, said = [], Counter[str]()
    for n, visit in enumerate(visits(phrases, "tuning", 1, number)):
        lines = [{"start": one.start, "end": one.end, "text": one.text} for one in visit.utterances]
        said.update(one.text for one in visit.utterances)
        files.append(folder / "transcripts" / f"{n:05}.jsonl")
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        files[-1].write_text(text, encoding="utf-8")
    print(f"{said.total()} utterances in {number} visits; {len(said) / said.total():.0%} are said for the first time")
    few_and_all("transcripts", files)


def remember(folder: Path) -> None:
    """Prints the memory that few and many recordings take: each is another second and a half of a fixture."""
    spoken = b"".join(b"".join(parts(path)) for path in sorted(bundled_folder("recordings").glob("*.wav")))
    rng = random.Random(1)
    (folder / "many").mkdir()
    for n in range(MANY):
        at = rng.randrange(0, len(spoken) - SHORT, SAMPLE_BYTES)
        write_wave(folder / "many" / f"{n:05}.wav", spoken[at : at + SHORT])
    few_and_all("recordings", sorted((folder / "many").iterdir()))


def few_and_all(what: str, files: Sequence[Path]) -> None:
    """Prints what two workers take for a few files and for all of them."""
    for some in (files[:FEW], files):
        cost = run(check(some, files[0].parent.with_name(f"{what}-{len(some)}.db"), 2))
        peaks = ", ".join(f"{peak:.0f}" for peak in cost.peaks)
        print(f"{len(some)} {what}, --jobs 2: {cost.seconds:.1f} s; peaks {peaks} MB (parent first)")


def check(files: Sequence[Path], store: Path, jobs: int) -> list[str]:
    command = [sys.executable, "-m", "counter_listener", "check", "--quiet", "--format", "jsonl"]
    listed = (
        [str(files[0].parent)] if len({file.parent for file in files}) == 1 and len(files) > FEW else map(str, files)
    )
    return [*command, "--jobs", str(jobs), "--store", str(store), *listed]


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """What a program takes that must succeed."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    peaks: dict[int, float] = {}
    watch = threading.Thread(target=_watch, args=(psutil.Process(child.pid), peaks), daemon=True)
    watch.start()
    first = None
    for _ in child.stdout or ():
        first = first or time.perf_counter() - began
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    watch.join()
    if child.returncode not in {0, 3}:
        sys.exit(f"{' '.join(command[:4])} ... ended with {child.returncode}")
    started = [peak for pid, peak in peaks.items() if pid != child.pid and peak > HELPER]
    return Cost(seconds, first or seconds, [usage.ru_maxrss / 1024, *started])


def _watch(process: psutil.Process, peaks: dict[int, float]) -> None:
    while True:
        try:
            for one in (process, *process.children(recursive=True)):
                peaks[one.pid] = max(peaks.get(one.pid, 0.0), one.memory_info().rss / 2**20)
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.Error:
            if not process.is_running():
                return
        time.sleep(LOOK)


if __name__ == "__main__":
    main()
