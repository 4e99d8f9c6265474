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
