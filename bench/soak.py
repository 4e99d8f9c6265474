"""Does listening all day leak, lag or differ from `check`? Hours of audio through the live chain, as fast as it goes.

    python bench/soak.py                 24 h of audio, seeded: fixtures, quiet, noise and zeros in a random order
    python bench/soak.py --hours 0.17    ten minutes of it, to test a change
    python bench/soak.py --bare          the same audio through libvosk alone, to see how much memory that needs

The same audio goes through the chain of `check` in another process, and the events of both must be the same. Memory is
the resident memory of the process, sampled every minute of audio; the slope is that of least squares after the first
hour (the first third of a shorter run). Exit code 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from counter_listener.asr import SpeechModel, find_model
from counter_listener.audio import Capture, CaptureQueue, mark_muted, read_recording
from counter_listener.domain import Gap
from counter_listener.judging import load_matcher
from counter_listener.live import RENEWED, STARTED, LiveListener
from counter_listener.pipeline import AudioSource, judge_events
from counter_listener.record import Origin

FIXTURES: Final = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
RATE: Final = 16_000
CHUNK: Final = 1_600
"""Samples in a block of the device, as microphone.py asks for."""
MAX_WAITING: Final = 20
"""Blocks that may wait in the queue: the device here is as fast as the listener, and never faster."""
MAX_SLOPE: Final = 1.0
"""Megabytes per hour of audio."""
MAX_GROWTH: Final = 40.0
"""Megabytes over the rest of a run that is too short for a slope."""


def main() -> None:
    """Prints one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="counter-cn")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--batch", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.batch:
        print(json.dumps(batch(asked.hours, asked.seed, asked.model)))
        return
    if asked.bare:
        report("bare libvosk", asked.hours, bare(asked.hours, asked.seed, asked.model))
        return
    command = [sys.executable, __file__, "--batch", "--hours", str(asked.hours), "--seed", str(asked.seed)]
    checked = subprocess.Popen([*command, "--model", asked.model], stdout=subprocess.PIPE)
    began = time.perf_counter()
    soak = Soak(asked.hours, asked.seed, asked.model)
    events = soak.run()
    seconds = time.perf_counter() - began
    within_limits = report("live chain", asked.hours, soak.memory)
    print(
        f"speed: {asked.hours * 3600 / seconds:.1f} times real time;"
        f" most blocks waiting: {soak.longest}, dropped: {soak.dropped}"
    )
    expected = json.loads(checked.communicate()[0])
    print(f"events live:  {json.dumps(events)}\nevents check: {json.dumps(expected)}")
    passed = within_limits and events == expected and not soak.dropped and soak.longest <= MAX_WAITING
    print("passed" if passed else "FAILED")
    sys.exit(0 if passed else 1)


def audio(hours: float, seed: int) -> Iterator[bytes]:
    """The same audio for the same seed, in chunks of CHUNK samples."""
    rng = random.Random(seed)
    visits = [_sound(file) for file in sorted(FIXTURES.glob("*.wav"))]
    noise = _sound(FIXTURES / "noise.wav")
    left = int(hours * 3600 * RATE / CHUNK)
    rest = b""
    while left > 0:
        piece = rng.choice(("visit", "visit", "quiet", "noise", "zeros"))
        if piece == "visit":
            sound = rng.choice(visits)
        elif piece == "noise":
            start = rng.randrange(0, len(noise) // 4, 2)
            sound = noise[start : start + 2 * RATE * rng.randint(5, 20)]
        elif piece == "zeros":
            sound = bytes(2 * RATE * rng.randint(1, 20))
        else:
            loud = rng.choice((3, 10, 40))
            second = np.array([rng.randint(-loud, loud) for _ in range(RATE)], "<i2").tobytes()
            sound = second * rng.randint(5, 150)
        rest += sound
        whole = len(rest) - len(rest) % (2 * CHUNK)
        for at in range(0, whole, 2 * CHUNK):
            if left > 0:
                left -= 1
                yield rest[at : at + 2 * CHUNK]
        rest = rest[whole:]


def _sound(file: Path) -> bytes:
    return b"".join(part for part in read_recording(file) if isinstance(part, bytes))


@dataclass
class EventDigest:
    """Events, as counts and a checksum."""

    counts: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, event: dict[str, Any]) -> None:
        """Counts an event."""
        facts = [event[name] for name in ("kind", "at", "phrase", "verdict", "score")]
        self.digest.update(json.dumps(facts).encode())
        self.counts[f"{event['kind']} {event['verdict'] or ''}".strip()] += 1

    def result(self) -> dict[str, Any]:
        """As JSON."""
        return {**dict(sorted(self.counts.items())), "digest": self.digest.hexdigest()[:16]}


