"""Recordings of people as clips: read by manifest, licence and speaker checked, varied in speed, room and line."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from models.build.clips import Clip, Syllable
from models.build.features import SAMPLE_RATE, log_mel
from models.build.held_out import ExcludedDataError, check_recording, check_speaker
from models.build.lexicon import Reading, known_syllables, readings, split_syllable
from models.build.manifest import Recording, read_manifest
from models.build.rooms import in_room
from models.build.transmission import transmit

PEAK: Final = 12_000.0
"""Level to which the loud parts of each recording are scaled, of 32 767."""
SPEEDS: Final = (88, 91, 94, 97, 103, 106, 110, 114)
"""Per cent. Resampling changes pitch and formants with the speed, as another speaker does."""
LONGEST: Final = 20.0
SHORTEST: Final = 0.125
"""Limits of the duration of a recording, in seconds; others are not used."""
KOKORO: Final = "kokoro"
"""The folder of natural synthetic speech, which the step `voices` makes."""
VARIANTS: Final = {
    KOKORO: ("plain", "room", "line"),
    "aishell": ("plain", "speed", "room", "line"),
    "aishell3": ("plain", "speed", "speed", "speed", "room", "room", "line"),
    "commonvoice": ("plain", "speed", "speed", "speed", "room", "room", "line"),
    "weigao": ("plain", "speed", "speed", "room", "room", "line"),
    "seedlingo": ("plain", "speed", "speed", "room", "line"),
    "dspspeech20": ("plain", "room", "line"),
    "yuetan": ("plain", "room", "line"),
}
"""The variants made of each recording of a folder; a folder with fewer recordings gets more variants."""
NOISE: Final = "esc10-noise"
"""The folder of recorded noises."""
SINGLE_WORDS: Final = frozenset({"weigao", "seedlingo", "yuetan", "dspspeech20"})
"""Folders of single words, which the training joins to longer utterances."""
SPEAKER_READINGS: Final[Mapping[str, Mapping[str, Reading]]] = {
    "yue_tan": {
        "了": (("liao", "3"),),
        "还": (("huan", "2"),),
        "得": (("dei", "3"),),
        "似": (("si", "4"),),
        "嚼": (("jiao", "2"),),
        "盛": (("cheng", "2"),),
        "剥": (("bao", "1"),),
        "削": (("xiao", "1"),),
        "哪": (("nei", "3"),),
        "乐": (("le", "4"),),
    }
}
"""How a speaker read single characters that most words read differently; found by decoding with all syllables."""


def usable_recordings(folder: Path, left_out: Collection[str] = ()) -> Iterator[Recording]:
    """The recordings of a folder that may be trained on: without the people `left_out` and what the tests use.

    Raises ManifestError, and ExcludedDataError for a licence that is not in LICENCES.
    """
    for recording in read_manifest(folder):
        try:
            check_speaker(recording.speaker, left_out)
            check_recording(recording.path)
        except ExcludedDataError:
            continue
        yield recording


def syllable_units(text: str, speaker_readings: Mapping[str, Reading]) -> tuple[Syllable, ...]:
    """The units of each syllable of a text; empty if it contains letters, digits or a sound without a unit.

    `speaker_readings` lists texts that this speaker read differently from most words.
    """
    characters = re.sub(r"[^\w]", "", text)
    known = known_syllables()
    if not re.fullmatch(r"[\u4e00-\u9fff]+", characters):
        return ()
    syllables = [syllable for syllable, _ in speaker_readings.get(characters) or readings(characters)]
    return tuple(map(split_syllable, syllables)) if all(syllable in known for syllable in syllables) else ()


def read_samples(path: Path) -> NDArray[np.float32]:
    """A recording as 16 kHz mono in the range of int16, its loud parts scaled to PEAK."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(1)
    if rate != SAMPLE_RATE:
        mono = resample_poly(mono, SAMPLE_RATE, rate)
    loud = np.sort(np.abs(mono))[int(len(mono) * 0.999) - 1] if len(mono) else 0.0
    return (mono / (loud + 1e-9) * PEAK).astype(np.float32)


def vary_samples(samples: NDArray[np.float32], variant: str, rng: random.Random) -> tuple[NDArray[np.float32], float]:
    """The samples as a `plain`, `speed`, `room` or `line` variant, and their duration divided by the original one."""
    if variant == "plain":
        return samples, 1.0
    speed = rng.choice(SPEEDS)
    samples = resample_poly(samples, 100, speed).astype(np.float32)
    if variant == "room":
        samples = in_room(samples, rng)
    elif variant == "line":
        samples = transmit(samples, rng)
    return samples, 100 / speed


def make_clips(recording: Recording, source: str) -> list[Clip]:
    """The variants of a recording as clips without alignment; empty if the recording cannot be used."""
    syllables = syllable_units(recording.text, SPEAKER_READINGS.get(recording.speaker, {}))
    if not syllables:
        return []
    samples = read_samples(recording.path)
    if not SHORTEST * SAMPLE_RATE <= len(samples) <= LONGEST * SAMPLE_RATE:
        return []
    name = f"{source}/{recording.path.name}"
    rng = random.Random(zlib.crc32(name.encode()))  # noqa: S311 - reproducible draws, not secrets
    clips = []
    for variant in VARIANTS[source]:
        varied, stretch = vary_samples(samples, variant, rng)
        features = log_mel(varied).astype(np.float16)
        clips.append(Clip(name, source, recording.speaker, features, syllables, stretch))
    return clips


def noise_clip(recording: Recording) -> Clip:
    """A recording without speech, as a clip."""
    return Clip(recording.path.name, "noise", "", log_mel(read_samples(recording.path)).astype(np.float16), ())
