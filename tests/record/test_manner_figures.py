"""How clerks spoke over many visits: counted by hand, and the same in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.postgres import new_database, url_of
from support.record_cases import NOW

from counter_listener.domain import Event
from counter_listener.record import (
    MannerData,
    Origin,
    ReportScope,
    VisitFilter,
    gather_manner,
    gather_report_data,
    sum_manner,
)
from counter_listener.record.manner_figures import FIGURES, VisitManner, count_manner
from counter_listener.record.store import Record, open_record
from counter_listener.reports import manner_by_month

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


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Record]:
    """An empty record."""
    if kind == "sqlite":
        with open_record(folder / "events.db") as record:
            yield record
        return
    with new_database() as name, open_record(url_of(name), key_file=folder / "key.pem") as record:
        yield record


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_page_and_the_report_count_the_same_on_both_databases(kind: str, tmp_path: Path) -> None:
    with database(kind, tmp_path) as record:
        fill(record)
        page = record.query(partial(gather_manner, wanted=VisitFilter()))
        report = record.query(lambda connection: gather_report_data(connection, ReportScope(), 10, {}))
        one = record.query(partial(gather_manner, wanted=VisitFilter(counters=("1",))))
    assert report.manner == page
    assert (page.total.visits, page.total.told("rate")) == (6, 4)
    assert page.total.median("rate") == 4.25
    assert page.total.some("interruptions") == (2, 3)
    assert page.total.some("waits") == (2, 5)
    assert page.total.over == {"slower": 2, "wait": 2}
    assert set(page.by_counter) == {"1", "2"}
    assert page.by_counter["1"] == one.total
    assert [counts.visits for _, counts in manner_by_month(page, NOW.tzinfo)] == [1, 5]
    shown = {visit.visit: visit.manner for visit in report.visits}
    assert shown["live-1-1"]["silence"] == 70.25
    assert shown["live-3-1"]["interruptions"] == 2
    assert set(shown["live-5-1"].values()) == {None}


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
