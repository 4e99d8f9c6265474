"""Recognised words as people write them: no spaces between the tokens of Chinese, and numbers as figures."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

SPACES: Final = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
"""Spaces beside a character that is not of the Latin alphabet."""
SPELT: Final = 3
"""So many digits without a unit, as in a year or a room, are a number; two may be an estimate (three or four)."""


def written(text: str) -> str:
    """The words of a recogniser as people write them. Names of numbers that are part of an idiom stay words."""
    return _pattern().sub(_figures, SPACES.sub("", text))


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@cache
def _pattern() -> re.Pattern[str]:
    """An idiom, a percentage, or a number with what may follow the point."""
    data = _data()
    digits = "".join(data["digits"])
    letters = digits + "".join((*data["units"], *data["groups"]))
    number = f"[{letters}]+"
    decimals = f"(?:{data['point']}[{digits}]+(?![{letters}]))?"
    counted = "|".join(data["counted"])
    return re.compile(
        f"(?P<word>{'|'.join(data['words'])})"
        f"|(?P<percent>{data['percent']})?(?P<number>{number})(?P<decimals>{decimals})(?=(?P<counted>{counted})?)"
    )


def _figures(found: re.Match[str]) -> str:
    number = found["number"]
    value = None if number is None else _value(number, counted=bool(found["counted"] or found["percent"]))
    if value is None:
        return found[0]
    decimals = "".join(str(_data()["digits"][digit]) for digit in found["decimals"][1:])
    figures = f"{value}.{decimals}" if decimals else value
    return f"{figures}%" if found["percent"] else figures


def _value(number: str, *, counted: bool) -> str | None:
    """The figures of a number in words; None where it may be no number."""
    digits = _data()["digits"]
    if all(letter in digits for letter in number):
        is_number = counted if len(number) == 1 else len(number) >= SPELT
        return "".join(str(digits[letter]) for letter in number) if is_number else None
    if len(number) == 1 and not counted:
        return None
    total = _sum(number)
    if total is None:
        return None
    return _in_groups(total) if number[-1] in _data()["groups"] else str(total)


def _in_groups(total: int) -> str:
    """A round number, as its figures for each group with the name of the group."""
    told = ""
    for name, size in sorted(_data()["groups"].items(), key=lambda group: -group[1]):
        count, total = divmod(total, size)
        told += f"{count}{name}" if count else ""
    return told


def _sum(number: str) -> int | None:
    """The value of a number with units: groups of ten thousand, each of thousands, hundreds, tens and ones."""
    groups = _data()["groups"]
    total, rest, size = 0, number, 0
    for name, factor in sorted(groups.items(), key=lambda group: -group[1]):
        head, sign, tail = rest.rpartition(name)
        if sign:
            part = _section(head, 0)
            if part is None:
                return None
            total, rest, size = total + part * factor, tail, factor
    last = _section(rest, size) if rest else 0
    return None if last is None else total + last


def _section(letters: str, before: int) -> int | None:
    """The value of a number below ten thousand; None if it is none. `before` is the unit that was said before it.

    A digit at the end counts tenths of the unit before it, as in "a hundred and a two" for 120, unless a zero is said.
    """
    digits: dict[str, int] = _data()["digits"]
    units: dict[str, int] = _data()["units"]
    total, unit, has_zero = 0, before, False
    digit: int | None = None
    for at, letter in enumerate(letters):
        if letter in units:
            if digit is None and not (at == 0 and units[letter] == min(units.values())):
                return None
            total, digit, unit = total + (1 if digit is None else digit) * units[letter], None, units[letter]
        elif letter in digits and digits[letter] == 0:
            has_zero = True
        elif letter in digits and digit is None:
            digit = digits[letter]
        else:
            return None
    if digit is None:
        return total if letters else None
    is_tenth = unit > min(units.values()) and not has_zero
    return total + digit * (unit // 10 if is_tenth else 1)
