"""A purge removes complete visits, reports itself, leaves no byte behind, and restores the guards."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.record_cases import DAY, NOW, connection_of, live, raw, recorded_as, run_child, visit_events

from counter_listener.domain.errors import RecordError
from counter_listener.domain.types import Event
from counter_listener.record.rows import Row
from counter_listener.record.store import Record, open_record

SAID = "一句绝不会再说的话"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "record.db"
    with open_record(path):
        pass
    return path


def fill(path: Path, days: range) -> None:
    """A recording with one visit for each day, counted from NOW, recorded on the same day."""
    with open_record(path) as record:
        for day in days:
            recording, origin = recorded_as(day + 1000, NOW + day * DAY)
            record.add_recording(recording, visit_events(1, f"{SAID}{day:+d}"), origin, NOW + day * DAY)


def folder_bytes(path: Path) -> bytes:
    """Every byte in the folder of the record."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_the_file_holds_no_byte_of_what_was_purged(path: Path) -> None:
    fill(path, range(-80, 5))
    assert f"{SAID}-80".encode() in folder_bytes(path)
    with open_record(path) as record:
        assert record.purge(NOW, NOW) == 80 * 4
        assert len(list(record.read())) == 5 * 3 + 1
    left = folder_bytes(path)
    assert not [day for day in range(-80, 0) if f"{SAID}{day:+d}".encode() in left]
    assert f"{recorded_as(950)[0].path}".encode() not in left
    assert f"{SAID}+4".encode() in left


def test_a_purge_reports_itself_and_the_chain_continues_after_it(path: Path) -> None:
    fill(path, range(-4, 4))
    with open_record(path) as record:
        assert record.purge(NOW - 2 * DAY, NOW) == 8
        assert record.verify().broken is None
        assert record.purge(NOW - 2 * DAY, NOW) == 0
        assert record.purge(NOW, NOW) == 8
        record.append(visit_events(9), live(), NOW)
        found = record.verify()
        assert (found.rows, found.broken) == (4 * 4 + 2 + 3, None)
        first, second = [row for row in record.read() if row.kind == "purge"]
    assert (first.uid, first.visit, first.verdict, second.uid) == ("purge:1", None, None, "purge:2")
    detail = json.loads(first.detail)
    assert (detail["before"], detail["rows"]) == ("2024-05-18T09:30:00.000000+00:00", 8)
    assert [run[:2] for run in detail["runs"]] == [[1, 8]]
    assert [run[:2] for run in json.loads(second.detail)["runs"]] == [[9, 16]]


def test_a_purge_of_nothing_changes_no_byte(path: Path) -> None:
    fill(path, range(3))
    before = path.read_bytes()
    with open_record(path) as record:
        assert record.purge(NOW, NOW + DAY) == 0
    assert path.read_bytes() == before


def test_a_visit_is_removed_as_a_whole_when_its_last_event_is_old_enough(path: Path) -> None:
    with open_record(path) as record:
        record.append(visit_events(1), live("live-1", NOW - timedelta(seconds=75)), NOW + DAY)
        record.append([Event("gap", 0.0), Event("gap", 80.0)], live("live-1", NOW - timedelta(seconds=75)), NOW + DAY)
        assert record.purge(NOW, NOW) == 1, "only the first gap is old and belongs to no visit"
        assert [row.uid for row in record.read()] == ["live-1:1", "live-1:2", "live-1:3", "live-1:5", "purge:1"]
        assert record.purge(NOW + timedelta(seconds=4.9), NOW) == 0
        assert record.purge(NOW + timedelta(seconds=15), NOW) == 1, "the visit's last event is not before this moment"
        assert record.purge(NOW + timedelta(seconds=15.1), NOW) == 3
        record.append([Event("gap", 90.0)], live("live-1", NOW), NOW)
        assert record.verify().broken is None


def test_without_a_wall_time_the_time_of_recording_counts(path: Path) -> None:
    with open_record(path) as record:
        for number, recorded in enumerate((NOW - DAY, NOW + DAY)):
            recording, origin = recorded_as(number, None)
            record.add_recording(recording, visit_events(1), origin, recorded)
        assert record.purge(NOW, NOW) == 4
        assert record.latest_judgement(recorded_as(0)[0].sha256) is None
        assert record.latest_judgement(recorded_as(1)[0].sha256)


