"""Text into syllables: toneless pinyin for Chinese, the word itself for anything written in letters."""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache
from sys import intern
from typing import Final

# The phrase dictionary costs 44 MB and 0.2 s; what it decides for the counter stands in polyphones.py.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")

from pypinyin import Style, lazy_pinyin, load_phrases_dict
from pypinyin.constants import PINYIN_DICT

from counter_listener.phrases.polyphones import PHRASES, READINGS

LAST_OF_BASIC_PLANE: Final = 0xFFFF
"""No recogniser writes the characters beyond it, and only the first reading is ever asked for: 4 MB saved."""
DIGITS: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
WORDS: Final = re.compile("|".join(sorted(map(re.escape, READINGS), key=len, reverse=True)))
"""Any word of READINGS, the longest first."""
TOKEN: Final = re.compile(r"[0-9]|[A-Za-z]+(?:'[A-Za-z]+)*|[^\W\d_A-Za-z]")


def _lighten() -> None:
    """Keeps of pypinyin's table what is ever asked for, before anything else takes the memory."""
    first = {
        code: intern(marks.partition(",")[0]) for code, marks in PINYIN_DICT.items() if code <= LAST_OF_BASIC_PLANE
    }
    PINYIN_DICT.clear()
    PINYIN_DICT.update(first)


_lighten()
load_phrases_dict(PHRASES)


@lru_cache(maxsize=2048)
def split_units(text: str) -> tuple[str, ...]:
    """The units of text that have a sound: one for each Chinese character or digit, one for each word in letters.

    Punctuation and spaces have none. Example: `written("3号, OK吗") == ("三", "号", "ok", "吗")`.
    """
    return tuple(DIGITS.get(unit, unit.lower()) for unit in TOKEN.findall(text))


def text_syllables(text: str) -> tuple[str, ...]:
    """One toneless syllable for each unit of `written(text)`; `ü` is written `v`.

    Example: `syllables("您好, OK") == ("nin", "hao", "ok")`.
    """
    return pronounce(split_units(text))


def pronounce(units: tuple[str, ...]) -> tuple[str, ...]:
    """The sound of each unit beside its neighbours: 了 is le, but in 办不了 it is liao."""
    found = [pronounce_unit(unit) for unit in units]
    # A word in letters is one unit of many characters: no table entry may be found across or inside it.
    text = "".join(unit if len(unit) == 1 else "\0" for unit in units)
    for place in WORDS.finditer(text):
        found[place.start() : place.end()] = readings()[place[0]]
    return tuple(found)


@lru_cache(maxsize=8192)
def pronounce_unit(unit: str) -> str:
    """The commonest sound of one unit; the unit itself where it has none."""
    return "".join(lazy_pinyin(unit, style=Style.NORMAL, errors=_as_it_is)) or unit


@lru_cache(maxsize=8192)
def tone(unit: str) -> str:
    """The tone, 1-5, of the commonest sound of one unit; 5, the neutral one, where it has none."""
    marked = "".join(lazy_pinyin(unit, style=Style.TONE3, neutral_tone_with_five=True, errors=_as_it_is))
    return marked[-1:] if marked[-1:] in "1234" else "5"


@cache
def readings() -> dict[str, tuple[str, ...]]:
    """The toneless syllables of each word in READINGS."""
    return {word: tuple(lazy_pinyin(word, style=Style.NORMAL)) for word in READINGS}


def _as_it_is(run: str) -> str:
    return run
