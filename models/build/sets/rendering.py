"""From scripts to test recordings with labels: pauses, levels, noise and reverberation, and the files of a set."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from counter_listener.domain import SAMPLE_RATE
from models.build.held_out import TEST_NOISE
from models.build.manifest import read_manifest
from models.build.sets.labels import Line, Span, SpokenLine, Wording, label, label_line, truth_line
from models.build.sets.sound import (
    FAR_MICROPHONE,
    Samples,
    add_noise,
    distance_db,
    fade,
    hiss,
    in_room,
    loop,
    read,
    set_level,
    write,
)
from models.build.sets.visits import pauses

LEVEL_DB: Final = (-30.0, -18.0)
"""Least and highest level of a visit: root mean square, in decibels below the largest sample."""
LINE_DB: Final = 2.5
"""Largest difference between the level of a line and that of its visit, in decibels."""
HISS_DB: Final = (30.0, 45.0)
"""How far the hiss of the room is below speech, least and most, in decibels."""
NOISE_DB: Final = 12.0
"""How far noise is below speech in the noisy sets, in decibels."""
TAIL: Final = 1.2
"""Seconds after the last line."""
STEADY: Final = frozenset({"rain", "sea_waves", "clock_tick", "helicopter", "chainsaw", "fire_crackling"})
"""Continuous noises, for which a distance from speech is meaningful; a bark or a sneeze is too short."""

RenderedLine = tuple[Samples, tuple[Span, ...], str]
"""The samples of a line, when each of its characters is spoken in them (seconds), and the name of the voice."""
Renderer = Callable[[Line, random.Random], RenderedLine]


@dataclass(frozen=True, slots=True)
class Take:
    """One recorded visit."""

    name: str
    samples: Samples
    spoken: tuple[SpokenLine, ...]


def record_visit(name: str, lines: Sequence[Line], render: Renderer, rng: random.Random) -> Take:
    """A spoken visit: each line after its pause, all at about the same level, with the hiss of a room."""
    visit_db = rng.uniform(*LEVEL_DB)
    parts: list[tuple[int, Samples]] = []
    spoken: list[SpokenLine] = []
    end = 0.0
    for line, pause in zip(lines, pauses(lines, rng), strict=True):
        samples, characters, voice = render(line, rng)
        first = round((end + pause) * SAMPLE_RATE)
        parts.append((first, fade(set_level(samples, visit_db + rng.uniform(-LINE_DB, LINE_DB)))))
        start = first / SAMPLE_RATE
        spoken.append(SpokenLine(line, voice, tuple((start + a, start + b) for a, b in characters)))
        end = start + len(samples) / SAMPLE_RATE
    recording = np.zeros(round((end + TAIL) * SAMPLE_RATE), np.float32)
    for first, samples in parts:
        recording[first : first + len(samples)] += samples
    noise = hiss(len(recording), np.random.default_rng(rng.getrandbits(32)))
    return Take(name, add_noise(recording, noise, _spans(spoken), rng.uniform(*HISS_DB)), tuple(spoken))


def _spans(spoken: Iterable[SpokenLine]) -> list[Span]:
    return [(line.start, line.end) for line in spoken]


def steady_noises(folder: Path) -> list[Path]:
    """The continuous noises of the tests in a folder of ESC-10: those of its fifth fold."""
    rows = read_manifest(folder)
    return sorted(row.path for row in rows if TEST_NOISE.fullmatch(row.path.stem) and row.speaker in STEADY)


def with_background(take: Take, noises: Sequence[Path], rng: random.Random, *, reverberation: bool) -> Take:
    """The same visit with one of the noises 12 dB below speech, and optionally in a small room."""
    samples = in_room(take.samples) if reverberation else take.samples
    noise = loop(read(rng.choice(list(noises))), len(samples))
    return Take(take.name, add_noise(samples, noise, _spans(take.spoken), NOISE_DB), take.spoken)


def far_away(take: Take, rng: random.Random) -> Take:
    """The same visit 3 m from the microphone, in a room: weaker, so that the hiss is as much nearer."""
    weaker = distance_db(FAR_MICROPHONE)
    samples = in_room(take.samples, FAR_MICROPHONE) * np.float32(10 ** (-weaker / 20))
    noise = hiss(len(samples), np.random.default_rng(rng.getrandbits(32)))
    return Take(take.name, add_noise(samples, noise, _spans(take.spoken), rng.uniform(*HISS_DB) - weaker), take.spoken)


def write_set(folder: Path, condition: str, takes: Iterable[Take], wordings: Sequence[Wording]) -> None:
    """Writes a set: first the recordings, then labels.jsonl and truth.jsonl, so an incomplete set has no labels."""
    folder.mkdir(parents=True, exist_ok=True)
    labels, truth = [], []
    for take in takes:
        file = f"{take.name}.wav"
        write(folder / file, take.samples)
        labels.append(label_line(file, len(take.samples) / SAMPLE_RATE, label(take.spoken, wordings)))
        truth.append(truth_line(file, condition, take.spoken))
    write_labels(folder, labels, truth)


def write_labels(folder: Path, labels: Sequence[str], truth: Sequence[str]) -> None:
    """Writes labels.jsonl and truth.jsonl, each atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("truth.jsonl", truth), ("labels.jsonl", labels)):
        partial = folder / f"{name}.part"
        partial.write_text("".join(lines), encoding="utf-8", newline="\n")
        partial.replace(folder / name)
