"""Whether two characters are a word that print has often: the list words.txt, ready for use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

LIST: Final = Path(__file__).with_name("words.txt")


@cache
def following() -> Mapping[str, str]:
    """For each first character all that make a word with it."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))


def is_word(one: str, other: str) -> bool:
    """Whether a character and the next are a common word. Example: `is_word("建", "行")`."""
    return other in following().get(one, "")
