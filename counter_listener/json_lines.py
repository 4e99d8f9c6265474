"""JSON lines that others wrote, read so that whatever is wrong names its file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from counter_listener.errors import CounterListenerError

LONGEST: Final = 2_000_000
"""Characters a line."""
WEEK: Final = 604_800.0
"""Seconds; a later time is in milliseconds, or a date."""


def numbered_lines(path: Path, error: type[CounterListenerError]) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and lines that are not blank. Raises `error` for a file or a line that cannot be read."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST * 4 + 1), b""), start=1):
                if text := _decoded(path, number, line, error).strip():
                    yield number, text
    except FileNotFoundError:
        raise error(f"{path} does not exist; check the name") from None
    except OSError as broken:
        raise error(f"{path} cannot be read ({broken.strerror}); check its name and rights") from broken


def _decoded(path: Path, number: int, line: bytes, error: type[CounterListenerError]) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8") if len(line) <= LONGEST * 4 else None
    except UnicodeDecodeError as broken:
        raise error(f"{path}, line {number}: expected UTF-8, so save the file as UTF-8") from broken
    if text is None or len(text) > LONGEST:
        raise error(f"{path}, line {number}: expected at most {LONGEST} characters a line")
    return text


def json_object(line: str, example: str) -> dict[str, object]:
    """The JSON object that a line is. Raises ValueError with what was expected instead, such as `example`."""
    expected = f"a JSON object like {example}"
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{expected}, but at column {error.colno} it is not JSON") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{expected}, but it is not JSON that anyone can read") from error
    if not isinstance(value, dict):
        raise ValueError(expected)  # noqa: TRY004 (of what the user wrote, not of a type)
    return value


def seconds(record: Mapping[str, object], key: str) -> float:
    """A time in seconds. Raises ValueError with what was expected instead."""
    value = record.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= WEEK:
        return float(value)
    raise ValueError(f'"{key}" to be a number of seconds from 0 to {WEEK:.0f}')
