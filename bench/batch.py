"""Many recordings: `check` with one and two workers, a bare libvosk loop and vosk-transcriber, in one run.

    python bench/batch.py [--minutes 60] [--files 24] [--rounds 3] [--transcripts 10000]
                          [--only speech|quiet|transcripts|many]

Joins the fixtures to recordings of speech, and to quiet recordings, of which 70 % is the faint noise of a room, as at a
counter between visits. Each round runs, one after the other, as separate processes: the loop of vosk's own example over
the files; `check --jobs 1` and `--jobs 2` with a record; `vosk-transcriber`, which starts one thread per core (it obeys
--tasks only with a server). It needs ffmpeg, which is replaced by a script that copies the samples, for the files are
16 kHz WAV. Prints the wall times and ratios of each round and their medians, the peak memory of each process, the time
to the first result, and the time for transcripts of generated visits (visits.py, no two the same). `many` checks 100
and then 10 000 recordings of 1.5 s, to compare the peak memory. `--jobs 2` needs two idle cores.
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

from counter_listener.asr import find_model
from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, bundled_folder

MODEL: Final = "counter-cn"
QUIET: Final = 0.7
"""Share of the quiet recordings that is only the noise of a room."""
ROOM: Final = 20.0
"""RMS of that noise, of 32 768."""
FEW: Final = 100
"""With up to this many files the command line names each file."""
MANY: Final = 10_000
"""Recordings in a large folder."""
SHORT: Final = int(1.5 * SAMPLE_RATE) * SAMPLE_BYTES
"""Bytes of each of these recordings."""
POLL_SECONDS: Final = 0.5
"""Between two measurements of memory: one takes some milliseconds, which would slow down two busy workers."""
HELPER_MB: Final = 40.0
"""A process with less memory is a helper of Python."""
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
    """The time and memory of a program."""

    seconds: float
    first: float
    """Seconds until its first line of output."""
    peaks: list[float]
    """Megabytes: of the program, then of each process that it started."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--files", type=int, default=24)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--transcripts", type=int, default=10_000)
    options.add_argument("--only", choices=["speech", "quiet", "transcripts", "many"])
    arguments = options.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ffmpeg").write_text(FFMPEG)
        (folder / "ffmpeg").chmod(0o755)
        for kind, quiet in (("speech", 0.0), ("quiet", QUIET)):
            if arguments.only in {None, kind}:
                files = recordings(folder / kind, arguments.files, arguments.minutes * 60 / arguments.files, quiet)
                compare(kind, files, folder, arguments.rounds)
        if arguments.only in {None, "transcripts"}:
            check_transcripts(folder, arguments.transcripts)
        if arguments.only in {None, "many"}:
            check_many(folder)


