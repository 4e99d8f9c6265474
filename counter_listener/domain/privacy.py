"""What is masked before anything is written, shown or logged."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONG_NUMBER: Final = re.compile(r"(?:[0-9０-９零〇一二三四五六七八九幺两][\s-]*){6,}[XxＸ]?")
"""As long as the shortest thing to hide: a six-digit code. Amounts are said with 百千万 and stay."""
UNSAFE: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def mask_numbers(text: str) -> str:
    """The text with each run of six or more spoken or written digits as `＊＊＊`.

    Identity cards have 18 digits, bank cards 16-19, telephones 7-11, codes 6.
    """
    return LONG_NUMBER.sub("＊＊＊", text)


def printable(text: str) -> str:
    """The text without control characters, which a terminal would obey, and without bidirectional overrides."""
    if text.isprintable():  # by far the most is, and then nothing of either kind is in it
        return text
    return "".join(c for c in UNSAFE.sub("", text) if unicodedata.category(c) != "Cc")
