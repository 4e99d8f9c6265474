"""How clerks spoke over many visits: counted by hand, and the same in SQLite and PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.older_records import make_older
from support.postgres import new_database, url_of
from support.record_cases import NOW, raw

from counter_listener.domain import Event
from counter_listener.record import (
    MannerCounts,
    MannerData,
    MannerOverview,
    MannerSummary,
    Origin,
    ReportScope,
    VisitFilter,
    gather_manner,
    gather_report_data,
    sum_manner,
)
from counter_listener.record.databases import find_database
from counter_listener.record.manner_figures import COUNTED, FIGURES, LISTED, VisitManner, count_manner
from counter_listener.record.months import month_of
from counter_listener.record.rows import iso
from counter_listener.record.store import Record, open_record
from counter_listener.reports.manner_tables import by_month

ALL = VisitFilter()
SECOND = timedelta(seconds=1)
NOTHING: dict[str, Any] = dict.fromkeys(FIGURES)


def closed(visit: int, manner: object, outcome: str = "complete") -> list[Event]:
    """A visit without anything but its figures."""
    detail: dict[str, object] = {"outcome": outcome, "opened": 1.0, "seconds": 60.0, "scenarios": [], "counts": {}}
    detail |= {} if manner is None else {"manner": manner}
    return [Event("visit_opened", 1.0, visit), Event("visit_closed", 90.0, visit, score=80.0, detail=detail)]


def add(  # noqa: PLR0913 - what a visit can differ in
    record: Record, number: int, counter: str, began: datetime, manner: object, outcome: str = "complete"
) -> None:
    origin = Origin(f"live-{number}", "live", counter, began, "set", "c0ffee", "counter-cn")
    record.append(closed(1, manner, outcome), origin, NOW)


def fill(record: Record) -> None:
    fast = {
        **NOTHING,
        "level": -30.5,
        "quiet": 0.0,
        "rate": 6.5,
        "silence": 70.25,
        "waits": 1,
        "over": ["slower", "wait"],
    }
    calm = {**NOTHING, "level": -28.0, "rate": 4.25, "interruptions": 2, "silence": 3.0, "waits": 0, "over": []}
    add(record, 1, "1", NOW, fast)
    add(record, 2, "1", NOW - timedelta(days=40), {**fast, "rate": None})
    add(record, 3, "2", NOW, calm)
    add(record, 4, "2", NOW, {**calm, "interruptions": 0})
    add(record, 5, "2", NOW, None)  # as earlier versions wrote it
    add(record, 6, "2", NOW, fast, "no_service")
    add(record, 7, "2", NOW, {**calm, "over": "not a list", "rate": 5.0})


def shown(data: MannerData, zone: tzinfo | None) -> MannerOverview:
    """What the page shows of visits that were counted one by one."""

    def summary(counts: MannerCounts) -> MannerSummary:
        medians = {name: counts.median(name) for name in LISTED}
        return MannerSummary(counts.visits, medians, {name: counts.some(name) for name in COUNTED})

    return MannerOverview(
        data.total.visits,
        data.total.over,
        {name: summary(counts) for name, counts in data.by_counter.items()},
        {month: summary(counts) for month, counts in by_month(data, zone)},
    )


def page_of(record: Record, zone: tzinfo | None = None, wanted: VisitFilter = ALL) -> MannerOverview:
    return record.query(partial(gather_manner, wanted=wanted, zone=zone))


def test_the_page_and_the_report_count_the_same(location: str) -> None:
    with open_record(location) as record:
        fill(record)
        page, one = page_of(record, NOW.tzinfo), page_of(record, wanted=VisitFilter(counters=("1",)))
        report = record.query(lambda connection: gather_report_data(connection, ReportScope(), 10, {}))
    assert report.manner
    assert shown(report.manner, NOW.tzinfo) == page
    total = report.manner.total
    assert (total.visits, total.told("rate"), total.median("rate")) == (6, 4, 4.25)
    assert (total.some("interruptions"), total.some("waits")) == ((2, 3), (2, 5))
    assert (page.visits, page.over) == (6, {"slower": 2, "wait": 2})
    assert set(page.by_counter) == {"1", "2"}
    assert page.by_counter["1"] == one.by_counter["1"]
    assert [counts.visits for counts in page.by_month.values()] == [1, 5]
    told = {visit.visit: visit.manner for visit in report.visits}
    assert told["live-1-1"]["silence"] == 70.25
    assert told["live-3-1"]["interruptions"] == 2
    assert set(told["live-5-1"].values()) == {None}


def test_a_record_of_an_earlier_version_gets_the_figures_that_its_rows_hold(location: str, tmp_path: Path) -> None:
    make_older(location, "0008")
    with open_record(location, upgrade=False) as record:
        fill(record)
        assert record.verify().broken is None, "its table has no figures yet"
    with open_record(location) as record, open_record(tmp_path / "new.db") as new:
        fill(new)
        assert page_of(record) == page_of(new)
        assert record.verify().broken is None
        add(record, 8, "3", NOW, {**NOTHING, "level": -20.5})
        assert page_of(record).by_counter["3"].medians["level"] == -20.5
        assert record.verify().broken is None


def test_a_trigger_that_somebody_removed_from_an_older_record_stays_away(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    make_older(str(path), "0008")
    raw(path, "DROP TRIGGER visits_closed")
    with open_record(path) as record:
        assert "visits_closed" in str(record.verify().broken)


@pytest.mark.parametrize("change", ["manner_quiet = 0.5", "manner_over = '[\"wait\"]'", "manner_level = NULL"])
def test_figures_that_somebody_changed_in_the_table_are_found(location: str, change: str) -> None:
    with open_record(location) as record:
        fill(record)
        with find_database(location).open(create=False) as connection, connection.begin():
            connection.exec_driver_sql(f"UPDATE visits SET {change} WHERE visit = 'live-3-1'")  # noqa: S608 - above
        broken = record.verify().broken
    assert broken
    assert str(broken.wrong).startswith("not what the table of visits says")


FIGURE = st.none() | st.integers(-400, 400).map(lambda tenths: tenths / 10)
MANNER = st.none() | st.builds(
    lambda figures, over: {**dict(zip(FIGURES, figures, strict=True)), "over": over},
    st.tuples(*[FIGURE] * len(FIGURES)),
    st.lists(st.sampled_from(["slower", "wait"]), unique=True, max_size=2),
)
DRAWN = st.tuples(
    st.sampled_from(["1", "2", "é"]),
    st.integers(0, 70 * 24 * 4).map(lambda quarters: NOW + timedelta(minutes=15 * quarters)),
    MANNER,
    st.sampled_from(["complete", "no_service"]),
)
ZONES = (UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30)))


@settings(max_examples=4, phases=[Phase.explicit, Phase.generate])  # to shrink by databases takes minutes
@given(st.lists(DRAWN, min_size=1, max_size=25), st.sampled_from(ZONES))
def test_both_databases_count_drawn_visits_as_they_are_counted_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Any], zone: tzinfo
) -> None:
    one_by_one = [
        VisitManner(
            counter,
            int((began + timedelta(seconds=1)).timestamp()) // 900,
            tuple((manner or NOTHING)[name] for name in FIGURES),
            tuple(manner["over"]) if manner else (),
        )
        for counter, began, manner, outcome in drawn
        if outcome != "no_service"
    ]
    with new_database() as name:
        for place in (tmp_path_factory.mktemp("drawn") / "record.db", url_of(name)):
            with open_record(place) as record:
                for number, (counter, began, manner, outcome) in enumerate(drawn):
                    add(record, number, counter, began, manner, outcome)
                assert page_of(record, zone) == shown(count_manner(one_by_one), zone)
                assert record.verify().broken is None


def test_months_begin_when_the_clocks_of_the_zone_say_so(location: str) -> None:
    beijing = timezone(timedelta(hours=8))
    june = datetime(2024, 6, 1, tzinfo=beijing)
    with open_record(location) as record:
        for number, seconds in enumerate((-2, -1, 0)):  # opened a second later
            add(record, number, "1", june + timedelta(seconds=seconds), None)
        origin = Origin("live-9", "live", "1", None, "set", "c0ffee", "counter-cn")
        record.append(closed(1, None), origin, NOW)
        assert {name: each.visits for name, each in page_of(record, beijing).by_month.items()} == {
            "2024-05": 1,
            "2024-06": 2,
        }
        assert {name: each.visits for name, each in page_of(record, UTC).by_month.items()} == {"2024-05": 3}
        assert page_of(record, UTC).visits == 4, "one is of unknown time"
        none = page_of(record, wanted=VisitFilter(since=june + timedelta(days=1)))
    assert none == MannerOverview(0, Counter(), {}, {})


@given(
    st.integers(10**9, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from([*ZONES, None, *map(ZoneInfo, ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"))]),
)
def test_a_time_is_in_the_month_of_its_zone(moment: datetime, zone: tzinfo | None) -> None:
    month = month_of(iso(moment), zone)
    assert month
    assert month.name == f"{moment.astimezone(zone):%Y-%m}"
    assert month.start <= iso(moment) < month.end
    following, before = month_of(month.end, zone), month_of(iso(datetime.fromisoformat(month.start) - SECOND), zone)
    assert following
    assert before
    assert before.name < month.name < following.name
    assert (before.end, following.start) == (month.start, month.end)


@pytest.mark.parametrize("text", ["", "soon", "0001-01-01T00:00:00+00:00", "9999-12-31T00:00:00+00:00"])
def test_what_is_no_time_has_no_month(text: str) -> None:
    assert month_of(text, timezone(timedelta(hours=8))) is None


VALUES = st.tuples(*(st.none() | st.integers(0, 9).map(float) for _ in FIGURES))
VISITS = st.builds(VisitManner, st.sampled_from([None, "1", "2"]), st.sampled_from([None, 7, 8]), VALUES, st.just(()))


@given(st.lists(VISITS, max_size=30))
def test_groups_add_up_and_half_of_the_visits_reach_the_median(visits: list[VisitManner]) -> None:
    data: MannerData = count_manner(visits)
    assert sum_manner(data.by_quarter.values()) == sum_manner(data.by_counter.values()) == data.total
    assert data.total.visits == len(visits)
    for number, name in enumerate(FIGURES):
        told = sorted(value for visit in visits if (value := visit.values[number]) is not None)
        assert data.total.told(name) == len(told)
        quartiles = data.total.quartiles(name)
        assert (quartiles is None) == (not told)
        if quartiles:
            assert list(quartiles) == sorted(quartiles)
            assert sum(value <= quartiles[1] for value in told) * 2 >= len(told)
            assert sum(value >= quartiles[1] for value in told) * 2 >= len(told)


def test_figures_of_two_periods_are_those_of_both() -> None:
    first = count_manner([VisitManner("1", 1, (1.0, *[None] * 5), ("a",))]).total
    both = sum_manner([first, first])
    assert (both.visits, both.over, both.values["level"]) == (2, {"a": 2}, {1.0: 2})
