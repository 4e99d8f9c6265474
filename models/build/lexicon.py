"""Lexicon: Chinese words to toneless syllables, and syllables to the units that the acoustic model tells apart.

A unit is an initial or a final of toneless pinyin. `i` is three sounds in Mandarin and hence three units: `i1` after
z c s, `i2` after zh ch sh r, `i` elsewhere (Duanmu, The Phonology of Standard Chinese, 2007, chapter 2); ü is `v`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from pypinyin import Style, load_phrases_dict, pinyin, pinyin_dict
from pypinyin.contrib.tone_convert import to_finals, to_initials, to_normal

from counter_listener.phrases.polyphones import PHRASES

SILENCE: Final = "SIL"
GARBAGE: Final = "SPN"
"""Speech that is no word of the vocabulary: the pronunciation of [unk]."""
Reading = tuple[tuple[str, str], ...]
"""Syllables, each toneless with its tone, `5` being the neutral one."""
HISSING: Final = frozenset({"z", "c", "s"})
CURLED: Final = frozenset({"zh", "ch", "sh", "r"})
NO_SYLLABLE: Final = frozenset(
    {"m", "n", "ng", "hm", "hng", "e^", "ê", "yo", "lo", "eng", "rua", "fiao", "biang", "o", "yai"}
)
"""Interjections, dialect and rarities: too seldom said to be learnt, and espeak-ng cannot say most of them."""

load_phrases_dict({word: spelt for word, spelt in PHRASES.items() if len(word) > 1})


@cache
def split(syllable: str) -> tuple[str, ...]:
    """The units of a toneless syllable such as `zhi`: its initial, if it has one, and its final."""
    initial = to_initials(syllable, strict=True)
    final = to_finals(syllable, strict=True, v_to_u=False).replace("ü", "v")
    if final == "i" and initial in HISSING:
        final = "i1"
    if final == "i" and initial in CURLED:
        final = "i2"
    return (initial, final) if initial else (final,)


@cache
def syllables() -> tuple[str, ...]:
    """Every toneless syllable that pypinyin knows and that Mandarin uses, sorted; about 400."""
    found = {
        to_normal(reading, v_to_u=False).replace("ü", "v")
        for readings in pinyin_dict.pinyin_dict.values()
        for reading in readings.split(",")
    }
    return tuple(sorted(one for one in found - NO_SYLLABLE if re.fullmatch("[a-z]+", one)))


@cache
def units() -> tuple[str, ...]:
    """All units: silence, garbage, then initials and finals, sorted. A unit's place is its pdf in the model."""
    return (SILENCE, GARBAGE, *sorted({unit for syllable in syllables() for unit in split(syllable)}))


@cache
def unit_numbers() -> dict[str, int]:
    """Unit to its place in `units()`."""
    return {unit: number for number, unit in enumerate(units())}


@cache
def readings(word: str) -> Reading:
    """The syllables of a Chinese word as (toneless syllable, tone `1` to `5`), polyphones by pypinyin's phrases."""
    spelt = (reading[0].replace("ü", "v") for reading in pinyin(word, style=Style.TONE3, neutral_tone_with_five=True))
    return tuple((one[:-1], one[-1]) for one in spelt)


@cache
def pronunciation(word: str) -> tuple[str, ...] | None:
    """The units of a Chinese word; None where some of it is no Mandarin syllable (letters, digits, rare sounds)."""
    known = known_syllables()
    spelt = readings(word)
    if not spelt or any(syllable not in known for syllable, _ in spelt):
        return None
    return tuple(unit for syllable, _ in spelt for unit in split(syllable))


@cache
def known_syllables() -> frozenset[str]:
    """`syllables()` to look one up in."""
    return frozenset(syllables())


def sayable(words: Iterable[str]) -> list[str]:
    """Those of the words that have a pronunciation, in order, each once."""
    return [word for word in dict.fromkeys(words) if pronunciation(word) is not None]
