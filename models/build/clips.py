"""A clip: the features of one utterance, with the unit that is spoken in each frame."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Syllable = tuple[str, ...]
"""The units of one syllable."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance. Clips that differ only in speed or reverberation have the same `name`."""

    name: str
    source: str
    """The folder of recordings, or `espeak`."""
    speaker: str
    features: NDArray[np.float16]
    """Frames of 10 ms x 40, log-mel."""
    syllables: tuple[Syllable, ...]
    stretch: float = 1.0
    """Duration divided by the duration of the original recording."""
    labels: NDArray[np.uint8] | None = None
    """The unit of each frame; None before alignment."""
    spans: tuple[tuple[int, int], ...] = ()
    """The first frame of each syllable, and the frame after its last."""


def copy_alignment(clip: Clip, labels: NDArray[np.uint8], spans: Sequence[tuple[int, int]]) -> Clip:
    """The clip with the alignment of the original recording, stretched to the duration of the clip."""
    centre = 1.25  # frames from the start of a window to its centre
    frames = len(clip.features)
    source = np.round((np.arange(frames) + centre) / clip.stretch - centre).astype(int)
    stretched = tuple((int(first * clip.stretch), int(last * clip.stretch)) for first, last in spans)
    return replace(clip, labels=labels[np.clip(source, 0, len(labels) - 1)], spans=stretched)


def save_clips(clips: Sequence[Clip], target: Path) -> None:
    """Writes clips atomically. Pickle is safe here: only the build itself writes and reads these files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    with partial.open("wb") as file:
        pickle.dump(list(clips), file, protocol=pickle.HIGHEST_PROTOCOL)
    partial.replace(target)


def load_clips(source: Path) -> list[Clip]:
    """The clips in a file that `save_clips` wrote."""
    with source.open("rb") as file:
        return list(pickle.load(file))  # noqa: S301 - written by save_clips in the work folder of the build
