"""Does listening all day leak, lag or differ from batch? Hours of audio through the live chain as fast as it goes.

    python bench/soak.py                 24 h of audio, seeded: fixtures, quiet, noise and zeros in a random order
    python bench/soak.py --hours 0.17    ten minutes of it, as the tests of a change do
    python bench/soak.py --bare          the same audio through nothing but libvosk, to see what it keeps for itself

The same audio goes through the batch chain in a process of its own, and both must give the same events. Memory is
resident megabytes of the process, a sample a minute of audio; the slope is that of least squares after the first hour
(the first third of a shorter run). Exit code 1 where a bound is broken.
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
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from counter_listener.asr.model_files import find_model
from counter_listener.asr.recognizer import VoskRecognizer, load_model
from counter_listener.audio.capture import Capture, CaptureQueue, make_capture_queue, mark_muted
from counter_listener.audio.recording import read_recording
from counter_listener.domain.types import Event, Gap
from counter_listener.live.listener import RENEWED, STARTED, LiveListener
from counter_listener.matching.matcher import Matcher, prepare_matcher
from counter_listener.phrases.phrase_file import find_phrase_set, read_phrase_set
from counter_listener.pipeline import listen
from counter_listener.record.rows import Origin

FIXTURES: Final = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
RATE: Final = 16_000
CHUNK: Final = 1_600
"""Samples a block of the device, as microphone.py asks for."""
MOST_WAITING: Final = 20
"""Blocks that the bench lets wait: the device is as fast as the listener, and never faster."""
SLOPE: Final = 1.0
"""Megabytes an hour of audio."""
QUICK_GROWTH: Final = 40.0
"""Megabytes over the rest of a run too short for a slope."""


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
    same = [sys.executable, __file__, "--batch", "--hours", str(asked.hours), "--seed", str(asked.seed)]
    other = subprocess.Popen([*same, "--model", asked.model], stdout=subprocess.PIPE)
    began = time.perf_counter()
    soaked = Soak(asked.hours, asked.seed, asked.model)
    told = soaked.run()
    seconds = time.perf_counter() - began
    bounded = report("live chain", asked.hours, soaked.memory)
    print(
        f"speed: {asked.hours * 3600 / seconds:.1f} times real time;"
        f" most blocks waiting: {soaked.longest}, dropped: {soaked.dropped}"
    )
    expected = json.loads(other.communicate()[0])
    print(f"events live:  {json.dumps(told)}\nevents batch: {json.dumps(expected)}")
    well = bounded and told == expected and not soaked.dropped and soaked.longest <= MOST_WAITING
    print("well" if well else "NOT WELL")
    sys.exit(0 if well else 1)


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
            second = array("h", (rng.randint(-loud, loud) for _ in range(RATE))).tobytes()
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


def matcher() -> Matcher:
    """The bank counter's."""
    return prepare_matcher(read_phrase_set(find_phrase_set("bank-counter"))[0])


@dataclass
class Told:
    """Events, as counts and a digest."""

    counts: Counter[str] = field(default_factory=Counter)
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, event: Event | dict[str, Any]) -> None:
        """Counts one in."""
        one = (
            event
            if isinstance(event, dict)
            else {name: getattr(event, name) for name in ("kind", "at", "phrase", "verdict", "score")}
        )
        facts = [one[name] for name in ("kind", "at", "phrase", "verdict", "score")]
        self.digest.update(json.dumps(facts).encode())
        self.counts[f"{one['kind']} {one['verdict'] or ''}".strip()] += 1

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
        told = Told()
        tap = make_capture_queue(RATE, CHUNK)
        over = threading.Event()
        intake = Capture(
            tap,
            RATE,
            lambda: tap.given / RATE,
            lambda: not over.is_set(),
            lambda: over.is_set() and tap.waiting.empty(),
        )
        origin = Origin("live-soak", "live", "1", None, "bank-counter", "", self.model)

        def tell(message: dict[str, Any]) -> None:
            if "event" in message:
                told.add(message["event"])
            elif "beat" in message:
                self.sample(message["beat"])

        live = LiveListener(
            matcher(), origin, None, lambda: tap.given / RATE, lambda: datetime.now(UTC), tell, lambda: False
        )
        engine = VoskRecognizer(load_model(find_model(self.model)))
        device = threading.Thread(target=self.feed, args=(tap, over), daemon=True)
        device.start()
        live.run(iter(intake), engine)
        self.dropped = tap.dropped
        return told.result()

    def feed(self, tap: CaptureQueue, over: threading.Event) -> None:
        """The device: the real callback, in a thread of its own, as PortAudio calls it."""
        for chunk in audio(self.hours, self.seed):
            while tap.waiting.qsize() >= MOST_WAITING:
                time.sleep(0.001)
            tap.callback(chunk, CHUNK, None, Status())
            self.longest = max(self.longest, tap.waiting.qsize())
        over.set()

    def sample(self, at: float) -> None:
        """Memory, once a minute of audio."""
        sample(self.memory, at)


class Status:
    """A sound system that drops nothing."""

    input_overflow = False


def batch(hours: float, seed: int, model: str) -> dict[str, Any]:
    """The same audio through the chain of `check`."""
    told = Told()

    def chunks() -> Iterator[bytes | Gap]:
        yield Gap(0.0, 0.0, STARTED)
        samples = 0
        for chunk in mark_muted(audio(hours, seed)):
            if chunk is not None:
                yield chunk
                samples += len(chunk) // 2 if isinstance(chunk, bytes) else 0
        yield Gap(samples / RATE, 0.0, RENEWED)

    for event in listen(chunks(), VoskRecognizer(load_model(find_model(model))), matcher()):
        told.add(event)
    return told.result()


def bare(hours: float, seed: int, model: str) -> list[float]:
    """Memory of a loop that does nothing but feed libvosk."""
    memory: list[float] = []
    engine = VoskRecognizer(load_model(find_model(model))).engine
    rest, fed = b"", 0
    for chunk in audio(hours, seed):
        rest += chunk
        if len(rest) == 2 * 2 * CHUNK:
            engine.AcceptWaveform(rest) and engine.Result()
            rest, fed = b"", fed + 2 * CHUNK
            sample(memory, fed / RATE)
    return memory


def sample(memory: list[float], at: float) -> None:
    """Takes a sample where a minute of audio has passed since the last."""
    if at >= 60 * len(memory):
        memory.append(psutil.Process().memory_info().rss / 1e6)
        if len(memory) % 30 == 1:
            print(f"  {at / 3600:.2f} h: {memory[-1]:.0f} MB", file=sys.stderr, flush=True)


def report(what: str, hours: float, memory: list[float]) -> bool:
    """Prints the slope; whether it is within its bound."""
    first = 60 if hours > 2 else max(1, len(memory) // 3)  # noqa: PLR2004 - the first hour
    later = memory[first:]
    growth = later[-1] - later[0]
    slope, _ = statistics.linear_regression(range(len(later)), later)
    print(
        f"{what}, {hours:g} h of audio: {memory[0]:.0f} MB at first, {later[0]:.0f} MB after {first} min,"
        f" {later[-1]:.0f} MB at the end, most {max(memory):.0f} MB; slope {slope * 60:+.2f} MB an hour"
    )
    return slope * 60 < SLOPE if hours > 2 else growth < QUICK_GROWTH  # noqa: PLR2004


if __name__ == "__main__":
    main()
