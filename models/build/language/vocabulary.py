"""The vocabulary: words with the counts of a dictionary, and the segmentation of sentences into them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.build.errors import BuildError

OWN_COUNT: Final = 1000
"""Count of our own words that the dictionary lacks: high enough that a sentence is not cut into their parts."""
CHINESE: Final = ("一", "鿿")
"""First and last character of the block CJK Unified Ideographs (Unicode)."""


def dictionary_file() -> Path:
    """The word list of jieba; each line has a word, its count in a corpus and its part of speech. Raises BuildError."""
    spec = find_spec("jieba")
    if spec is None or not spec.submodule_search_locations:
        raise BuildError("The library jieba is missing: pip install -r models/build/requirements.txt.")
    return Path(spec.submodule_search_locations[0]) / "dict.txt"


def read_counts(file: Path) -> dict[str, int]:
    """The words of a dictionary that consist of Chinese characters only, with their counts."""
    lines = map(str.split, file.read_text(encoding="utf-8").splitlines())
    return {word: int(number) for word, number, *_ in lines if is_chinese(word)}


def is_chinese(word: str) -> bool:
    """Whether a word consists of Chinese characters only."""
    return bool(word) and all(CHINESE[0] <= character <= CHINESE[1] for character in word)


@dataclass(frozen=True, slots=True)
class Segmenter:
    """Cuts a sentence into the most probable words, by their counts, as jieba does with known words."""

    counts: Mapping[str, float]
    total: float
    longest: int
    """Characters of the longest word."""

    def cut(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence of Chinese characters."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(sentence) + 1):
            starts = range(max(0, end - self.longest), end)
            best.append(max((best[start][0] + self._score(sentence[start:end]), start) for start in starts))
        words, end = [], len(sentence)
        while end:
            words.append(sentence[best[end][1] : end])
            end = best[end][1]
        return tuple(reversed(words))

    def _score(self, word: str) -> float:
        count = self.counts.get(word, 0)
        if not count and len(word) > 1:
            return -math.inf
        return math.log(max(count, 1) / self.total)


def segmenter(counts: Mapping[str, int], own: Iterable[str]) -> Segmenter:
    """A segmenter for the words of a dictionary and our own words."""
    merged = {**counts, **{word: max(OWN_COUNT, counts.get(word, 0)) for word in own}}
    return Segmenter(merged, sum(merged.values()), max(map(len, merged)))
