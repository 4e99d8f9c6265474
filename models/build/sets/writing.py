"""From lines to a test recording with its labels: pauses, loudness, noise and room, written beside each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from counter_listener.domain.types import SAMPLE_RATE
from models.build.held_out import TEST_NOISE
from models.build.manifest import read_manifest
from models.build.sets.labels import Line, Span, Spoken, Wording, label, label_line, truth_line
from models.build.sets.sound import Samples, faded, hiss, in_room, level, looped, read, with_noise, write
from models.build.sets.visits import pauses

LOUD_DB: Final = (-30.0, -18.0)
"""How loud a visit is, least and most: root mean square below the largest sample there can be."""
TURN_DB: Final = 2.5
"""How far one line may be louder or softer than its visit, in decibels."""
ROOM_DB: Final = (30.0, 45.0)
"""How far the hiss of the room is below speech, least and most."""
NOISY_DB: Final = 12.0
"""How far noise is below speech in the noisy condition."""
TAIL: Final = 1.2
"""Seconds of room after the last line."""
STEADY: Final = frozenset({"rain", "sea_waves", "clock_tick", "helicopter", "chainsaw", "fire_crackling"})
"""Noise that goes on, so that its distance from speech means something; a bark or a sneeze is over in a moment."""

Voicing = Callable[[Line, random.Random], tuple[Samples, tuple[Span, ...], str]]
"""A line -> its sound, when each of its characters is said in it (seconds), and whose voice it is."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recorded visit, before noise."""

    name: str
    samples: Samples
    spoken: tuple[Spoken, ...]


def take(name: str, lines: Sequence[Line], voicing: Voicing, rng: random.Random) -> Take:
    """Speaks a visit: each line after its pause, at about the same loudness, over the hiss of a room."""
    loud = rng.uniform(*LOUD_DB)
    parts: list[tuple[int, Samples]] = []
    spoken: list[Spoken] = []
    now = 0.0
    for line, pause in zip(lines, pauses(lines, rng), strict=True):
        samples, characters, voice = voicing(line, rng)
        at = round((now + pause) * SAMPLE_RATE)
        parts.append((at, faded(level(samples, loud + rng.uniform(-TURN_DB, TURN_DB)))))
        shift = at / SAMPLE_RATE
        spoken.append(Spoken(line, voice, tuple((start + shift, end + shift) for start, end in characters)))
        now = shift + len(samples) / SAMPLE_RATE
    whole = np.zeros(round((now + TAIL) * SAMPLE_RATE), np.float32)
    for at, samples in parts:
        whole[at : at + len(samples)] += samples
    noise = hiss(len(whole), np.random.default_rng(rng.getrandbits(32)))
    return Take(name, with_noise(whole, noise, _when(spoken), rng.uniform(*ROOM_DB)), tuple(spoken))


def _when(spoken: Iterable[Spoken]) -> list[Span]:
    return [(one.start, one.end) for one in spoken]


def steady_noises(folder: Path) -> list[Path]:
    """The noise of the tests in a folder of ESC-10: its fifth fold, and of that what goes on."""
    rows = read_manifest(folder)
    return sorted(row.path for row in rows if TEST_NOISE.fullmatch(row.path.stem) and row.speaker in STEADY)


def noisy(one: Take, noises: Sequence[Path], rng: random.Random, *, echo: bool) -> Take:
    """The same visit with noise 12 dB below speech, in a small room if there is to be an echo."""
    samples = in_room(one.samples) if echo else one.samples
    noise = looped(read(rng.choice(list(noises))), len(samples))
    return Take(one.name, with_noise(samples, noise, _when(one.spoken), NOISY_DB), one.spoken)


def write_set(folder: Path, condition: str, takes: Iterable[Take], wordings: Sequence[Wording]) -> None:
    """Writes a set: recordings first, then labels.jsonl and truth.jsonl, which make it whole."""
    folder.mkdir(parents=True, exist_ok=True)
    labels, truth = [], []
    for one in takes:
        file = f"{one.name}.wav"
        write(folder / file, one.samples)
        labels.append(label_line(file, len(one.samples) / SAMPLE_RATE, label(one.spoken, wordings)))
        truth.append(truth_line(file, condition, one.spoken))
    write_lines(folder, labels, truth)


def write_lines(folder: Path, labels: Sequence[str], truth: Sequence[str]) -> None:
    """Writes labels.jsonl and truth.jsonl, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("truth.jsonl", truth), ("labels.jsonl", labels)):
        beside = folder / f"{name}.part"
        beside.write_text("".join(lines), encoding="utf-8", newline="\n")
        beside.replace(folder / name)
