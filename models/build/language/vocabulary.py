"""The vocabulary: words with the counts of a dictionary, and sentences cut into them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.build.errors import BuildError

OWN_COUNT: Final = 1000
"""Of a word of ours that the dictionary lacks: enough that a sentence is cut into it and not into its parts."""
CHINESE: Final = ("一", "鿿")
"""First and last character of the block that everyday Chinese is written in (Unicode, CJK Unified Ideographs)."""


def dictionary_file() -> Path:
    """The list of words of jieba, a line each: word, count in its corpus, part of speech. Raises BuildError."""
    found = find_spec("jieba")
    if found is None or not found.submodule_search_locations:
        raise BuildError("The library jieba is missing: pip install -r models/build/requirements.txt.")
    return Path(found.submodule_search_locations[0]) / "dict.txt"


def read_counts(file: Path) -> dict[str, int]:
    """Words of a dictionary with their counts; those with anything but Chinese characters are left out."""
    lines = map(str.split, file.read_text(encoding="utf-8").splitlines())
    return {word: int(number) for word, number, *_ in lines if is_chinese(word)}


def is_chinese(word: str) -> bool:
    """Whether a word is written in Chinese characters alone."""
    return bool(word) and all(CHINESE[0] <= character <= CHINESE[1] for character in word)


@dataclass(frozen=True, slots=True)
class Segmenter:
    """Cuts a sentence into the words whose counts make it most probable, as jieba does with known words."""

    counts: Mapping[str, float]
    whole: float
    longest: int

    def cut(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence, which must be Chinese characters alone."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(sentence) + 1):
            starts = range(max(0, end - self.longest), end)
            best.append(max((best[at][0] + self._score(sentence[at:end]), at) for at in starts))
        words, end = [], len(sentence)
        while end:
            words.append(sentence[best[end][1] : end])
            end = best[end][1]
        return tuple(reversed(words))

    def _score(self, word: str) -> float:
        counted = self.counts.get(word, 0)
        if not counted and len(word) > 1:
            return -math.inf
        return math.log(max(counted, 1) / self.whole)


def segmenter(counts: Mapping[str, int], own: Iterable[str]) -> Segmenter:
    """A segmenter for a dictionary and words of our own."""
    merged = {**counts, **{word: max(OWN_COUNT, counts.get(word, 0)) for word in own}}
    return Segmenter(merged, sum(merged.values()), max(map(len, merged)))