@dataclass
class Soak:
    """The live chain behind its real queue, fed by a device that is as fast as the chain."""

    hours: float
    seed: int
    model: str
    memory: list[float] = field(default_factory=list)
    longest: int = 0
    dropped: int = 0

    def run(self) -> dict[str, Any]:
        """Every event, counted."""
        events = EventDigest()
        blocks = CaptureQueue()
        over = threading.Event()

        def clock() -> float:
            return blocks.frames / RATE

        def receive(message: dict[str, Any]) -> None:
            if "event" in message:
                events.add(message["event"])
            elif "beat" in message:
                sample(self.memory, message["beat"])

        capture = Capture(
            blocks, RATE, clock, lambda: not over.is_set(), lambda: over.is_set() and blocks.blocks.empty()
        )
        origin = Origin("live-soak", "live", "1", None, "bank-counter", "", self.model)
        listener = LiveListener(
            load_matcher("bank-counter")[0], origin, None, clock, lambda: datetime.now(UTC), receive, lambda: False
        )
        recognizer = SpeechModel(find_model(self.model)).recognizer()
        threading.Thread(target=self.feed, args=(blocks, over), daemon=True).start()
        listener.run(capture, recognizer)
        self.dropped = blocks.dropped
        return events.result()

    def feed(self, blocks: CaptureQueue, over: threading.Event) -> None:
        """The device: the real callback, in another thread, as PortAudio calls it."""
        for chunk in audio(self.hours, self.seed):
            while blocks.blocks.qsize() >= MAX_WAITING:
                time.sleep(0.001)
            blocks.callback(chunk, CHUNK, None, Status())
            self.longest = max(self.longest, blocks.blocks.qsize())
        over.set()


class Status:
    """A sound system that drops nothing."""

    input_overflow = False


def batch(hours: float, seed: int, model: str) -> dict[str, Any]:
    """The same audio through the chain of `check`."""
    digest = EventDigest()

    def chunks() -> Iterator[bytes | Gap]:
        yield Gap(0.0, 0.0, STARTED)
        samples = 0
        for chunk in mark_muted(audio(hours, seed)):
            if chunk is not None:
                yield chunk
                samples += len(chunk) // 2 if isinstance(chunk, bytes) else 0
        yield Gap(samples / RATE, 0.0, RENEWED)

    source = AudioSource(chunks(), SpeechModel(find_model(model)).recognizer())
    for event in judge_events(source, load_matcher("bank-counter")[0]):
        digest.add(asdict(event))
    return digest.result()


def bare(hours: float, seed: int, model: str) -> list[float]:
    """Memory of a loop that only feeds libvosk."""
    memory: list[float] = []
    engine = SpeechModel(find_model(model)).recognizer().engine
    rest, fed = b"", 0
    for chunk in audio(hours, seed):
        rest += chunk
        if len(rest) == 2 * 2 * CHUNK:
            engine.AcceptWaveform(rest) and engine.Result()
            rest, fed = b"", fed + 2 * CHUNK
            sample(memory, fed / RATE)
    return memory


def sample(memory: list[float], at: float) -> None:
    """Takes a sample if a minute of audio has passed since the last."""
    if at >= 60 * len(memory):
        memory.append(psutil.Process().memory_info().rss / 1e6)
        if len(memory) % 30 == 1:
            print(f"  {at / 3600:.2f} h: {memory[-1]:.0f} MB", file=sys.stderr, flush=True)


def report(what: str, hours: float, memory: list[float]) -> bool:
    """Prints the slope; returns whether it is within its limit."""
    first = 60 if hours > 2 else max(1, len(memory) // 3)  # noqa: PLR2004 - the first hour
    later = memory[first:]
    growth = later[-1] - later[0]
    slope, _ = statistics.linear_regression(range(len(later)), later)
    print(
        f"{what}, {hours:g} h of audio: {memory[0]:.0f} MB at first, {later[0]:.0f} MB after {first} min,"
        f" {later[-1]:.0f} MB at the end, most {max(memory):.0f} MB; slope {slope * 60:+.2f} MB an hour"
    )
    return slope * 60 < MAX_SLOPE if hours > 2 else growth < MAX_GROWTH  # noqa: PLR2004


if __name__ == "__main__":
    main()
