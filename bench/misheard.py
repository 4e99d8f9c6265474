"""What a recogniser makes of speech: errors at a chosen character error rate, drawn from a stated mix."""

from __future__ import annotations

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

from counter_listener.domain.types import Utterance, Word
from counter_listener.evaluation.baselines import units_with_times
from counter_listener.phrases.pinyin import pronounce, split_units

Kind = Literal["homophone", "near", "other", "lost", "added"]
MIX: Final[Mapping[Kind, float]] = {"homophone": 0.45, "near": 0.25, "other": 0.10, "lost": 0.13, "added": 0.07}
"""Of all errors. Most errors of a Mandarin recogniser with a language model keep the sound, or nearly."""
COMMON: Final = 3_000
"""Characters that errors are drawn from: the commonest, as a recogniser's language model favours them."""
SAME_TONE: Final = 3.0
"""How much likelier a homophone of the same tone is than one of another."""
FLATTENED: Final = 0.5
"""Power of a character's frequency that makes its weight: without it 的 and 是 would be half of all errors."""
LIKELY: Final = 4.0
"""How much likelier the confusions of LIKELY_PAIRS are than those of RARE_PAIRS."""
LIKELY_PAIRS: Final = (
    "z-zh c-ch s-sh n-l f-h r-l",
    "in-ing en-eng an-ang ian-iang uan-uang",
)
"""Initials, then finals, that speakers of many regions do not keep apart: what fuzzy-pinyin keyboards offer."""
RARE_PAIRS: Final = (
    "b-p d-t g-k j-q zh-ch z-c m-n h-k sh-x zh-j ch-q w-h",
    "ie-ei ai-ei ao-ou uo-ou i-v u-v an-en ang-eng un-ong in-i an-a en-e iu-ou ui-ei ian-ie e-o",
)
"""The same for what noise and haste confuse: aspiration, place, a neighbouring vowel, a nasal lost."""
INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")


class MissingLibraryError(SystemExit):
    "The bench needs a library that is not installed."


@dataclass(frozen=True, slots=True)
class Inventory:
    """The common characters, by sound."""

    weights: Mapping[str, float]
    """Of each character."""
    by_sound: Mapping[str, tuple[str, ...]]
    """Toneless syllable to characters."""
    tones: Mapping[str, str]
    """Character to syllable with tone."""
    near: Mapping[str, Mapping[str, float]]
    """Toneless syllable to those that are mistaken for it, with weights."""


@dataclass
class Ledger:
    """What the errors came to."""

    characters: int = 0
    """Said."""
    errors: Counter[str] = field(default_factory=Counter)
    """By kind, as made."""

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
        near={sound: nearby(sound, by_sound) for sound in by_sound},
    )


def dictionary() -> str:
    """The text of jieba's dictionary: its module is not imported, for this is all we need of it."""
    try:
        place = importlib.metadata.distribution("jieba").locate_file("jieba/dict.txt")
    except importlib.metadata.PackageNotFoundError:
        raise MissingLibraryError("This bench needs jieba's dictionary; install it: pip install jieba") from None
    return Path(str(place)).read_text(encoding="utf-8")


def split(sound: str) -> tuple[str, str]:
    """A syllable as initial and final."""
    initial = next((one for one in INITIALS if sound.startswith(one)), "")
    return initial, sound[len(initial) :]


def nearby(sound: str, known: Iterable[str]) -> dict[str, float]:
    """The known syllables that one confusion, of the initial or of the final, makes of this one."""
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


def misheard(utterance: Utterance, rate: float, rng: random.Random, ledger: Ledger) -> Utterance | None:
    """The utterance as a recogniser might write it, one character a word; None where nothing is left.

    `rate` is how many errors a character has on average, 0-1, each independent of what is beside it, in the shares of
    `MIX`. Some sounds have one common character alone, as 您: the homophones that it cannot get go to the others of
    the utterance, for no recogniser mistakes 您 the more often for it.
    """
    timed = units_with_times(utterance)
    read = pronounce(tuple(unit for unit, _, _ in timed))
    open_to = [bool(alike(unit, sound)) for (unit, _, _), sound in zip(timed, read, strict=True)]
    share = len(timed) / max(1, sum(open_to))
    words: list[Word] = []
    for (unit, start, end), sound, has_alike in zip(timed, read, open_to, strict=True):
        ledger.characters += 1
        odds = {**MIX, "homophone": MIX["homophone"] * share if has_alike else 0.0}
        kind = rng.choices(tuple(odds), tuple(odds.values()))[0] if rng.random() < rate * sum(odds.values()) else None
        words += made(kind, (unit, sound, start, end), rng, ledger)
    return Utterance(words[0].start, words[-1].end, tuple(words), utterance.speaker) if words else None


def alike(unit: str, sound: str) -> list[str]:
    """The other common characters of this sound."""
    return [one for one in inventory().by_sound.get(sound, ()) if one != unit]


def made(
    kind: Kind | None, said: tuple[str, str, float, float], rng: random.Random, ledger: Ledger
) -> tuple[Word, ...]:
    """What one character becomes."""
    unit, sound, start, end = said
    if kind is None:
        return (Word(unit, start, end),)
    if kind == "lost":
        ledger.errors[kind] += 1
        return ()
    if kind == "added":
        ledger.errors[kind] += 1
        middle = (start + end) / 2
        return (Word(anything(rng), start, middle), Word(unit, middle, end))
    changed, became = substitute(kind, unit, sound, rng)
    ledger.errors[became] += 1
    return (Word(changed, start, end),)


def substitute(kind: Kind, unit: str, sound: str, rng: random.Random) -> tuple[str, Kind]:
    """Another character, and what kind of error it is: where a sound has no near one, the error is of any other."""
    known = inventory()
    if kind == "homophone":
        tone = known.tones.get(unit)
        return pick(alike(unit, sound), rng, lambda one: SAME_TONE if known.tones[one] == tone else 1.0), kind
    if kind == "near" and (near := known.near.get(sound)):
        other = rng.choices(tuple(near), tuple(near.values()))[0]
        return pick(known.by_sound[other], rng), kind
    while True:
        other = anything(rng)
        read = pronounce((other,))[0]
        if read != sound and read not in known.near.get(sound, {}):
            return other, "other"


def pick(units: Sequence[str], rng: random.Random, favour: Callable[[str], float] = lambda _: 1.0) -> str:
    weights = inventory().weights
    return rng.choices(units, [weights[unit] * favour(unit) for unit in units])[0]


@cache
def _all_weights() -> tuple[tuple[str, ...], tuple[float, ...]]:
    weights = inventory().weights
    return tuple(weights), tuple(weights.values())


def anything(rng: random.Random) -> str:
    """Any common character."""
    units, weights = _all_weights()
    return rng.choices(units, weights)[0]
