"""The speech that the speaker network learns from: the frames of all clips without silence, sorted by voice.

A voice is a person or a mixture of voices at one speed, for a change of speed by resampling changes pitch and formants.
Mixtures of almost the same voices are near each other; `nearness` says how near.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from pathlib import Path
from typing import Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from models.build.clips import Clip, load_clips
from models.build.errors import BuildError
from models.build.features import BINS
from models.build.held_out import ExcludedDataError, check_speaker, voices_in
from models.build.recordings import VARIANTS

MOST_SPEECH: Final = 18_000
"""Frames of a voice (3 min): a person with hours of words teaches no more about voices."""
LEAST_SPEECH: Final = 60
"""Frames of a voice that is used at all."""
SPEED_STEP: Final = 0.07
"""Logarithm of the speed from one voice of a person to the next: changes within it, of one semitone in pitch, are those
of one voice."""
SPEED_REACH: Final = 0.1
"""Up to this difference in the logarithm of their speeds, two voices of one person may be taken for one."""
SPEECH: Final = "speaker.npy"
VOICES: Final = "speaker.json"


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker at one speed, and where the frames of each clip are."""

    speaker: str
    speed: float
    """Logarithm of its duration divided by that of the recording, in steps."""
    clips: tuple[tuple[int, int], ...]
    """First frame of each clip in the file of all frames, and the frame after its last."""

    @property
    def frames(self) -> int:
        return sum(last - first for first, last in self.clips)


@dataclass(frozen=True, slots=True)
class Speech:
    """All frames, and the voices that they belong to."""

    frames: NDArray[np.float16]
    """Frames x 40 log-mel, mapped from the file."""
    voices: tuple[Voice, ...]


def gather(work: Path, left_out: Collection[str]) -> str:
    """Writes the speech of the aligned clips in the work folder of a build. Returns what was gathered, in words.

    Raises BuildError if there are none.
    """
    files = [work / f"{folder}.final.clips" for folder in VARIANTS]
    by_voice: dict[tuple[str, float], list[NDArray[np.float16]]] = defaultdict(list)
    for clip in chain.from_iterable(map(load_clips, filter(Path.is_file, files))):
        if _allowed(clip.speaker, left_out):
            by_voice[clip.speaker, speed_step(clip.stretch)].append(speech_of(clip))
    kept = {key: _limited(clips) for key, clips in sorted(by_voice.items())}
    kept = {key: clips for key, clips in kept.items() if sum(map(len, clips)) >= LEAST_SPEECH}
    if not kept:
        raise BuildError(f"{work}: no aligned clips here; build the acoustic model first, up to the step realignment.")
    total = sum(len(clip) for clips in kept.values() for clip in clips)
    frames = open_memmap(work / SPEECH, "w+", np.float16, (total, BINS))
    rows, at = [], 0
    for (speaker, speed), clips in kept.items():
        spans = []
        for speech in clips:
            frames[at : at + len(speech)] = speech
            spans.append((at, at + len(speech)))
            at += len(speech)
        rows.append({"speaker": speaker, "speed": speed, "clips": spans})
    frames.flush()
    (work / VOICES).write_text(json.dumps(rows), encoding="utf-8")
    people = len({speaker for speaker, _ in kept})
    return f"{people} speakers, {len(kept)} voices, {total / 360_000:.1f} h of speech"


def _allowed(speaker: str, left_out: Collection[str]) -> bool:
    try:
        check_speaker(speaker, left_out)
    except ExcludedDataError:
        return False
    return True


def speed_step(stretch: float) -> float:
    """The step in the logarithm of the speed that a clip belongs to."""
    return round(log(stretch) / SPEED_STEP) * SPEED_STEP


def speech_of(clip: Clip) -> NDArray[np.float16]:
    """The frames of a clip that are no silence, by its alignment."""
    return clip.features if clip.labels is None else clip.features[clip.labels > 0]


def _limited(clips: Sequence[NDArray[np.float16]]) -> list[NDArray[np.float16]]:
    """Of many clips, so many of every part as MOST_SPEECH allows."""
    total = sum(map(len, clips))
    step = max(1, -(-total // MOST_SPEECH))
    return [clip for clip in clips[::step] if len(clip)]


def load_speech(work: Path) -> Speech:
    """The speech that `gather` wrote; its frames stay on the disk until they are used."""
    rows = json.loads((work / VOICES).read_text(encoding="utf-8"))
    voices = tuple(Voice(row["speaker"], row["speed"], tuple(map(tuple, row["clips"]))) for row in rows)
    return Speech(np.load(work / SPEECH, mmap_mode="r"), voices)


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the voices of a training are to each other, by their names."""

    mixture: NDArray[np.float32]
    """Voices x voices of Kokoro-82M and people: the share of each, of length 1."""
    speed: NDArray[np.float32]
    """Of each voice, as in Voice."""

    def near(self, chosen: NDArray[np.int64], least: float) -> NDArray[np.bool_]:
        """Chosen x all voices: whether each has a similarity of `least` or more, at about the same speed."""
        alike = self.mixture[chosen] @ self.mixture.T >= least
        return alike & (np.abs(self.speed[chosen][:, None] - self.speed) < SPEED_REACH)


def nearness(voices: Sequence[Voice]) -> Nearness:
    """The nearness of voices: `a+b@0.6` is .6 of a and .4 of b, and the angle between two of them counts."""
    names = {name: number for number, name in enumerate(sorted({n for v in voices for n in voices_in(v.speaker)}))}
    mixture = np.zeros((len(voices), len(names)), np.float32)
    for row, voice in zip(mixture, voices, strict=True):
        for name, share in shares(voice.speaker):
            row[names[name]] += share
    mixture /= np.linalg.norm(mixture, axis=1, keepdims=True)
    return Nearness(mixture, np.array([voice.speed for voice in voices], np.float32))


def shares(speaker: str) -> Iterable[tuple[str, float]]:
    """The voices in the name of a speaker, each with its share."""
    first, *others = voices_in(speaker)
    share = float(speaker.partition("@")[2] or 1) if others else 1.0
    return [(first, share), *((other, 1 - share) for other in others)]
