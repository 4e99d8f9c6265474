"""A purge takes whole visits, tells of itself, leaves no byte behind, and leaves the guards standing."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.store_cases import DAY, NOW, connection_of, live, raw, recorded_as, run_child, visit_events

from counter_listener.domain.errors import RecordError
from counter_listener.domain.types import Event
from counter_listener.record.rows import Row
from counter_listener.record.store import Record, open_record

if TYPE_CHECKING:
    from pathlib import Path

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
    """A visit of a recording on each day after NOW; the recordings are written down on the same day."""
    with open_record(path) as store:
        for day in days:
            recording, origin = recorded_as(day + 1000, NOW + day * DAY)
            store.add_recording(recording, visit_events(1, f"{SAID}{day:+d}"), origin, NOW + day * DAY)


def bytes_beside(path: Path) -> bytes:
    """Every byte in the record's folder."""
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_what_was_purged_is_in_no_byte_of_the_file(path: Path) -> None:
    fill(path, range(-80, 5))
    assert f"{SAID}-80".encode() in bytes_beside(path)
    with open_record(path) as store:
        assert store.purge(NOW, NOW) == 80 * 4
        assert len(list(store.read())) == 5 * 3 + 1
    left = bytes_beside(path)
    assert not [day for day in range(-80, 0) if f"{SAID}{day:+d}".encode() in left]
    assert f"{recorded_as(950)[0].path}".encode() not in left
    assert f"{SAID}+4".encode() in left


def test_a_purge_tells_of_itself_and_the_chain_goes_on_across_it(path: Path) -> None:
    fill(path, range(-4, 4))
    with open_record(path) as store:
        assert store.purge(NOW - 2 * DAY, NOW) == 8
        assert store.verify().broken is None
        assert store.purge(NOW - 2 * DAY, NOW) == 0
        assert store.purge(NOW, NOW) == 8
        store.append(visit_events(9), live(), NOW)
        found = store.verify()
        assert (found.rows, found.broken) == (4 * 4 + 2 + 3, None)
        first, second = [row for row in store.read() if row.kind == "purge"]
    assert (first.uid, first.visit, first.verdict, second.uid) == ("purge:1", None, None, "purge:2")
    told = json.loads(first.detail)
    assert (told["before"], told["rows"]) == ("2024-05-18T09:30:00.000000+00:00", 8)
    assert [run[:2] for run in told["runs"]] == [[1, 8]]
    assert [run[:2] for run in json.loads(second.detail)["runs"]] == [[9, 16]]


def test_a_purge_of_nothing_changes_no_byte(path: Path) -> None:
    fill(path, range(3))
    before = path.read_bytes()
    with open_record(path) as store:
        assert store.purge(NOW, NOW + DAY) == 0
    assert path.read_bytes() == before


def test_a_visit_goes_whole_once_its_last_event_is_old_enough(path: Path) -> None:
    with open_record(path) as store:
        store.append(visit_events(1), live("live-1", NOW - timedelta(seconds=75)), NOW)
        store.append([Event("gap", 0.0), Event("gap", 80.0)], live("live-1", NOW - timedelta(seconds=75)), NOW)
        assert store.purge(NOW, NOW) == 1, "only the first gap is old and belongs to no visit"
        assert [row.uid for row in store.read()] == ["live-1:1", "live-1:2", "live-1:3", "live-1:5", "purge:1"]
        assert store.purge(NOW + timedelta(seconds=4.9), NOW) == 0
        assert store.purge(NOW + timedelta(seconds=15), NOW) == 1, "the visit's last event is not before this moment"
        assert store.purge(NOW + timedelta(seconds=15.1), NOW) == 3
        store.append([Event("gap", 90.0)], live("live-1", NOW), NOW)
        assert store.verify().broken is None


def test_where_no_wall_time_is_known_the_time_of_recording_counts(path: Path) -> None:
    with open_record(path) as store:
        for number, recorded in enumerate((NOW - DAY, NOW + DAY)):
            recording, origin = recorded_as(number, None)
            store.add_recording(recording, visit_events(1), origin, recorded)
        assert store.purge(NOW, NOW) == 4
        assert not store.knows(recorded_as(0)[0].sha256)
        assert store.knows(recorded_as(1)[0].sha256)


