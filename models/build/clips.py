"""A clip: features of one piece of speech with the unit that is heard in each frame."""

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
    """One piece of speech. Clips that differ only in speed or room share their `name`."""

    name: str
    source: str
    """The folder of recordings, or `espeak`."""
    speaker: str
    features: NDArray[np.float16]
    """Frames of 10 ms x 40, log-mel."""
    syllables: tuple[Syllable, ...]
    slowed: float = 1.0
    """How many times longer than the recording it is."""
    labels: NDArray[np.uint8] | None = None
    """The unit in each frame; None until it is aligned."""
    spans: tuple[tuple[int, int], ...] = ()
    """First frame, and the frame after the last, of each syllable."""


def aligned_like(clip: Clip, labels: NDArray[np.uint8], spans: Sequence[tuple[int, int]]) -> Clip:
    """The clip with the alignment of its recording at its own speed."""
    middle = 1.25  # frames from the start of a window to its middle
    frames = len(clip.features)
    source = np.round((np.arange(frames) + middle) / clip.slowed - middle).astype(int)
    moved = tuple((int(first * clip.slowed), int(last * clip.slowed)) for first, last in spans)
    return replace(clip, labels=labels[np.clip(source, 0, len(labels) - 1)], spans=moved)


def save_clips(clips: Sequence[Clip], target: Path) -> None:
    """Writes clips, whole or not at all. Our own files in our own folder: pickle is safe there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".part")
    with beside.open("wb") as file:
        pickle.dump(list(clips), file, protocol=pickle.HIGHEST_PROTOCOL)
    beside.replace(target)


def load_clips(source: Path) -> list[Clip]:
    """The clips in a file that `save_clips` wrote."""
    with source.open("rb") as file:
        return list(pickle.load(file))  # noqa: S301 - written by save_clips in the build's own folder
