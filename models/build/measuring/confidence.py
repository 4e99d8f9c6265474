"""How often a recognised word of confidence p is right. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rapidfuzz.distance import Levenshtein

from counter_listener.domain import Word
from counter_listener.phrases import pronounce, split_units

EDGES: Final = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Least confidence of each bin; it ends before the next, and the last one at 1."""


def judged_words(text: str, words: Sequence[Word]) -> list[tuple[float, bool]]:
    """The confidence of each recognised word, and whether all its syllables were said at its place."""
    said = pronounce(split_units(text))
    units = [pronounce(split_units(word.text)) for word in words]
    heard = [unit for word in units for unit in word]
    right = {
        block.b + offset
        for block in Levenshtein.editops(said, heard).as_matching_blocks()
        for offset in range(block.size)
    }
    judged, first = [], 0
    for word, syllables in zip(words, units, strict=True):
        places = range(first, first + len(syllables))
        first += len(syllables)
        if syllables:
            judged.append((word.confidence, right.issuperset(places)))
    return judged


def calibration(judged: Iterable[tuple[float, bool]]) -> dict[str, Any]:
    """For each bin of confidence: its limits, the words, their mean confidence and the share that is right.

    `error` is the expected calibration error: the mean distance of the two over all words (Guo et al. 2017).
    """
    listed = list(judged)
    bins = []
    for low, high in zip(EDGES, (*EDGES[1:], 1.01), strict=True):
        inside = [(confidence, right) for confidence, right in listed if low <= confidence < high]
        if inside:
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            correct = sum(right for _, right in inside) / len(inside)
            bins.append({"from": low, "to": min(1.0, high), "words": len(inside), "confidence": mean, "right": correct})
    total = sum(entry["words"] for entry in bins)
    error = sum(entry["words"] * abs(entry["confidence"] - entry["right"]) for entry in bins) / max(1, total)
    return {"words": total, "error": error, "bins": bins}