def recordings(folder: Path, number: int, seconds: float, quiet: float) -> list[Path]:
    """Writes recordings of this length: fixtures in random order, with quiet between them. No two are the same."""
    folder.mkdir()
    rng = random.Random(1)
    fixtures = [b"".join(parts(path)) for path in sorted(bundled_folder("recordings").glob("*.wav"))]
    fixtures = [sound for sound in fixtures if sound]
    room = array("h", (round(rng.gauss(0, ROOM)) for _ in range(100 * SAMPLE_RATE))).tobytes()
    files = [folder / f"{n:03}.wav" for n in range(number)]
    for file in files:
        sound, mixed = bytearray(), bytearray()
        while len(sound) < seconds * (1 - quiet) * SAMPLE_RATE * SAMPLE_BYTES:
            sound += rng.choice(fixtures)
        number_of_visits, size = 3, len(sound) // 3 // SAMPLE_BYTES * SAMPLE_BYTES
        for n in range(number_of_visits):
            length = int(len(sound) * quiet / (1 - quiet) / number_of_visits / SAMPLE_BYTES) * SAMPLE_BYTES
            mixed += sound[n * size : (n + 1) * size] + (room * (length // len(room) + 1))[:length]
        write_wave(file, bytes(mixed))
    return files


def compare(kind: str, files: Sequence[Path], folder: Path, rounds: int) -> None:
    """Runs all four programs over the same files, and prints their times and memory."""
    seconds = sum(file.stat().st_size for file in files) / SAMPLE_RATE / SAMPLE_BYTES
    print(f"{kind}: {seconds / 60:.1f} min in {len(files)} files")
    model = str(find_model(MODEL).resolve())
    rounds_of: dict[str, list[float]] = {}
    for number in range(rounds):
        bare = run([sys.executable, "-c", BARE, model, *map(str, files)])
        one, two = (run(check(files, folder / f"{kind}-{number}-{jobs}.db", jobs)) for jobs in (1, 2))
        out = folder / f"{kind}-{number}"
        out.mkdir()
        command = [str(Path(sys.executable).with_name("vosk-transcriber")), "-m", model, "-i", str(files[0].parent)]
        path = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
        transcriber = run([*command, "-o", str(out), "-t", "txt", "--tasks", "2", "--log-level", "error"], path)
        figures = {
            "bare_s": bare.seconds,
            "one_s": one.seconds,
            "two_s": two.seconds,
            "transcriber_s": transcriber.seconds,
            "one_over_bare": one.seconds / bare.seconds,
            "one_over_two": one.seconds / two.seconds,
            "transcriber_over_two": transcriber.seconds / two.seconds,
            "bare_peak_mb": bare.peaks[0],
            "one_peak_mb": one.peaks[0],
            "two_parent_peak_mb": two.peaks[0],
            "two_worker_peak_mb": max(two.peaks[1:], default=0.0),
            "two_first_result_s": two.first,
        }
        print(f"round {number + 1}: " + json.dumps({name: round(value, 3) for name, value in figures.items()}))
        for name, value in figures.items():
            rounds_of.setdefault(name, []).append(value)
    print("median: " + json.dumps({name: round(statistics.median(values), 3) for name, values in rounds_of.items()}))
    first = [
        run(check([bundled_folder("recordings") / "no-farewell.wav", *files[:2]], folder / "f.db", jobs))
        for jobs in (1, 2)
    ]
    print(
        f"first result, of a recording of 6 s: {first[0].first:.2f} s with one worker, {first[1].first:.2f} s with two"
    )


def check_transcripts(folder: Path, number: int) -> None:
    """Prints the time and memory for few and for many transcripts of generated visits."""
    (folder / "transcripts").mkdir()
    files, texts = [], Counter[str]()
    for n, visit in enumerate(visits("tuning", 1, number)):
        lines = [{"start": each.start, "end": each.end, "text": each.text} for each in visit.utterances]
        texts.update(utterance.text for utterance in visit.utterances)
        files.append(folder / "transcripts" / f"{n:05}.jsonl")
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        files[-1].write_text(text, encoding="utf-8")
    print(f"{texts.total()} utterances in {number} visits; {len(texts) / texts.total():.0%} of the texts are distinct")
    few_and_all("transcripts", files)


def check_many(folder: Path) -> None:
    """Prints the time and memory for few and for many recordings: each is another 1.5 s of the fixtures."""
    sound = b"".join(b"".join(parts(path)) for path in sorted(bundled_folder("recordings").glob("*.wav")))
    rng = random.Random(1)
    (folder / "many").mkdir()
    for n in range(MANY):
        at = rng.randrange(0, len(sound) - SHORT, SAMPLE_BYTES)
        write_wave(folder / "many" / f"{n:05}.wav", sound[at : at + SHORT])
    few_and_all("recordings", sorted((folder / "many").iterdir()))


def few_and_all(kind: str, files: Sequence[Path]) -> None:
    """Prints the time and memory of two workers for a few files and for all files."""
    for some in (files[:FEW], files):
        cost = run(check(some, files[0].parent.with_name(f"{kind}-{len(some)}.db"), 2))
        peaks = ", ".join(f"{peak:.0f}" for peak in cost.peaks)
        print(f"{len(some)} {kind}, --jobs 2: {cost.seconds:.1f} s; peaks {peaks} MB (parent first)")


def check(files: Sequence[Path], record: Path, jobs: int) -> list[str]:
    command = [sys.executable, "-m", "counter_listener", "check", "--quiet", "--format", "jsonl"]
    listed = (
        [str(files[0].parent)] if len({file.parent for file in files}) == 1 and len(files) > FEW else map(str, files)
    )
    return [*command, "--jobs", str(jobs), "--store", str(record), *listed]


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """Runs a program that must succeed."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    peaks: dict[int, float] = {}
    watcher = threading.Thread(target=_watch, args=(psutil.Process(child.pid), peaks), daemon=True)
    watcher.start()
    first = None
    for _ in child.stdout or ():
        first = first or time.perf_counter() - began
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    watcher.join()
    if child.returncode not in {0, 3}:
        sys.exit(f"{' '.join(command[:4])} ... ended with {child.returncode}")
    started = [peak for pid, peak in peaks.items() if pid != child.pid and peak > HELPER_MB]
    return Cost(seconds, first or seconds, [usage.ru_maxrss / 1024, *started])


def _watch(process: psutil.Process, peaks: dict[int, float]) -> None:
    while True:
        try:
            for each in (process, *process.children(recursive=True)):
                peaks[each.pid] = max(peaks.get(each.pid, 0.0), each.memory_info().rss / 2**20)
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.Error:
            if not process.is_running():
                return
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
