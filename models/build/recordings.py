"""Recordings of people to clips: read by their manifest, licence and speaker checked, varied in speed and room."""

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
from scipy.signal import fftconvolve, resample_poly

from models.build.clips import Clip, Syllable
from models.build.features import RATE, log_mel
from models.build.held_out import Refused, refuse_recording, refuse_speaker
from models.build.lexicon import Reading, known_syllables, readings, split
from models.build.manifest import Recording, read_manifest

PEAK: Final = 12_000.0
"""Level that the loud end of each recording is brought to, of 32 767."""
SPEEDS: Final = (88, 91, 94, 97, 103, 106, 110, 114)
"""Per cent; resampling changes pitch and formants with the speed, as another speaker would."""
LONGEST: Final = 20.0
SHORTEST: Final = 0.125
"""Seconds that a recording may last to be used."""
VARIANTS: Final = {
    "aishell": ("plain", "speed", "room"),
    "aishell3": ("plain", "speed", "speed", "speed", "room", "room"),
    "commonvoice": ("plain", "speed", "speed", "speed", "room", "room"),
    "weigao": ("plain", "speed", "speed", "room", "room"),
    "seedlingo": ("plain", "speed", "speed", "room"),
    "dspspeech20": ("plain", "room"),
    "yuetan": ("plain", "room"),
}
"""How each folder is used; the fewer its recordings the more they are varied."""
NOISE: Final = "esc10-noise"
"""The folder of recorded noises, beside those of speech."""
ISOLATED: Final = frozenset({"weigao", "seedlingo", "yuetan", "dspspeech20"})
"""Folders of single words, which training joins to runs of speech."""
HEARD: Final[Mapping[str, Mapping[str, Reading]]] = {
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
"""How a speaker read characters alone that are read otherwise in most words: told by decoding with all syllables."""


def listed(folder: Path, left_out: Collection[str] = ()) -> Iterator[Recording]:
    """The recordings of a folder that may be trained on, but for the people `left_out` and what the tests hear.

    Raises ManifestError, and Refused for a licence that is not on the list.
    """
    for recording in read_manifest(folder):
        try:
            refuse_speaker(recording.speaker, left_out)
            refuse_recording(recording.path)
        except Refused:
            continue
        yield recording


def syllables_of(text: str, heard: Mapping[str, Reading]) -> tuple[Syllable, ...]:
    """The units of each syllable of a text; empty where it holds letters, digits or a sound that has no unit.

    `heard` holds texts that were read otherwise than they mostly are.
    """
    written = re.sub(r"[^\w]", "", text)
    known = known_syllables()
    if not re.fullmatch(r"[\u4e00-\u9fff]+", written):
        return ()
    spelt = [syllable for syllable, _ in heard.get(written) or readings(written)]
    return tuple(split(one) for one in spelt) if all(one in known for one in spelt) else ()


def samples_of(path: Path) -> NDArray[np.float32]:
    """A recording as 16 kHz mono in the range of int16, its loud end brought to PEAK."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = sound.mean(1)
    if rate != RATE:
        mono = resample_poly(mono, RATE, rate)
    loud = np.sort(np.abs(mono))[int(len(mono) * 0.999) - 1] if len(mono) else 0.0
    return (mono / (loud + 1e-9) * PEAK).astype(np.float32)


def varied(sound: NDArray[np.float32], how: str, chance: random.Random) -> tuple[NDArray[np.float32], float]:
    """The sound at another speed, or at another speed in a room, and how many times longer it became."""
    if how == "plain":
        return sound, 1.0
    speed = chance.choice(SPEEDS)
    sound = resample_poly(sound, 100, speed)
    if how == "room":
        sound = in_room(sound, chance)
    return sound.astype(np.float32), 100 / speed


def in_room(sound: NDArray[np.float32], chance: random.Random) -> NDArray[np.float32]:
    """The sound with an echo: decaying noise of 0.1-0.6 s (Polack's model) after the direct sound."""
    generator = np.random.default_rng(chance.getrandbits(32))
    samples = int(chance.uniform(0.1, 0.6) * RATE)
    tail = generator.normal(size=samples) * 10 ** (-3 * np.arange(samples) / samples)
    early = int(0.002 * RATE)
    tail[:early] = 0
    tail *= 10 ** (-chance.uniform(0, 12) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    return fftconvolve(sound, tail)[: len(sound)].astype(np.float32)


def clips_of(recording: Recording, source: str) -> list[Clip]:
    """The variants of a recording as clips, not yet aligned; none where it cannot be used."""
    spelt = syllables_of(recording.text, HEARD.get(recording.speaker, {}))
    if not spelt:
        return []
    sound = samples_of(recording.path)
    if not SHORTEST * RATE <= len(sound) <= LONGEST * RATE:
        return []
    name = f"{source}/{recording.path.name}"
    chance = random.Random(zlib.crc32(name.encode()))  # noqa: S311 - a draw, no secret
    clips = []
    for how in VARIANTS[source]:
        changed, slowed = varied(sound, how, chance)
        features = log_mel(changed).astype(np.float16)
        clips.append(Clip(name, source, recording.speaker, features, spelt, slowed))
    return clips


def noise_of(recording: Recording) -> Clip:
    """A recording in which nobody speaks, as a clip."""
    return Clip(recording.path.name, "noise", "", log_mel(samples_of(recording.path)).astype(np.float16), ())
