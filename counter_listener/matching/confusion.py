"""What a recogniser writes for a sound: log-likelihood ratios in bits against a background of ordinary talk.

The rates in score.json are those of simulated errors at some 15 % (bench/misheard.py); they are not measured on a
recogniser yet. Which sounds are alike comes from what speakers and phoneticians know (confusions.toml).
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from math import exp, log2
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.phrases import pronounce, split_units

WORDS: Final = Path(__file__).with_name("words.txt")
TABLE: Final = Path(__file__).with_name("confusions.toml")
FITTED: Final = Path(__file__).with_name("score.json")
INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
LETTERS_BITS: Final = 9.0
"""Information of a word in letters that is not a syllable."""


@cache
def confusion_table() -> dict[str, Any]:
    """What is known of sounds and words: confusions.toml."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def fitted() -> dict[str, Any]:
    """The numbers of the score, its weights fitted to data: score.json."""
    found: dict[str, Any] = json.loads(FITTED.read_text(encoding="utf-8"))
    return found


@cache
def word_class(name: str) -> frozenset[str]:
    """The words of one class in confusions.toml, such as `negations`."""
    return frozenset(confusion_table()["words"][name])


@cache
def word_endings() -> Mapping[str, str]:
    """For each first character of a common word of two: all second characters."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))


@cache
def persons() -> Mapping[str, int]:
    """Characters that name a person, each with the number of that person."""
    groups = confusion_table()["words"]["persons"]
    return {unit: number for number, units in enumerate(groups) for unit in units}


@cache
def syllable_bits() -> dict[str, float]:
    """The information of each syllable of Mandarin, in bits: -log2 of its share of speech."""
    return {sound: float(bits) for bits, sounds in confusion_table()["bits"].items() for sound in sounds.split()}


@lru_cache(maxsize=4096)
def split_syllable(sound: str) -> tuple[str, str]:
    """A toneless syllable as initial and final."""
    initial = next((initial for initial in INITIALS if sound.startswith(initial)), "")
    return initial, sound[len(initial) :]


@cache
def confusion_costs() -> tuple[dict[str, dict[str, float]], ...]:
    """How unlike initials, finals and syllables are, in that order, both ways; 1 is unrelated."""
    tables: tuple[dict[str, dict[str, float]], ...] = ({}, {}, {})
    for costs, kind in zip(tables, ("initial", "final", "syllable"), strict=True):
        for entry in confusion_table()[kind]:
            for first, second in (pair.split("-") for pair in entry["pairs"].split()):
                costs.setdefault(first, {})[second] = costs.setdefault(second, {})[first] = entry["cost"]
    return tables


def syllable_distance(first: str, second: str) -> float:
    """How unlike two sounds are: 0 for the same, 1 for unrelated ones."""
    if first == second:
        return 0.0
    costs = confusion_costs()
    if second in costs[2].get(first, {}):
        return costs[2][first][second]
    if not (first in syllable_bits() and second in syllable_bits()):
        return 1.0
    cost = 0.0
    for table, part, other in zip(costs, split_syllable(first), split_syllable(second), strict=False):
        cost += 0.0 if part == other else table.get(part, {}).get(other, 1.0)
    return cost if cost < confusion_table()["unrelated_from"] else 1.0


@lru_cache(maxsize=1024)
def similar_syllables(sound: str) -> Mapping[str, float]:
    """The sounds that may be confused with this one, including itself, each with how unlike it is, below 1."""
    initials, finals, syllables = confusion_costs()
    initial, final = split_syllable(sound)
    parts = product((initial, *initials.get(initial, ())), (final, *finals.get(final, ())))
    by_parts = ((first + last) for first, last in parts if first + last in syllable_bits())
    others = {sound, *syllables.get(sound, ()), *by_parts}
    return {other: cost for other in others if (cost := syllable_distance(sound, other)) < 1.0}


@dataclass(frozen=True, slots=True)
class ConfusionModel:
    """Log-likelihood ratios, in bits, of what was heard where a sound was said, against ordinary talk."""

    sounds: Mapping[str, int]
    """The number of each known sound."""
    scores: NDArray[np.float32]
    """Wanted by heard, where the characters differ. The last row and column are those of unknown sounds."""
    rates: Mapping[str, float]
    """Probabilities of what happens to a syllable, by name, such as `homophone`."""
    light: frozenset[str]
    full: Mapping[str, float]
    """The bits of each known sound where it is heard to the letter."""
    full_letters: float
    """The same for a word in letters."""

    def row(self, sound: str) -> int:
        """The number of a sound; that of unknown sounds if it is not a syllable of Mandarin."""
        return self.sounds.get(sound, len(self.sounds))

    @property
    def other(self) -> float:
        """The score of quite another sound."""
        return log2(self.rates["other"])

    def full_bits(self, sounds: Iterable[str]) -> float:
        """The bits of these sounds where each is heard to the letter."""
        return sum(self.full.get(sound, self.full_letters) for sound in sounds)

    def deletion(self, unit: str) -> float:
        """The score of a syllable that was not heard."""
        return log2(self.rates["light_deleted" if unit in self.light else "deleted"])


@cache
def confusion_model() -> ConfusionModel:
    """The model of the rates and of the sounds that are alike."""
    data, bits = fitted()["confusion"], syllable_bits()
    sounds = {sound: number for number, sound in enumerate(bits)}
    rates = data["rates"]
    scores = np.full((len(bits) + 1, len(bits) + 1), log2(rates["other"]), np.float32)
    for sound, number in sounds.items():
        scores[number, number] = bits[sound] + log2(rates["homophone"])
        for other, share in _shares(sound, data["likeness"]).items():
            score = bits[other] + log2(rates["similar"]) + log2(share)
            scores[number, sounds[other]] = max(scores[number, sounds[other]], score)
    bonus = log2(rates["same"]) + rates["character_bits"]
    full = {sound: each + bonus for sound, each in bits.items()}
    return ConfusionModel(sounds, scores, rates, word_class("light"), full, LETTERS_BITS + bonus)


def _shares(sound: str, likeness: float) -> dict[str, float]:
    """How the similar sounds that are written for a sound divide among them, by their likeness."""
    similar = similar_syllables(sound).items()
    weights = {other: exp(-cost / likeness) for other, cost in similar if other != sound and other in syllable_bits()}
    total = sum(weights.values())
    return {other: value / total for other, value in weights.items()}


def insertion_scores(units: tuple[str, ...], sounds: tuple[str, ...]) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """The score of each unit of an utterance as an insertion, and whether it is a filler, which costs little."""
    rates, fillers, written = fitted()["confusion"]["rates"], _filler_sounds(), word_class("fillers")
    is_filler = [unit in written or (sound,) in fillers for unit, sound in zip(units, sounds, strict=True)]
    for at in range(len(units) - 1):
        if sounds[at : at + 2] in fillers:
            is_filler[at] = is_filler[at + 1] = True
    light, heavy = log2(rates["filler_inserted"]), log2(rates["inserted"])
    return tuple(light if filler else heavy for filler in is_filler), tuple(is_filler)


@cache
def _filler_sounds() -> frozenset[tuple[str, ...]]:
    """The sounds of the fillers of two syllables; those of one syllable sound like other words."""
    return frozenset(pronounce(split_units(filler)) for filler in word_class("fillers") if len(filler) > 1)
