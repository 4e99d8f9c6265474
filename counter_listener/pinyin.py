"""Text into syllables: toneless pinyin for Chinese, the word itself for anything written in letters."""

from __future__ import annotations

import os
import re
from sys import intern
from typing import Final

# The phrase dictionary costs 44 MB and 0.2 s; what it decides for the counter stands in READINGS instead.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")

from pypinyin import Style, lazy_pinyin, load_phrases_dict
from pypinyin.constants import PINYIN_DICT

READINGS: Final = {
    "银行": "yín háng",
    "我行": "wǒ háng",
    "本行": "běn háng",
    "行长": "háng zhǎng",
    "分行": "fēn háng",
    "支行": "zhī háng",
    "了解": "liǎo jiě",
    "不了": "bù liǎo",
    "受不了": "shòu bù liǎo",
    "重新": "chóng xīn",
    "重填": "chóng tián",
    "重复": "chóng fù",
    "重置": "chóng zhì",
    "还款": "huán kuǎn",
    "还贷": "huán dài",
    "着急": "zháo jí",
    "着什么急": "zháo shén me jí",
    "便宜": "pián yi",
    "音乐": "yīn yuè",
    "会计": "kuài jì",
    "存折": "cún zhé",
    "数一下": "shǔ yī xià",
    "参差": "cēn cī",
    "出差": "chū chāi",
    "长大": "zhǎng dà",
    "校对": "jiào duì",
    "乐意": "lè yì",
    "得": "de",
}
"""Words of the counter whose characters are not read by their commonest sound; marks as in a dictionary."""

LAST_OF_BASIC_PLANE: Final = 0xFFFF
"""No recogniser writes the characters beyond it, and only the first reading is ever asked for: 4 MB saved."""
DIGITS: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
TOKEN: Final = re.compile(r"[0-9]|[A-Za-z]+(?:'[A-Za-z]+)*|[^\W\d_A-Za-z]")


def _lighten() -> None:
    """Keeps of pypinyin's table what is ever asked for, before anything else takes the memory."""
    first = {
        code: intern(marks.partition(",")[0]) for code, marks in PINYIN_DICT.items() if code <= LAST_OF_BASIC_PLANE
    }
    PINYIN_DICT.clear()
    PINYIN_DICT.update(first)


_lighten()
load_phrases_dict({word: [[sound] for sound in marks.split()] for word, marks in READINGS.items()})


def written(text: str) -> tuple[str, ...]:
    """The units of text that have a sound: one for each Chinese character or digit, one for each word in letters.

    Punctuation and spaces have none. Example: `written("3号, OK吗") == ("三", "号", "ok", "吗")`.
    """
    return tuple(DIGITS.get(unit, unit.lower()) for unit in TOKEN.findall(text))


def syllables(text: str) -> tuple[str, ...]:
    """One toneless syllable for each unit of `written(text)`; `ü` is written `v`.

    Example: `syllables("您好, OK") == ("nin", "hao", "ok")`.
    """
    return sounds(written(text))


def sounds(units: tuple[str, ...]) -> tuple[str, ...]:
    """The sound of each unit beside its neighbours: 了 is le, but in 办不了 it is liao."""
    found: list[str] = []
    for run, chinese in runs(units):
        found += lazy_pinyin("".join(run), style=Style.NORMAL, errors=_as_it_is) if chinese else run
    return tuple(found) if len(found) == len(units) else tuple(map(sound_of, units))


def runs(units: tuple[str, ...]) -> list[tuple[list[str], bool]]:
    """Units grouped into stretches of single characters (True) and of words in letters (False)."""
    grouped: list[tuple[list[str], bool]] = []
    for unit in units:
        chinese = len(unit) == 1 and not unit.isascii()
        if not grouped or grouped[-1][1] != chinese:
            grouped.append(([], chinese))
        grouped[-1][0].append(unit)
    return grouped


def _as_it_is(run: str) -> str:
    return run


def sound_of(unit: str) -> str:
    """The commonest sound of one unit; the unit itself where it has none."""
    return "".join(lazy_pinyin(unit, style=Style.NORMAL, errors=_as_it_is)) or unit
