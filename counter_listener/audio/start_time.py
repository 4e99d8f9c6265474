"""When a recording started: as given, as its file name says, or as its time stamp says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, Literal

from counter_listener.domain import UsageError

_DATE: Final = r"(?:(20\d\d)[-_./](\d\d)[-_./](\d\d)|(20\d\d)(\d\d)(\d\d)|(20\d\d)年(\d{1,2})月(\d{1,2})日)"
_TIME: Final = (
    r"(?:(\d\d)[-_.:](\d\d)(?:[-_.:](\d\d))?"
    r"|(\d\d)(\d\d)(?:(\d\d)(?:\d{3})?)?"
    r"|(\d{1,2})[时時点](\d{1,2})分?(?:(\d{1,2})秒)?)"
)
# Every place is tried, by a look-ahead, because one that is no date may overlap one that is.
_IN_NAME: Final = re.compile(rf"(?<!\d)(?={_DATE}[-_.T@ ]{{0,3}}{_TIME}(?!\d)(Z\b)?)", re.ASCII)
_STAMP: Final = re.compile(
    r"\s*(20\d\d)\D(\d\d)\D(\d\d)[T ]+(\d\d)\D(\d\d)(?:\D(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?\s*",
    re.ASCII,
)
_LOOSE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d))?)?")


YEARS = range(1971, 9998)
"""What a time may be in, so that a recording's length can be added to it in any zone."""


@dataclass(frozen=True, slots=True)
class StartTime:
    """When a recording started, and how we know."""

    at: datetime | None
    """Aware, UTC; None if unknown."""
    how: Literal["given", "file name", "file time stamp", "record", "unknown"]


def find_start_time(path: Path, stamped: datetime | None, given: datetime | None, zone: tzinfo | None) -> StartTime:
    """When the recording at `path` started: as `given`, else as its name says, else as it is `stamped`.

    `zone` is where naive times are from; None is the zone of this machine, by its rules for that date.
    """
    if given:
        return StartTime(_utc(given, zone), "given")
    if named := _named(path.name):
        return StartTime(_utc(named, zone), "file name")
    if stamped and stamped.year in YEARS:
        return StartTime(_utc(stamped, zone), "file time stamp")
    return StartTime(None, "unknown")


def parse_time(text: str, zone: tzinfo | None) -> datetime:
    """The time that a user typed, aware; a naive one is from `zone`, and a date alone is its midnight there.

    None is the zone of this machine, by its rules for that date.

    Raises UsageError if it is no time.
    """
    wrong = UsageError('{time!r} is not a time; write it like "2026-01-15 09:30"', time=text[:60])
    try:
        time = _aware(_typed(text.strip()), zone)
        year = time.astimezone(UTC).year
    except (ValueError, OverflowError, OSError) as error:
        raise wrong from error
    if year not in YEARS:
        raise wrong
    return time


def read_stamp(text: str) -> datetime | None:
    """The date and time in a tag of a recording, naive or aware as written; None if it does not give both."""
    found = _STAMP.fullmatch(text)
    if not found:
        return None
    *numbers, zone = found.groups()
    time = _valid(numbers)
    if time and zone:
        try:
            return datetime.fromisoformat(time.isoformat() + zone)
        except ValueError:
            return None
    return time


def _named(name: str) -> datetime | None:
    for found in _IN_NAME.finditer(name):
        *parts, utc = found.groups()
        if time := _valid(part for part in parts if part):
            return time.replace(tzinfo=UTC) if utc else time
    return None


def _valid(parts: Iterable[str | None]) -> datetime | None:
    try:
        return _time(parts)
    except ValueError:
        return None


def _time(parts: Iterable[str | None]) -> datetime:
    year, month, day, hour, minute, second, *_ = [*(int(part or 0) for part in parts), 0]
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (the caller knows the zone)


def _typed(text: str) -> datetime:
    if found := _LOOSE.fullmatch(text):
        return _time(found.groups())
    return datetime.fromisoformat(text)


def _aware(time: datetime, zone: tzinfo | None) -> datetime:
    if time.tzinfo:
        return time
    return time.replace(tzinfo=zone) if zone else time.astimezone()


def _utc(time: datetime, zone: tzinfo | None) -> datetime:
    return _aware(time, zone).astimezone(UTC)
