"""When a recording started: as given, by its file name or by its time stamp; and times as users type them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, Literal

from dateutil.parser import isoparse

from counter_listener.audio.name_time import UnreadTimeError, time_in_name
from counter_listener.domain import UsageError

_STAMP: Final = re.compile(
    r"\s*(20\d\d)\D(\d\d)\D(\d\d)[T ]+(\d\d)\D(\d\d)(?:\D(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?\s*", re.ASCII
)
_TYPED: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d))?)?")
_YEARS: Final = range(1971, 9998)
"""Years that are accepted, so that a recording's length can be added in any time zone."""


@dataclass(frozen=True, slots=True)
class StartTime:
    """When a recording started, and how that is known."""

    at: datetime | None
    """Aware, UTC; None if unknown."""
    how: Literal["given", "file name", "file time stamp", "record", "unknown"]
    guess: datetime | None = None
    """Aware, UTC: if it is unknown, when it may have been, by the dates that the file has of itself."""


def find_start_time(
    path: Path, stamped: datetime | None, given: datetime | None, zone: tzinfo | None, written: datetime | None = None
) -> StartTime:
    """When the recording at `path` started: as `given`, else by its name, else by its time stamp `stamped`.

    If its name holds a time that cannot be read for certain, it is unknown. `written` is when the file was last written
    less the length of the recording, a guess. `zone` is the time zone of naive times; None is that of this computer, by
    its rules for that date.
    """
    if given:
        return StartTime(_utc(given, zone), "given")
    stamp = _utc(stamped, zone) if stamped and stamped.year in _YEARS else None
    try:
        named = time_in_name(path.name)
    except UnreadTimeError:
        return StartTime(None, "unknown", guess=stamp or written)
    if named:
        return StartTime(_utc(named, zone), "file name")
    if stamp:
        return StartTime(stamp, "file time stamp")
    return StartTime(None, "unknown", guess=written)


def parse_time(text: str, zone: tzinfo | None) -> datetime:
    """The time that a user typed, aware; a naive one is in `zone`, and a date alone is its midnight there.

    `zone` None is that of this computer, by its rules for that date. Raises UsageError if the text is not a time.
    """
    wrong = UsageError('{time!r} is not a time; write it like "2026-01-15 09:30"', time=text[:60])
    try:
        found = _TYPED.fullmatch(text.strip())
        time = _aware(_time(found.groups()) if found else datetime.fromisoformat(text.strip()), zone)
        year = time.astimezone(UTC).year
    except (ValueError, OverflowError, OSError) as error:
        raise wrong from error
    if year not in _YEARS:
        raise wrong
    return time


def read_stamp(text: str) -> datetime | None:
    """The date and time in a tag of a recording, naive or aware as written; None if the tag does not have both."""
    found = _STAMP.fullmatch(text)
    try:
        return _time(found.groups()[:-1], found[7]) if found else None
    except ValueError:
        return None


def _time(parts: Iterable[str | None], zone: str | None = None) -> datetime:
    """The time with these parts, from the year to the second, aware if there is a zone. Raises ValueError."""
    year, month, day, *clock = (int(part or 0) for part in parts)
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    if hour == 24:  # noqa: PLR2004 - midnight in ISO 8601, but more likely not a time
        raise ValueError(hour)
    time: datetime = isoparse(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone or ''}")
    return time


def _utc(time: datetime, zone: tzinfo | None) -> datetime:
    return _aware(time, zone).astimezone(UTC)


def _aware(time: datetime, zone: tzinfo | None) -> datetime:
    if time.tzinfo:
        return time
    return time.replace(tzinfo=zone) if zone else time.astimezone()
