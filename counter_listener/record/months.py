"""Where the months of a time zone begin, as texts that can be compared with the times of a record. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from counter_listener.record.rows import iso


class Month(NamedTuple):
    """A month of the local time."""

    name: str
    """Such as `2026-01`."""
    start: str
    """ISO 8601 in UTC, as times are in the record."""
    end: str
    """Exclusive."""


def month_of(moment: str, zone: tzinfo | None) -> Month | None:
    """The month of a time of the record, in a zone; None is the zone of this machine.

    None for what is no time, and for the last month that there is.
    """
    try:
        here = datetime.fromisoformat(moment).astimezone(zone)
        years, month = divmod(here.month, 12)
        name = f"{here.year:04}-{here.month:02}"
        return Month(name, _begin(here.year, here.month, zone), _begin(here.year + years, month + 1, zone))
    except (ValueError, OverflowError, OSError):
        return None


def _begin(year: int, month: int, zone: tzinfo | None) -> str:
    first = datetime(year, month, 1)  # noqa: DTZ001 - it gets its zone in the next line
    return iso(first.astimezone() if zone is None else first.replace(tzinfo=zone))
