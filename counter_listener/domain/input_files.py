"""Text files that people write, TOML and JSON lines: every error names the file and what is wrong with it."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from counter_listener.domain.errors import CounterListenerError, system_reason
from counter_listener.domain.messages import sentence
from counter_listener.domain.toml_faults import office_file, toml_fault

MAX_CHARACTERS: Final = 2_000_000
"""Per line."""
MAX_DOTS: Final = 500
"""In one line of TOML. tomllib needs minutes for a dotted key of many thousand parts."""
WEEK: Final = 604_800.0
"""Seconds. A larger number is a time in milliseconds or a date."""


@contextmanager
def read_errors(path: Path, error: type[CounterListenerError]) -> Iterator[None]:
    """Turns an error of the system, when a file is read, into `error`: one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise error("{path} does not exist; check the name", path=path) from None
    except OSError as cause:
        raise error(
            "{path} cannot be read ({why}); check its name and permissions", path=path, why=system_reason(cause)
        ) from cause


def read_toml(path: Path, error: type[CounterListenerError], most: int) -> tuple[dict[str, Any], bytes]:
    """The table in a TOML file of at most `most` bytes, and its bytes. Raises `error`."""
    with read_errors(path, error), path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise error("{path}: a file of more than {most:,} bytes is not read.", path=path, most=most)
    if any(line.count(b".") > MAX_DOTS and not line.lstrip().startswith(b"#") for line in content.splitlines()):
        raise error("{path}: a line with more than {most} dots is not read.", path=path, most=MAX_DOTS)
    if office_file(content):
        raise error(
            "{path}: this is a file of Excel or Word, not text in TOML; copy its text into a TOML file.", path=path
        )
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as failure:
        at = failure.start
        raise error("{path}: byte {start} is not UTF-8; save the file as UTF-8.", path=path, start=at) from None
    try:
        return tomllib.loads(text), content
    except (ValueError, RecursionError) as failure:
        if fault := toml_fault(text, str(failure)):
            raise error("{path}: {fault}", path=path, fault=fault) from None
        reason = sentence("brackets are nested too deeply") if isinstance(failure, RecursionError) else str(failure)
        hint = sentence(" Write Windows paths in 'single quotes'.") if b"\\" in content else ""
        raise error("{path}: not TOML: {said}.{hint}", path=path, said=reason, hint=hint) from None


def read_text(path: Path, error: type[CounterListenerError], most: int) -> str:
    """The text of a file of at most `most` bytes. Raises `error` for a file that cannot be read, or is not UTF-8."""
    with read_errors(path, error), path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise error("{path}: a file of more than {most:,} bytes is not read.", path=path, most=most)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        number = content.count(b"\n", 0, failure.start) + 1
        raise error(
            "{path}, line {number}: expected UTF-8, so save the file as UTF-8", path=path, number=number
        ) from None


def numbered_lines(path: Path, error: type[CounterListenerError]) -> Iterator[tuple[int, str]]:
    """Line numbers, from 1, and lines that are not blank. Raises `error` for a file or a line that cannot be read."""
    most = MAX_CHARACTERS * 4  # bytes: a character of UTF-8 has at most four
    with read_errors(path, error), path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(most + 1), b""), start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8") if len(line) <= most else None
            except UnicodeDecodeError as cause:
                raise error(
                    "{path}, line {number}: expected UTF-8, so save the file as UTF-8", path=path, number=number
                ) from cause
            if text is None or len(text) > MAX_CHARACTERS:
                raise error(
                    "{path}, line {number}: expected at most {longest} characters a line",
                    path=path,
                    number=number,
                    longest=MAX_CHARACTERS,
                )
            if text := text.strip():
                yield number, text


def json_object(line: str, example: str) -> dict[str, object]:
    """The JSON object on a line. Raises ValueError with what was expected instead, such as `example`."""
    expected = sentence("a JSON object like {example}", example=example)
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        fault = sentence("{expected}, but at column {column} it is not JSON", expected=expected, column=error.colno)
        raise ValueError(fault) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(sentence("{expected}, but its JSON cannot be read", expected=expected)) from error
    if not isinstance(value, dict):
        raise ValueError(expected)  # noqa: TRY004 - the user's data has the wrong type, not an argument
    return value


def read_seconds(record: Mapping[str, object], key: str) -> float:
    """A time in seconds. Raises ValueError with what was expected instead."""
    value = record.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= WEEK:
        return float(value)
    raise ValueError(sentence('"{key}" to be a number of seconds from 0 to {week:.0f}', key=key, week=WEEK))
