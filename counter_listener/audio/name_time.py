"""The time in the name of a recording, as recorders, telephones, cameras and people write it.

A time is believed only if all that qualifies it was read too: its zone, its half of the day, its fraction of a second.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_DATE: Final = r"""
    (?: (?P<year1>20\d\d) [-_./] (?P<month1>\d\d) [-_./] (?P<day1>\d\d)
      | (?P<year2>20\d\d) (?P<month2>\d\d) (?P<day2>\d\d)
      | (?P<year3>20\d\d) \s?年\s? (?P<month3>\d\d?) \s?月\s? (?P<day3>\d\d?) \s?[日号]
      | (?P<year4>[1-4]\d) (?P<month4>\d\d) (?P<day4>\d\d) (?=[-_T\s]) )
"""
_BETWEEN: Final = r"""
    (?: [\s_,(]* (?: (?:星期|周|礼拜)[一二三四五六日天] | (?:mon|tue|wed|thu|fri|sat|sun)[a-z]* ) [\s_,)]* )?
    (?P<between> \sat\s | [-_.T@\s]{0,3} )
"""
_HALVES: Final = {
    "am": r"上午|早上|早晨|清晨|凌晨|午前|a\.?m\.?(?![a-z])",
    "noon": r"中午",
    "pm": r"下午|午后|午後|p\.?m\.?(?![a-z])",
    "evening": r"傍晚|晚上",
}
_HOURS: Final = {"am": range(12), "noon": range(11, 14), "pm": range(12, 24), "evening": range(17, 24)}
"""The hours of each half of the day. 晚上12点 belongs to the day after, so nobody can tell which day a name means."""
_CLOCK: Final = r"""
    (?: (?P<hour1>\d\d) [-_.:] (?P<minute1>\d\d) (?: [-_.:] (?P<second1>\d\d) )?
      | (?P<hour2>\d\d) (?P<minute2>\d\d) (?: (?P<second2>\d\d) (?:\d{3})? )?
      | (?P<hour3>\d\d?) \s?[时時点點]\s?
        (?: (?P<half_past>半) | (?P<minute3>\d\d?) \s?分?\s? (?:(?P<second3>\d\d?)\s?秒)? )?
      | (?P<hour4>\d) [-_.:] (?P<minute4>\d\d) (?: [-_.:] (?P<second4>\d\d) )? )
    (?! \d )
    (?: [.,] (?P<fraction>\d{1,9}) (?! \d | (?! z\b | [ap]\.?m ) [a-z] ) )?
