"""A whole day at a counter as one recording: `python -m models.build.sets.whole_day --audio FOLDER --out FOLDER`.

The words are data (whole_day.toml); who speaks when, the rooms, levels and noise are drawn from a seed. Writes day.pcm
(16 kHz, 16 bits, one channel) and truth.json: each part of the day with its lines and what was said in them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import cos, pi, sin
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from counter_listener.domain import SAMPLE_RATE, CounterListenerError
from models.build.rooms import MARGIN, Room, draw_room, response
from models.build.sets.day_plan import AT_ONCE, LEAST_GAP, Script, Who, cast, gaps, order, read_scripts
from models.build.sets.natural import Spoken, load_speech, speak
from models.build.sets.rendering import steady_noises
from models.build.sets.sound import CLIP, Samples, hiss, loop, read, set_level

HOURS: Final = 8.0
PARTS: Final = 120
"""In HOURS; a shorter day has as many fewer."""
SPEECH_DB: Final = -24.0
VISIT_DB: Final = 3.0
LINE_DB: Final = 2.5
"""Level of speech below full scale; how far a visit, and a line in it, are from that at most."""
FARTHER_DB: Final = 3.0
"""Who is not the clerk is so much weaker."""
CLERK_METRES: Final = (0.4, 0.9)
OTHER_METRES: Final = (1.0, 2.0)
NOISE_DB: Final = (6.0, 18.0)
"""How far noise is below SPEECH_DB, least and most: 12 dB on average."""
STRETCH: Final = (120.0, 600.0)
"""Seconds of one noise at one level."""
FADE: Final = 5
"""Seconds in which a noise turns into the next."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its times in seconds into the day."""

    who: Who
    text: str
    said: tuple[str, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day."""

    kind: str
    name: str
    voices: dict[str, str]
    lines: tuple[Line, ...]


def _talkers(rng: random.Random) -> tuple[Samples, Samples]:
    """The responses of one room for the clerk and for everybody else, with the direct sound at the same level."""
    room = draw_room(rng)
    return _heard_from(room, CLERK_METRES, rng), _heard_from(room, OTHER_METRES, rng)


def _heard_from(room: Room, metres: tuple[float, float], rng: random.Random) -> Samples:
    while True:
        angle, distance = rng.uniform(0, 2 * pi), rng.uniform(*metres)
        mouth = (room.microphone[0] + distance * cos(angle), room.microphone[1] + distance * sin(angle), 1.2)
        if all(MARGIN / 2 <= at <= side - MARGIN / 2 for at, side in zip(mouth, room.size, strict=True)):
            return response(replace(room, mouth=mouth))
        metres = (metres[0] * 0.95, metres[1] * 0.95)  # a small room has no place so far away


def render(script: Script, number: int, folder: Path, rng: random.Random) -> tuple[Samples, list[Line]]:
    """A part as sound in one room, and its lines with their times in it."""
    people = cast(script, number)
    near, far = _talkers(rng)
    level = SPEECH_DB + rng.uniform(-VISIT_DB, VISIT_DB)
    pieces: list[tuple[int, Samples]] = []
    lines: list[Line] = []
    at = 0.0
    for pause, who, text, said in script.said:
        at += pause
        samples, characters = load_speech(Spoken(text, *people[who]), folder)
        decibels = level + rng.uniform(-LINE_DB, LINE_DB) - (0.0 if who == "clerk" else FARTHER_DB)
        sound = fftconvolve(samples, near if who == "clerk" else far).astype(np.float32)
        pieces.append((round(at * SAMPLE_RATE), set_level(sound, decibels)))
        lines.append(Line(who, text, said, at + characters[0][0], at + characters[-1][1]))
        at += len(samples) / SAMPLE_RATE
    whole = np.zeros(max(first + len(sound) for first, sound in pieces), np.float32)
    for first, sound in pieces:
        whole[first : first + len(sound)] += sound
    return whole, lines


def background(noises: Sequence[Path], size: int, rng: random.Random) -> Iterator[Samples]:
    """The noise of the day in pieces: one noise turns into the next, at another level."""
    fade = FADE * SAMPLE_RATE
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    tail = np.zeros(fade, np.float32)
    while size > 0:
        length = round(rng.uniform(*STRETCH) * SAMPLE_RATE)
        quiet = hiss(4 * SAMPLE_RATE, np.random.default_rng(rng.getrandbits(32)))
        sound = loop(read(rng.choice(list(noises))), length + fade)
        decibels = SPEECH_DB - rng.uniform(*NOISE_DB)
        noise = sound * np.float32(CLIP * 10 ** (decibels / 20)) + np.resize(quiet, length + fade) * np.float32(8)
        noise[:fade] = noise[:fade] * ramp + tail * (1 - ramp)
        tail = noise[length:]
        yield noise[: min(size, length)]
        size -= length


def make_day(audio: Path, out: Path, hours: float, seed: int) -> None:
    """Writes day.pcm and truth.json into a folder. Raises BuildError and AudioError."""
    rng = random.Random(f"whole day, seed {seed}")  # noqa: S311 - reproducible draws, not secrets
    scripts = read_scripts()
    spoken = out / "spoken"
    speak(
        (Spoken(text, *cast(each, n)[who]) for n, each in enumerate(scripts) for _, who, text, _ in each.said), spoken
    )
    numbers = order(scripts, max(4, round(PARTS * hours / HOURS)), rng)
    rendered = [(number, *render(scripts[number], number, spoken, rng)) for number in numbers]
    before = gaps([len(sound) / SAMPLE_RATE for _, sound, _ in rendered], hours, rng)
    size = round(hours * 3600 * SAMPLE_RATE)
    size = max(size, sum(len(one[1]) for one in rendered) + round((sum(before) + LEAST_GAP) * SAMPLE_RATE))
    pcm: NDArray[np.int16] = np.memmap(out / "day.pcm", "<i2", "w+", shape=(size,))
    first = 0
    for noise in background(steady_noises(audio / "esc10-noise"), size, rng):
        pcm[first : first + len(noise)] = noise
        first += len(noise)
    parts: list[Part] = []
    at = 0
    for (number, sound, lines), gap in zip(rendered, before, strict=True):
        at += round(gap * SAMPLE_RATE)
        mixed = pcm[at : at + len(sound)] + sound
        pcm[at : at + len(sound)] = np.clip(mixed, -CLIP, CLIP)
        parts.append(_part(scripts[number], number, lines, at / SAMPLE_RATE))
        at += len(sound)
    facts = {"seed": seed, "hours": size / SAMPLE_RATE / 3600, "rate": SAMPLE_RATE, "noise": NOISE_DB}
    text = json.dumps({**facts, "parts": [asdict(part) for part in parts]}, ensure_ascii=False, indent=1)
    (out / "truth.json").write_text(text, encoding="utf-8")
    report(parts, hours)


def _part(script: Script, number: int, lines: Sequence[Line], at: float) -> Part:
    people = cast(script, number)
    voices: dict[str, str] = {line.who: people[line.who][0] for line in lines}
    placed = tuple(replace(line, start=line.start + at, end=line.end + at) for line in lines)
    return Part(script.kind, script.name, voices, placed)


def report(parts: Sequence[Part], hours: float) -> None:
    """Prints what the day holds."""
    visits = sum(part.kind == "visit" for part in parts)
    speech = sum(line.end - line.start for part in parts for line in part.lines) / 60
    row = sum(b.lines[0].start - a.lines[-1].end < AT_ONCE[1] + 1 for a, b in pairwise(parts))
    print(
        f"{hours:g} h: {visits} visits, {len(parts) - visits} parts beside, {row} in a row, {speech:.0f} min of speech"
    )


def main() -> None:
    """Makes the day."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, required=True, help="the folder of recordings, for its noise")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        make_day(asked.audio, asked.out, asked.hours, asked.seed)
    except CounterListenerError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
