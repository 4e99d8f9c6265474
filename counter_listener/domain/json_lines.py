"""JSON lines that others wrote, read so that whatever is wrong names its file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from counter_listener.domain.errors import CounterListenerError, system_reason
from counter_listener.domain.messages import Sentence, sentence

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
        raise error("{path} does not exist; check the name", path=path) from None
    except OSError as broken:
        raise error(
            "{path} cannot be read ({why}); check its name and rights", path=path, why=system_reason(broken)
        ) from broken


def _decoded(path: Path, number: int, line: bytes, error: type[CounterListenerError]) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8") if len(line) <= LONGEST * 4 else None
    except UnicodeDecodeError as broken:
        raise error(
            "{path}, line {number}: expected UTF-8, so save the file as UTF-8", path=path, number=number
        ) from broken
    if text is None or len(text) > LONGEST:
        raise error(
            "{path}, line {number}: expected at most {longest} characters a line",
            path=path,
            number=number,
            longest=LONGEST,
        )
    return text


def json_object(line: str, example: str) -> dict[str, object]:
    """The JSON object that a line is. Raises ValueError with what was expected instead, such as `example`."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        expected, column = _expected(example), error.colno
        raise ValueError(
            sentence("{expected}, but at column {column} it is not JSON", expected=expected, column=column)
        ) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(
            sentence("{expected}, but it is not JSON that anyone can read", expected=_expected(example))
        ) from error
    if not isinstance(value, dict):
        raise ValueError(_expected(example))  # noqa: TRY004 (of what the user wrote, not of a type)
    return value


def _expected(example: str) -> Sentence:
    return sentence("a JSON object like {example}", example=example)


def read_seconds(record: Mapping[str, object], key: str) -> float:
    """A time in seconds. Raises ValueError with what was expected instead."""
    value = record.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= WEEK:
        return float(value)
    raise ValueError(sentence('"{key}" to be a number of seconds from 0 to {week:.0f}', key=key, week=WEEK))
