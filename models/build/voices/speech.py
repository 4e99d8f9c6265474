"""A spoken sentence: its sound, and the time of each character. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.build.voices.phonemes import Phoneme

RATE: Final = 16_000
MARGIN: Final = 0.06
"""Seconds of sound that are kept on each side of a sentence."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A spoken sentence."""

    samples: NDArray[np.float32]
    """At 16 kHz, with MARGIN before and after the words; the largest is at most 1."""
    characters: tuple[tuple[float, float], ...]
    """Start and end of each character, in seconds; to about 25 ms."""


def character_times(
    phonemes: Sequence[Phoneme], edges: Sequence[float] | NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Start and end of each character; `edges` are the limits of all tokens, with one before and one after the text."""
    spans: dict[int, tuple[float, float]] = {}
    for number, phoneme in enumerate(phonemes, start=1):
        if phoneme.character is not None:
            start, _ = spans.get(phoneme.character, (float(edges[number]), 0.0))
            spans[phoneme.character] = (start, float(edges[number + 1]))
    return [spans[index] for index in sorted(spans)]


def cut(samples: NDArray[np.float32], characters: Sequence[tuple[float, float]]) -> Speech:
    """The words of a sentence with MARGIN on each side, and their times in it."""
    start = max(0, round((characters[0][0] - MARGIN) * RATE))
    end = min(len(samples), round((characters[-1][1] + MARGIN) * RATE))
    offset = start / RATE
    peak = max(1.0, float(np.abs(samples).max()))
    return Speech(samples[start:end] / peak, tuple((first - offset, last - offset) for first, last in characters))
