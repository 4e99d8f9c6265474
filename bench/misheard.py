"""Simulated recognition errors: at a chosen character error rate, drawn from a stated mix."""

import importlib.metadata
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from pypinyin import Style, lazy_pinyin

from counter_listener.domain import Utterance, Word
from counter_listener.evaluation import units_with_times
from counter_listener.phrases import pronounce, split_units

Kind = Literal["homophone", "similar", "other", "deleted", "inserted"]
MIX: Final[Mapping[Kind, float]] = {
    "homophone": 0.45,
    "similar": 0.25,
    "other": 0.10,
    "deleted": 0.13,
    "inserted": 0.07,
}
"""Shares of all errors. Most errors of a Mandarin recogniser with a language model keep the sound, or a similar one."""
COMMON: Final = 3_000
"""Characters that errors are drawn from: the most common ones, which a language model favours."""
SAME_TONE: Final = 3.0
"""How many times more likely a homophone of the same tone is than one of another."""
FLATTENED: Final = 0.5
"""Power of the frequency of a character that is its weight: without it 的 and 是 would be half of all errors."""
LIKELY: Final = 4.0
"""How many times more likely the confusions of LIKELY_PAIRS are than those of RARE_PAIRS."""
LIKELY_PAIRS: Final = (
    "z-zh c-ch s-sh n-l f-h r-l",
    "in-ing en-eng an-ang ian-iang uan-uang",
)
"""Initials, then finals, that speakers of many regions do not distinguish: what fuzzy-pinyin keyboards offer."""
RARE_PAIRS: Final = (
    "b-p d-t g-k j-q zh-ch z-c m-n h-k sh-x zh-j ch-q w-h",
    "ie-ei ai-ei ao-ou uo-ou i-v u-v an-en ang-eng un-ong in-i an-a en-e iu-ou ui-ei ian-ie e-o",
)
"""The same for what noise and fast speech confuse: aspiration, place, a neighbouring vowel, a lost nasal."""
INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


class MissingLibraryError(SystemExit):
    "A benchmark needs a library that is not installed."


@dataclass(frozen=True, slots=True)
class Inventory:
    """The common characters, by sound."""

    weights: Mapping[str, float]
    """Of each character."""
    by_sound: Mapping[str, tuple[str, ...]]
    """Toneless syllable to characters."""
    tones: Mapping[str, str]
    """Character to syllable with tone."""
    similar: Mapping[str, Mapping[str, float]]
    """Toneless syllable to those that may be confused with it, with weights."""


@dataclass
class ErrorCounts:
    """The errors that were made."""

    characters: int = 0
    """Characters before the errors."""
    errors: Counter[str] = field(default_factory=Counter)
    """By kind."""

    @property
    def mix(self) -> dict[str, float]:
        return {kind: self.errors[kind] / max(1, self.errors.total()) for kind in MIX}


@cache
def inventory() -> Inventory:
    """The common characters: the `COMMON` that weigh most in jieba's dictionary of words and how often they occur."""
    weights: Counter[str] = Counter()
    for line in dictionary().splitlines():
        word, times = line.split()[:2]
        for unit in word:
            weights[unit] += int(times)
    chinese = ((unit, times) for unit, times in weights.most_common() if split_units(unit) and not unit.isascii())
    common = dict(islice(chinese, COMMON))
    tones = {unit: lazy_pinyin(unit, style=Style.TONE3)[0] for unit in common}
    by_sound: dict[str, list[str]] = defaultdict(list)
    for unit in common:
        by_sound[pronounce((unit,))[0]].append(unit)
    return Inventory(
        weights={unit: times**FLATTENED for unit, times in common.items()},
        by_sound={sound: tuple(units) for sound, units in by_sound.items()},
        tones=tones,
        similar={sound: similar_sounds(sound, by_sound) for sound in by_sound},
    )


def dictionary() -> str:
    """The text of jieba's dictionary; the module is not imported, because nothing else of it is needed."""
    try:
        path = importlib.metadata.distribution("jieba").locate_file("jieba/dict.txt")
    except importlib.metadata.PackageNotFoundError:
        raise MissingLibraryError("This bench needs jieba's dictionary; install it: pip install jieba") from None
    return Path(str(path)).read_text(encoding="utf-8")


