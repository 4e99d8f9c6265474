"""Lexicon: Chinese words to toneless syllables, and syllables to the units that the acoustic model distinguishes.

A unit is an initial or a final of toneless pinyin. `i` stands for three sounds of Mandarin, so there are three units:
`i1` after z c s, `i2` after zh ch sh r, `i` elsewhere (Duanmu, The Phonology of Standard Chinese, 2007, chapter 2).
ü is written `v`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from pypinyin import Style, load_phrases_dict, phrases_dict, pinyin, pinyin_dict
from pypinyin.contrib.tone_convert import to_finals, to_initials, to_normal

from counter_listener.phrases import READINGS

SILENCE: Final = "SIL"
GARBAGE: Final = "SPN"
"""Speech that is not a word of the vocabulary: the pronunciation of [unk]."""
Reading = tuple[tuple[str, str], ...]
"""Syllables, each as (toneless syllable, tone); the neutral tone is `5`."""
DENTAL_SIBILANTS: Final = frozenset({"z", "c", "s"})
RETROFLEXES: Final = frozenset({"zh", "ch", "sh", "r"})
EXCLUDED_SYLLABLES: Final = frozenset(
    {"m", "n", "ng", "hm", "hng", "e^", "ê", "yo", "lo", "eng", "rua", "fiao", "biang", "o", "yai"}
)
"""Interjections, dialect and rare syllables: too few examples to learn, and espeak-ng cannot speak most of them."""

# counter_listener.phrases imports pypinyin without its phrase dictionary, so the dictionary is loaded here.
COUNTER_PHRASES: Final = {
    word: [[syllable] for syllable in syllables] for word, syllables in READINGS.items() if len(word) > 1
}
load_phrases_dict(phrases_dict.phrases_dict | COUNTER_PHRASES)


@cache
def split_syllable(syllable: str) -> tuple[str, ...]:
    """The units of a toneless syllable such as `zhi`: its initial, if it has one, and its final."""
    initial = to_initials(syllable, strict=True)
    final = to_finals(syllable, strict=True, v_to_u=False).replace("ü", "v")
    if final == "i" and initial in DENTAL_SIBILANTS:
        final = "i1"
    if final == "i" and initial in RETROFLEXES:
        final = "i2"
    return (initial, final) if initial else (final,)


@cache
def syllables() -> tuple[str, ...]:
    """Every toneless syllable that pypinyin knows and that is used in Mandarin, sorted; about 400."""
    known = {
        to_normal(reading, v_to_u=False).replace("ü", "v")
        for readings in pinyin_dict.pinyin_dict.values()
        for reading in readings.split(",")
    }
    return tuple(sorted(syllable for syllable in known - EXCLUDED_SYLLABLES if re.fullmatch("[a-z]+", syllable)))


@cache
def units() -> tuple[str, ...]:
    """All units: silence, garbage, then initials and finals, sorted. The index of a unit is its pdf in the model."""
    return (SILENCE, GARBAGE, *sorted({unit for syllable in syllables() for unit in split_syllable(syllable)}))


@cache
def unit_numbers() -> dict[str, int]:
    """The index of each unit in `units()`."""
    return {unit: number for number, unit in enumerate(units())}


@cache
def readings(word: str) -> Reading:
    """The syllables of a Chinese word as (toneless syllable, tone `1` to `5`); polyphones by pypinyin's phrases."""
    marked = (reading[0].replace("ü", "v") for reading in pinyin(word, style=Style.TONE3, neutral_tone_with_five=True))
    return tuple((syllable[:-1], syllable[-1]) for syllable in marked)


@cache
def pronunciation(word: str) -> tuple[str, ...] | None:
    """The units of a Chinese word; None if a part is not a known Mandarin syllable (letters, digits, rare sounds)."""
    known = known_syllables()
    reading = readings(word)
    if not reading or any(syllable not in known for syllable, _ in reading):
        return None
    return tuple(unit for syllable, _ in reading for unit in split_syllable(syllable))


@cache
def known_syllables() -> frozenset[str]:
    """`syllables()` as a set."""
    return frozenset(syllables())


def pronounceable(words: Iterable[str]) -> list[str]:
    """The words that have a pronunciation, in order, without duplicates."""
    return [word for word in dict.fromkeys(words) if pronunciation(word) is not None]