def test_a_recording_stays_known_while_it_has_events_left_or_is_not_over(path: Path) -> None:
    late, late_origin = recorded_as(1, NOW - timedelta(seconds=80))
    half, half_origin = recorded_as(2, NOW - DAY)
    with open_record(path) as record:
        record.add_recording(replace(late, seconds=200.0), visit_events(1), late_origin, NOW + DAY)
        record.add_recording(half, [*visit_events(1), *visit_events(2000)], half_origin, NOW + DAY)
        assert record.purge(NOW + timedelta(seconds=15), NOW) == 6, "one recording has a visit left, one is not over"
        assert record.latest_judgement(late.sha256)
        assert record.latest_judgement(half.sha256)
        assert not record.add_recording(late, visit_events(1), late_origin, NOW)
        assert record.purge(NOW + 9 * DAY, NOW) == 5
        assert record.add_recording(late, visit_events(1), late_origin, NOW), "it was removed, so it is new"
        assert record.verify().broken is None


def test_a_purge_at_a_time_without_a_zone_removes_nothing(path: Path) -> None:
    fill(path, range(-2, 0))
    with open_record(path) as record:
        with pytest.raises(ValueError, match="time zone"):
            record.purge(NOW, NOW.replace(tzinfo=None))
        assert len(list(record.read())) == 6


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=8),
    st.lists(st.integers(-1, 11), min_size=1, max_size=3),
)
def test_any_purges_leave_complete_visits_and_a_complete_chain(
    empty: Path, path: Path, visits: list[tuple[int, bool]], purges: list[int]
) -> None:
    shutil.copy(empty, path)
    with open_record(path) as record:
        for number, (day, dated) in enumerate(visits):
            when = NOW + day * DAY
            record.append(visit_events(1), live(f"live-{number}", when if dated else None), when)
        for day in purges:
            record.purge(NOW + (day + 0.5) * DAY, NOW)
            assert record.verify().broken is None
        left = {f"live-{number}-1" for number, (day, _) in enumerate(visits) if day > max(purges)}
        assert events_by_visit(record) == dict.fromkeys(left, 3)


def events_by_visit(record: Record) -> dict[str, int]:
    """The number of events that each visit has left."""
    counts: dict[str, int] = defaultdict(int)
    for row in record.read():
        if row.visit:
            counts[row.visit] += 1
    return counts


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(
    "at",
    [
        "COMMIT",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("INSERT OR FAIL INTO events", "CREATE TRIGGER")),
    ],
)
def test_a_purge_that_is_killed_leaves_everything_as_it_was(path: Path, at: str) -> None:
    fill(path, range(-30, 0))
    before = rows_of(path)
    code, _ = run_child("die_in_purge", path, at)
    assert code == -signal.SIGKILL
    for statement in ("DELETE FROM events", "DELETE FROM recordings", "UPDATE events SET heard = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw(path, statement)
    assert rows_of(path) == before
    with open_record(path, create=False) as record:
        assert record.verify().broken is None
        assert record.purge(NOW, NOW) == 120


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.slow
def test_a_purge_killed_before_the_file_is_rewritten_is_finished_by_the_next(path: Path) -> None:
    fill(path, range(-30, 0))
    code, _ = run_child("die_in_purge", path, "VACUUM")
    assert code == -signal.SIGKILL
    size = path.stat().st_size
    with open_record(path, create=False) as record:
        assert record.purge(NOW, NOW) == 0, "the rows were removed before"
        assert record.verify().broken is None
    assert path.stat().st_size < size
    assert SAID.encode() not in folder_bytes(path)


def rows_of(path: Path) -> list[Row]:
    with open_record(path, create=False) as record:
        return list(record.read())


def test_a_reader_that_blocks_the_rewriting_is_reported_and_the_next_purge_rewrites(path: Path) -> None:
    fill(path, range(-30, 0))
    with open_record(path) as record, closing(sqlite3.connect(path, isolation_level=None)) as reader:

        def start_reading(statement: str) -> None:
            if statement == "VACUUM":
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM events").fetchone()

        driver = connection_of(record).connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA busy_timeout = 20")
        driver.set_trace_callback(start_reading)
        with pytest.raises(
            RecordError, match=r"its traces stay in the file until the next purge, because .* locked by another"
        ):
            record.purge(NOW, NOW)
        driver.set_trace_callback(None)
        reader.execute("ROLLBACK")
        assert record.purge(NOW, NOW) == 0
    assert SAID.encode() not in folder_bytes(path)