"""


def _half(number: int) -> str:
    return "|".join(f"(?P<{half}{number}>{words})" for half, words in _HALVES.items())


_IN_NAME: Final = re.compile(
    rf"""
    (?<!\d) (?: (?P<day_before>\d\d?) [-_./] (?P<month_before>\d\d?) [-_./] (?=20\d\d[-_./]) )?
    {_DATE} {_BETWEEN} (?: {_half(1)} )? \s? {_CLOCK} (?: [\s_]? (?: {_half(2)} ) )?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_OFFSET: Final = re.compile(
    r"[\s_(]*(?P<world>utc|gmt)?\s?(?P<sign>[-+−])(?P<hours>\d\d?)(?:(?P<colon>[:._-]?)(?P<minutes>\d\d))?(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_NAMED: Final = re.compile(r"[\s_(]*(?:(?P<world>z|utc|gmt)(?![a-z0-9])|(?P<china>北京时间))", re.IGNORECASE)
_UNREAD: Final = re.compile(
    r"[\s_(-]*(?:当地时间|夏令时|\+"
    r"|(?:[aecmp][sd]t|[ecmp]t|ak[sd]t|hst|cest|cet|eest|eet|wes?t|bst|ist|msk|[jk]st|[hw]kt|sgt|pht|wi[bt]|nz[sd]t"
    r"|a[ecw][sd]t|sast)(?![a-z0-9]))",
    re.IGNORECASE,
)
"""What qualifies a time and is not read: the names of zones, of which one may stand for several (CST), and more."""
_BARE_HALF: Final = re.compile(r"[ap](?![a-z])", re.IGNORECASE)
"""As in 0330p. After seconds it is the letter of a part."""
_EPOCH: Final = re.compile(r"(?<![\d.])(1\d{9})(\d{3})?(?!\d)", re.ASCII)
_EPOCH_FROM: Final = datetime(2010, 1, 1, tzinfo=UTC)
"""A smaller number of ten digits is no time."""
_WEST, _EAST = -12 * 60, 14 * 60
"""The range of all zones, in minutes east of UTC."""
_BROKEN_ZONES: Final = (210, 270, 330, 345, 390, 525, 570, 630, 765, 825, -150, -210, -570)
"""Minutes east of UTC of the zones that are no whole hour, summer time included (IANA time zones)."""


class UnreadTimeError(Exception):
    "A name holds a time and, beside it, something that changes its meaning and was not understood."


def time_in_name(name: str) -> datetime | None:
    """The time in a file name: aware if the name says its zone, else naive; None if it holds none.

    Raises UnreadTimeError if something that qualifies the time was not understood.
    """
    plain, at = unicodedata.normalize("NFKC", name), 0
    while found := _IN_NAME.search(plain, at):
        try:
            return _time(found).replace(tzinfo=_zone(found, plain[found.end() :]))
        except ValueError:
            at = found.start() + 1
    return _epoch(plain)


def _time(found: re.Match[str]) -> datetime:
    """The naive time of a match. Raises ValueError if it is none, UnreadTimeError if it may be another one."""
    parts = {name.rstrip("1234"): text for name, text in found.groupdict().items() if text}
    names = ("year", "month", "day", "hour", "minute", "second")
    year, month, day, hour, minute, second = (int(parts.get(name, 0)) for name in names)
    year += 2000 if found["year4"] else 0
    minute = 30 if found["half_past"] else minute
    fraction = int(f"{parts.get('fraction', ''):0<6.6}")
    halves = [half for half in _HALVES if half in parts]
    if found["hour4"] and not halves:  # 3-12 may be anything
        raise ValueError(hour)
    time = datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001 - its zone is read apart
    if found["day_before"] and max(int(found["day_before"]), int(found["month_before"])) <= 31:  # noqa: PLR2004
        raise UnreadTimeError  # 15-01-2026-09-30: perhaps a date that begins with the day
    return time.replace(hour=_hour(hour, halves))


def _hour(hour: int, halves: list[str]) -> int:
    """The hour of the day, from 0 to 23. Raises UnreadTimeError if the hour is not in that half of the day."""
    if not halves:
        return hour
    allowed = [_HOURS[half] for half in halves]
    for meant in (hour, hour + 12, hour % 12 if hour == 12 else hour):  # noqa: PLR2004 - 12 am is midnight
        if all(meant in hours for hours in allowed):
            return meant
    raise UnreadTimeError


def _zone(found: re.Match[str], rest: str) -> tzinfo | None:
    """The zone that follows a time; None if none does. Raises UnreadTimeError if nobody can tell whether one does."""
    if offset := _OFFSET.match(rest):
        iso = "t" in found["between"].lower() or found["fraction"] is not None
        return None if _is_end(found, offset) and not iso else _offset(offset, iso=iso)
    if named := _NAMED.match(rest):
        return UTC if named["world"] else timezone(timedelta(hours=8))
    seconds = found["second1"] or found["second2"]
    if _UNREAD.match(rest) or (_BARE_HALF.match(rest) and not seconds):
        raise UnreadTimeError
    return None


def _offset(offset: re.Match[str], *, iso: bool) -> tzinfo | None:
    """The zone of an offset. After a hyphen, digits may also be a part's number or the time of the end.

    `iso` is whether the time before it is written as in ISO 8601.
    """
    clear = bool(offset["sign"] == "+" or offset["world"] or offset["colon"] == ":")
    two_digits = len(offset["hours"]) == len("hh")
    whole = two_digits and offset["minutes"] is not None
    east = (60 * int(offset["hours"]) + int(offset["minutes"] or 0)) * (1 if offset["sign"] == "+" else -1)
    exists = east in _BROKEN_ZONES or (east % 60 == 0 and _WEST <= east <= _EAST)
    if exists and (offset["world"] or (clear and two_digits) or (iso and whole)):
        return timezone(timedelta(minutes=east))
    if clear or (exists and (whole or (iso and two_digits))):
        raise UnreadTimeError
    return None


def _is_end(found: re.Match[str], offset: re.Match[str]) -> bool:
    """Whether what looks like an offset is the time of the end, as in 0930-1000: written like the start, and later."""
    start, end = (found["hour2"], found["minute2"]), (offset["hours"], offset["minutes"])
    return offset["sign"] == "-" and not found["second2"] and None not in (*start, *end) and start < end < ("24", "60")


def _epoch(name: str) -> datetime | None:
    """The time that the name gives in seconds or milliseconds since 1970."""
    for found in _EPOCH.finditer(name):
        time = datetime.fromtimestamp(int(found[1]), UTC) + timedelta(milliseconds=int(found[2] or 0))
        if time >= _EPOCH_FROM:
            return time
    return None