def test_a_recording_stays_known_while_it_is_newly_written_down_or_has_events_left(path: Path) -> None:
    late, late_origin = recorded_as(1, NOW - 9 * DAY)
    half, half_origin = recorded_as(2, NOW - DAY)
    with open_record(path) as store:
        store.add_recording(late, visit_events(1), late_origin, NOW + DAY)
        store.add_recording(half, [*visit_events(1), *visit_events(2000)], half_origin, NOW - DAY)
        assert store.purge(NOW, NOW) == 6
        assert store.knows(late.sha256)
        assert store.knows(half.sha256)
        assert not store.add_recording(late, visit_events(1), late_origin, NOW)
        assert store.purge(NOW + 9 * DAY, NOW) == 5
        assert store.add_recording(late, visit_events(1), late_origin, NOW), "forgotten for good, so it can be new"
        assert store.verify().broken is None


def test_a_purge_at_a_time_without_a_zone_removes_nothing(path: Path) -> None:
    fill(path, range(-2, 0))
    with open_record(path) as store:
        with pytest.raises(ValueError, match="time zone"):
            store.purge(NOW, NOW.replace(tzinfo=None))
        assert len(list(store.read())) == 6


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=8),
    st.lists(st.integers(-1, 11), min_size=1, max_size=3),
)
def test_any_purges_leave_whole_visits_and_a_whole_chain(
    empty: Path, path: Path, visits: list[tuple[int, bool]], purges: list[int]
) -> None:
    shutil.copy(empty, path)
    with open_record(path) as store:
        for number, (day, dated) in enumerate(visits):
            when = NOW + day * DAY
            store.append(visit_events(1), live(f"live-{number}", when if dated else None), when)
        for day in purges:
            store.purge(NOW + (day + 0.5) * DAY, NOW)
            assert store.verify().broken is None
        left = {f"live-{number}-1" for number, (day, _) in enumerate(visits) if day > max(purges)}
        assert counted(store) == dict.fromkeys(left, 3)


def counted(store: Record) -> dict[str, int]:
    """How many events each visit has left."""
    counts: dict[str, int] = defaultdict(int)
    for row in store.read():
        if row.visit:
            counts[row.visit] += 1
    return counts


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with")
@pytest.mark.parametrize("at", ["INSERT OR FAIL INTO events", "CREATE TRIGGER", "COMMIT"])
def test_a_purge_that_is_killed_leaves_everything_as_it_was(path: Path, at: str) -> None:
    fill(path, range(-30, 0))
    before = rows_of(path)
    code, _ = run_child("die_in_purge", path, at)
    assert code == -signal.SIGKILL
    for statement in ("DELETE FROM events", "DELETE FROM recordings", "UPDATE events SET heard = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw(path, statement)
    assert rows_of(path) == before
    with open_record(path, create=False) as store:
        assert store.verify().broken is None
        assert store.purge(NOW, NOW) == 120


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with")
def test_a_purge_killed_before_the_file_is_rewritten_is_finished_by_the_next(path: Path) -> None:
    fill(path, range(-30, 0))
    code, _ = run_child("die_in_purge", path, "VACUUM")
    assert code == -signal.SIGKILL
    size = path.stat().st_size
    with open_record(path, create=False) as store:
        assert store.purge(NOW, NOW) == 0, "the rows went before"
        assert store.verify().broken is None
    assert path.stat().st_size < size
    assert SAID.encode() not in bytes_beside(path)


def rows_of(path: Path) -> list[Row]:
    with open_record(path, create=False) as store:
        return list(store.read())


def test_a_reader_in_the_way_of_the_rewriting_is_told_and_the_next_purge_does_it(path: Path) -> None:
    fill(path, range(-30, 0))
    with open_record(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:

        def come_in_between(statement: str) -> None:
            if statement == "VACUUM":
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM events").fetchone()

        driver = connection_of(store).connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA busy_timeout = 20")
        driver.set_trace_callback(come_in_between)
        with pytest.raises(RecordError, match=r"its traces stay until the next one, because .* held by another"):
            store.purge(NOW, NOW)
        driver.set_trace_callback(None)
        reader.execute("ROLLBACK")
        assert store.purge(NOW, NOW) == 0
    assert SAID.encode() not in bytes_beside(path)
