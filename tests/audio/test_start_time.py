"""When a recording started."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counter_listener.audio.start_time import StartTime, find_start_time, parse_time, read_stamp
from counter_listener.domain import UsageError

CHINA = timezone(timedelta(hours=8))
MORNING = datetime(2026, 1, 15, 1, 30, tzinfo=UTC)


def named(name: str) -> StartTime:
    """The start of a recording, by its name alone."""
    return find_start_time(Path("somewhere") / name, None, None, CHINA)


@pytest.mark.parametrize(
    "name",
    [
        "20260115-093000.wav",
        "20260115_093000_counter-3.wav",
        "2026-01-15_09.30.00.wav",
        "2026-01-15_09.30.wav",
        "2026-01-15T09:30:00.mp3",
        "2026-01-15 09-30-00.m4a",
        "20260115T013000Z.wav",
        "20260115093000.wav",
        "20260115093000123.amr",
        "202601150930.wav",
        "REC_20260115_0930.wav",
        "3号柜 2026年01月15日09时30分00秒.wav",
        "2026年1月15日9时30分.wav",
        "20261399-093000 20260115-093000.wav",
        "20260115-20260115-093000.wav",
        "tel13800138000_20260115-093000.wav",
        "20260115-093000_20260116-110000.wav",
    ],
)
def test_names_with_a_time(name: str) -> None:
    assert named(name) == StartTime(MORNING, "file name")


@pytest.mark.parametrize(
    "name",
    [
        "counter3.wav",
        "20260115.wav",
        "2026-01-15.wav",
        "2026-01-15_counter-3.wav",
        "13800138000.wav",
        "02012345678.wav",
        "20260115_13800138000.wav",
        "20260230-093000.wav",
        "20260115-253000.wav",
        "20260115-240000.wav",
        "20260115-096000.wav",
        "19990115-093000.wav",
        "21000115-093000.wav",
        "120260115-093000.wav",
        "20260115-0930001.wav",
        "2026-01-15_3.wav",
        "",
    ],
)
def test_names_without_one(name: str) -> None:
    assert named(name) == StartTime(None, "unknown")


AFTERNOON = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("20260115T093000+0800.wav", MORNING),
        ("20260115T013000+0000.wav", MORNING),
        ("20260114T213000-0400.wav", MORNING),
        ("2026-01-15T093000+08-extern.wav", MORNING),
        ("20260114-213000.88-0400", MORNING.replace(microsecond=880_000)),
        ("2026-01-14T21:30:00.880-04:00.wav", MORNING.replace(microsecond=880_000)),
        ("2026-01-15 07_00_00 UTC+5:30.wav", MORNING),
        ("2026-01-15 07-00-00+05-30.wav", MORNING),
        ("2026-01-15 01.30.00 GMT.wav", MORNING),
        ("2026-01-15_09-30北京时间.wav", MORNING),
        ("2026-01-15 03.30.00 PM.m4a", AFTERNOON),
        ("Recording 2026-01-15 at 3.30.00\u202fPM.m4a", AFTERNOON),
        ("2026-01-15 3-30 p.m..wav", AFTERNOON),
        ("20260115_0330PM.wav", AFTERNOON),
        ("2026-01-15_15-30 下午.wav", AFTERNOON),
        ("2026年1月15日下午3时30分.wav", AFTERNOON),
        ("2026年1月15日 下午3点半 柜台2.wav", AFTERNOON),
        ("2026年1月15日 星期四 下午3：30.wav", AFTERNOON),
        ("２０２６年１月１５日 上午9点30分.wav", MORNING),
        ("2026-01-15 上午 09.30.wav", MORNING),
        ("2026年1月15日上午9点30分00秒.wav", MORNING),
        ("2026-01-15 12.30.00 AM.wav", datetime(2026, 1, 14, 16, 30, tzinfo=UTC)),
        ("2026年1月15日中午1点.wav", datetime(2026, 1, 15, 5, tzinfo=UTC)),
        ("2026年1月15日晚上8点.wav", datetime(2026, 1, 15, 12, tzinfo=UTC)),
        ("260115_0930.amr", MORNING),
        ("REC-260115-093000.wav", MORNING),
        ("1768440600.wav", MORNING),
        ("msg_1768440600500_voice.amr", MORNING.replace(microsecond=500_000)),
        ("20260115-093000-0001.wav", MORNING),
        ("20260115-0930-1130.wav", MORNING),
        ("20260115-0930-1000.wav", MORNING),
        ("20260115-093000.3gp", MORNING),
        ("20260115-093000a.wav", MORNING),
        ("20260115-093000柜台3.wav", MORNING),
    ],
)
def test_what_qualifies_a_time_is_read(name: str, time: datetime) -> None:
    assert named(name) == StartTime(time, "file name")


UNREAD = [
    "20260115T093000CST.wav",
    "20260115-093000 EST.wav",
    "2026-01-15 09.30.00 (IST).wav",
    "20260115-093000-0400.wav",
    "20260115T093000-04.wav",
    "20260115T093000+99.wav",
    "20260115T093000+2.wav",
    "20260115-0330p.wav",
    "2026-01-15 03.30 当地时间.wav",
    "2026年1月15日晚上12点.wav",
    "2026-01-15 上午 15.30.wav",
    "2026-01-15 15.30.00 AM.wav",
    "15-01-2026-09-30-00-12.wav",
]


@pytest.mark.parametrize("name", UNREAD)
def test_a_time_of_which_something_cannot_be_read_is_unknown_and_the_date_of_the_file_is_a_guess(name: str) -> None:
    written = MORNING + timedelta(days=3)
    assert find_start_time(Path(name), None, None, CHINA, written) == StartTime(None, "unknown", guess=written)
    assert find_start_time(Path(name), MORNING, None, CHINA, written) == StartTime(None, "unknown", guess=MORNING)
    assert find_start_time(Path(name), None, MORNING, CHINA, written) == StartTime(MORNING, "given")


def test_without_any_time_the_date_of_the_file_is_a_guess() -> None:
    assert find_start_time(Path("monday.wav"), None, None, CHINA, MORNING) == StartTime(None, "unknown", guess=MORNING)
    assert find_start_time(Path("monday.wav"), MORNING, None, CHINA, None) == StartTime(MORNING, "file time stamp")


def test_given_before_name_before_stamp() -> None:
    path, stamp = Path("20260115-093000.wav"), datetime(2026, 2, 1, 12, 0)  # noqa: DTZ001
    assert find_start_time(path, stamp, datetime(2026, 3, 1, tzinfo=UTC), CHINA) == StartTime(
        datetime(2026, 3, 1, tzinfo=UTC), "given"
    )
    assert find_start_time(path, stamp, None, CHINA) == StartTime(MORNING, "file name")
    assert find_start_time(Path("a.wav"), stamp, None, CHINA) == StartTime(
        datetime(2026, 2, 1, 4, 0, tzinfo=UTC), "file time stamp"
    )
    assert find_start_time(Path("a.wav"), MORNING, None, CHINA) == StartTime(MORNING, "file time stamp")


times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda time: time.replace(microsecond=0))  # noqa: DTZ001
LAYOUTS = ["%Y%m%d-%H%M%S", "%Y-%m-%d_%H.%M.%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d%H%M%S", "%Y年%m月%d日%H时%M分%S秒"]


@given(
    times, st.sampled_from(LAYOUTS), st.sampled_from(["", "REC_", "柜台3 ", "a-"]), st.sampled_from([".wav", "_2.amr"])
)
def test_names_round_trip(time: datetime, layout: str, before: str, after: str) -> None:
    name = before + time.strftime(layout) + after
    assert named(name) == StartTime(time.replace(tzinfo=CHINA).astimezone(UTC), "file name")


DATES = ["%Y%m%d", "%Y-%m-%d", "%Y.%m.%d", "%Y年%m月%d日", "%y%m%d"]
CLOCKS = ["%H%M%S", "%H-%M-%S", "%H.%M.%S", "%H时%M分%S秒"]
RECENT = 2012
"""A leap year, to which a remainder of 28 years adds: 29 February stays a date."""
TWELVE = [("AM", "PM", " "), ("am", "pm", ""), ("a.m.", "p.m.", " "), ("上午", "下午", " ")]


@given(times, st.sampled_from(DATES), st.sampled_from(CLOCKS), st.sampled_from(["_", " ", "T"]), st.integers(-12, 14))
def test_zones_round_trip(time: datetime, date_: str, clock: str, between: str, hours: int) -> None:
    time = time.replace(year=RECENT + time.year % 28, tzinfo=timezone(timedelta(hours=hours)))
    sign = "+" if hours >= 0 else "-"
    for offset in (f"{sign}{abs(hours):02}:00", f" UTC{sign}{abs(hours)}", f"{sign}{abs(hours):02}00"):
        name = time.strftime(f"a {date_}{between}{clock}") + offset + " b.wav"
        unsure = sign == "-" and ":" not in offset and "UTC" not in offset and between != "T"
        assert named(name) == StartTime(None if unsure else time.astimezone(UTC), "unknown" if unsure else "file name")


@given(times, st.sampled_from(DATES), st.sampled_from(["%I.%M.%S", "%I%M%S", "%I点%M分%S秒"]), st.sampled_from(TWELVE))
def test_halves_of_the_day_round_trip(time: datetime, date_: str, clock: str, words: tuple[str, str, str]) -> None:
    time = time.replace(year=RECENT + time.year % 28)
    am, pm, space = words
    half = am if time.hour < 12 else pm
    expected = StartTime(time.replace(tzinfo=CHINA).astimezone(UTC), "file name")
    assert named(time.strftime(f"{date_} {clock}") + f"{space}{half}.m4a") == expected
    assert named(time.strftime(f"{date_} {half}{space}{clock}") + ".m4a") == expected


@given(st.integers(1_300_000_000, 1_999_999_999), st.integers(0, 999), st.sampled_from(["", "wx_", "录音-"]))
def test_seconds_and_milliseconds_since_1970_round_trip(seconds: int, rest: int, before: str) -> None:
    time = datetime.fromtimestamp(seconds, UTC)
    assert named(f"{before}{seconds}.amr") == StartTime(time, "file name")
    assert named(f"{before}{seconds}{rest:03}.amr").at == time + timedelta(milliseconds=rest)


@given(st.text(max_size=40))
def test_any_name(name: str) -> None:
    found = named(name)
    assert (found.at is None) == (found.how == "unknown")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15 09:30",
        "2026-01-15T09:30:00",
        "2026-01-15T09:30+08:00",
        "2026-01-15T01:30Z",
        "2026/1/15 9:30",
        "2026.1.15 9:30:00",
        "20260115T0930",
        " 2026-01-15 09:30 ",
    ],
)
def test_times_that_users_type(text: str) -> None:
    assert parse_time(text, CHINA) == MORNING
    assert parse_time(text, CHINA).tzinfo is not None


def test_a_date_is_its_midnight() -> None:
    for text in ("2026-01-15", "2026/1/15", "20260115"):
        assert parse_time(text, CHINA) == datetime(2026, 1, 15, tzinfo=CHINA)


def test_summer_time() -> None:
    assert parse_time("2026-07-01 09:00", ZoneInfo("Europe/Berlin")) == datetime(2026, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01",
        "2026-01-15 25:00",
        "2026-1-15 24:00",
        "2026",
        "15.1.2026",
        "0001-01-01",
        "9:30",
        "x" * 999,
    ],
)
def test_a_text_that_is_not_a_time(text: str) -> None:
    with pytest.raises(UsageError, match="2026-01-15 09:30") as error:
        parse_time(text, CHINA)
    assert len(str(error.value)) < 150


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    try:
        time = parse_time(text, CHINA)
    except UsageError:
        return
    assert time.utcoffset() is not None


@given(st.datetimes(timezones=st.just(CHINA), min_value=datetime(1971, 1, 2), max_value=datetime(9997, 1, 1)))  # noqa: DTZ001
def test_iso_round_trip(time: datetime) -> None:
    assert parse_time(time.isoformat(), UTC) == time
    assert parse_time(time.replace(tzinfo=None).isoformat(" "), CHINA) == time


def test_stamps() -> None:
    assert read_stamp("2026-01-15T01:30:00.000000Z") == MORNING
    assert read_stamp("2026-01-15 09:30:00+0800") == MORNING
    assert read_stamp("2026:01:15 09-30-00") == datetime(2026, 1, 15, 9, 30)  # noqa: DTZ001
    for text in ("", "2026", "2026-01-15", "0000-00-00 00:00:00", "1904-01-01 00:00:00", "2026-01-15 99:00"):
        assert read_stamp(text) is None
    assert read_stamp(f"{date(2026, 2, 30 - 2)} 23:59:59") == datetime(2026, 2, 28, 23, 59, 59)  # noqa: DTZ001


def test_a_stamp_with_an_impossible_zone_is_no_stamp() -> None:
    assert read_stamp("2026-01-15 09:30:00+99:99") is None