def split(sound: str) -> tuple[str, str]:
    """A syllable as initial and final."""
    initial = next((one for one in INITIALS if sound.startswith(one)), "")
    return initial, sound[len(initial) :]


def similar_sounds(sound: str, known: Iterable[str]) -> dict[str, float]:
    """The known syllables that differ from this one by one confusion, of the initial or of the final."""
    initial, final = split(sound)
    weights: dict[str, float] = {}
    for (initials, finals), weight in ((LIKELY_PAIRS, LIKELY), (RARE_PAIRS, 1.0)):
        for other in partners(initials, initial):
            weights.setdefault(other + final, weight)
        for other in partners(finals, final):
            weights.setdefault(initial + other, weight)
    return {other: weight for other, weight in weights.items() if other in set(known) and other != sound}


def partners(pairs: str, part: str) -> Iterator[str]:
    for pair in pairs.split():
        one, _, other = pair.partition("-")
        if part == one:
            yield other
        elif part == other:
            yield one


def misheard(utterance: Utterance, rate: float, rng: random.Random, counts: ErrorCounts) -> Utterance | None:
    """The utterance as a recogniser might write it, one character a word; None where nothing is left.

    `rate` is the mean number of errors of a character, 0-1. Errors are independent, in the shares of `MIX`. Some sounds
    have only one common character, as 您: the homophones that it cannot get go to the other characters of the
    utterance, because a recogniser does not misrecognise 您 more often than others.
    """
    timed = units_with_times(utterance)
    sounds = pronounce(tuple(unit for unit, _, _ in timed))
    has_homophones = [bool(homophones(unit, sound)) for (unit, _, _), sound in zip(timed, sounds, strict=True)]
    share = len(timed) / max(1, sum(has_homophones))
    words: list[Word] = []
    for (unit, start, end), sound, possible in zip(timed, sounds, has_homophones, strict=True):
        counts.characters += 1
        odds = {**MIX, "homophone": MIX["homophone"] * share if possible else 0.0}
        kind = rng.choices(tuple(odds), tuple(odds.values()))[0] if rng.random() < rate * sum(odds.values()) else None
        words += with_error(kind, (unit, sound, start, end), rng, counts)
    return Utterance(words[0].start, words[-1].end, tuple(words), utterance.speaker) if words else None


def homophones(unit: str, sound: str) -> list[str]:
    """The other common characters of this sound."""
    return [one for one in inventory().by_sound.get(sound, ()) if one != unit]


def with_error(
    kind: Kind | None, character: tuple[str, str, float, float], rng: random.Random, counts: ErrorCounts
) -> tuple[Word, ...]:
    """The words that one character becomes."""
    unit, sound, start, end = character
    if kind is None:
        return (Word(unit, start, end),)
    if kind == "deleted":
        counts.errors[kind] += 1
        return ()
    if kind == "inserted":
        counts.errors[kind] += 1
        middle = (start + end) / 2
        return (Word(any_character(rng), start, middle), Word(unit, middle, end))
    changed, became = substitute(kind, unit, sound, rng)
    counts.errors[became] += 1
    return (Word(changed, start, end),)


def substitute(kind: Kind, unit: str, sound: str, rng: random.Random) -> tuple[str, Kind]:
    """Another character, and the kind of the error: where a sound has no similar one, it becomes any other."""
    known = inventory()
    if kind == "homophone":
        tone = known.tones.get(unit)
        return pick(homophones(unit, sound), rng, lambda one: SAME_TONE if known.tones[one] == tone else 1.0), kind
    if kind == "similar" and (similar := known.similar.get(sound)):
        other = rng.choices(tuple(similar), tuple(similar.values()))[0]
        return pick(known.by_sound[other], rng), kind
    while True:
        other = any_character(rng)
        read = pronounce((other,))[0]
        if read != sound and read not in known.similar.get(sound, {}):
            return other, "other"


def pick(units: Sequence[str], rng: random.Random, favour: Callable[[str], float] = lambda _: 1.0) -> str:
    weights = inventory().weights
    return rng.choices(units, [weights[unit] * favour(unit) for unit in units])[0]


@cache
def _all_weights() -> tuple[tuple[str, ...], tuple[float, ...]]:
    weights = inventory().weights
    return tuple(weights), tuple(weights.values())


def any_character(rng: random.Random) -> str:
    """Any common character."""
    units, weights = _all_weights()
    return rng.choices(units, weights)[0]
