"""Text to syllables: toneless pinyin for Chinese, the word itself for anything written in letters."""

import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

# Read by pypinyin when it is imported: without its phrase dictionary it needs 44 MB and 0.2 s less.
# The polyphones that matter at a counter are in readings.toml.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_normal, to_tone3

READINGS: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(syllables.split())
    for word, syllables in tomllib.loads(Path(__file__).with_name("readings.toml").read_text(encoding="utf-8")).items()
}
"""Words with a polyphone that is not read with its most common sound, and their syllables with tone marks."""
TONELESS: Final = {word: tuple(map(to_normal, syllables)) for word, syllables in READINGS.items()}
DIGITS: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
LONGEST_FIRST: Final = re.compile("|".join(sorted(map(re.escape, READINGS), key=len, reverse=True)))
"""Any word of READINGS; where several begin at one place, the longest."""
TOKEN: Final = re.compile(r"[0-9]|[A-Za-z]+(?:'[A-Za-z]+)*|[^\W\d_A-Za-z]")


@lru_cache(maxsize=2048)
def split_units(text: str) -> tuple[str, ...]:
    """The units of a text that have a sound: one for each Chinese character or digit, one for each word in letters.

    Full-width letters and digits count as plain ones, traditional characters as simplified ones. Punctuation and spaces
    have no sound. Example: `split_units("3號, OK吗") == ("三", "号", "ok", "吗")`.
    """
    return tuple(DIGITS.get(unit, unit.lower()) for unit in TOKEN.findall(normalize_text(text)))


def normalize_text(text: str) -> str:
    """The text in Unicode's NFKC form and in simplified characters."""
    text = unicodedata.normalize("NFKC", text)
    try:
        text.encode("gb2312")  # the characters of simplified Chinese: most text needs no conversion
    except UnicodeEncodeError:
        return _to_simplified()(text)
    return text


@cache
def _to_simplified() -> Callable[[str], str]:
    from opencc import OpenCC

    converted: Callable[[str], str] = OpenCC("t2s").convert
    return converted


def join_units(units: Iterable[str]) -> str:
    """The text of units: Chinese unspaced, words in letters spaced."""
    text = ""
    for unit in units:
        spaced = unit[:1].isascii() and unit[:1].isalnum() and text
        text += f" {unit}" if spaced else unit
    return text


def text_syllables(text: str) -> tuple[str, ...]:
    """One toneless syllable for each unit of `split_units(text)`; `ü` is written `v`.

    Example: `text_syllables("您好, OK") == ("nin", "hao", "ok")`.
    """
    return pronounce(split_units(text))


def pronounce(units: tuple[str, ...]) -> tuple[str, ...]:
    """The toneless syllable of each unit in its context: 了 is le, but in 办不了 it is liao."""
    syllables = [pronounce_unit(unit) for unit in units]
    # A word in letters is one unit of many characters: no entry of READINGS may match across or inside it.
    text = "".join(unit if len(unit) == 1 else "\0" for unit in units)
    for match in LONGEST_FIRST.finditer(text):
        syllables[match.start() : match.end()] = TONELESS[match[0]]
    return tuple(syllables)


@lru_cache(maxsize=8192)
def pronounce_unit(unit: str) -> str:
    """The most common toneless syllable of one unit; the unit itself if it is not Chinese."""
    return "".join(lazy_pinyin(unit, style=Style.NORMAL))


@lru_cache(maxsize=8192)
def tone(unit: str) -> str:
    """The tone, 1-5, of the most common syllable of one unit; 5, the neutral tone, if it has none."""
    syllable = to_tone3(READINGS[unit][0]) if unit in READINGS else "".join(lazy_pinyin(unit, style=Style.TONE3))
    return syllable[-1:] if syllable[-1:] in "1234" else "5"
