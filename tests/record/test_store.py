"""The record: what is appended is what is read, in the file's right mode and with the right rights."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store_cases import (
    DAY,
    NOW,
    PER_VISIT,
    ROOT,
    connection_of,
    live,
    raw,
    recorded_as,
    run_child,
    visit_events,
)

from counter_listener.domain.types import Event
from counter_listener.record.migrations import upgrade
from counter_listener.record.rows import RecordingRow, Row
from counter_listener.record.store import Record, open_record
from counter_listener.record.store_schema import GUARDS, SCHEMAS

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(["visit_opened", "phrase", "forbidden", "rule", "visit_closed", "gap", "error"]),
    at=NUMBERS,
    visit=st.none() | st.integers(min_value=1),
    stage=st.none() | WORDS,
    step=st.none() | WORDS,
    phrase=st.none() | WORDS,
    verdict=st.none() | st.sampled_from(["heard", "not_heard", "unknown", "forbidden", "broken"]),
    score=st.none() | NUMBERS,
    heard=st.none() | WORDS,
    detail=st.dictionaries(WORDS, JSON, max_size=3),
)
numbers = itertools.count(1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record that grows from example to example."""
    return tmp_path_factory.mktemp("grown") / "record.db"


def as_event(row: Row) -> Event:
    visit = None if row.visit is None else int(row.visit.removeprefix(f"{row.stream}-"))
    told = {name: getattr(row, name) for name in ("kind", "at", "stage", "step", "phrase", "verdict", "score", "heard")}
    return Event(visit=visit, detail=json.loads(row.detail), **told)


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_any_event_comes_back_as_it_was_appended(grown: Path, events: list[Event]) -> None:
    stream = f"live-{next(numbers)}"
    with open_record(str(grown)) as store:
        assert store.append(iter(events), live(stream), NOW) == len(events)
        rows = [row for row in store.read() if row.stream == stream]
        assert [as_event(row) for row in rows] == events
        assert [row.uid for row in rows] == [f"{stream}:{n}" for n in range(1, len(events) + 1)]
        assert store.verify().broken is None


def test_a_row_tells_where_when_and_by_what(path: Path) -> None:
    east = timezone(timedelta(hours=8))
    with open_record(f"sqlite:///{path}") as store:
        store.append(visit_events(2), live(started=datetime(2024, 5, 20, 17, 30, tzinfo=east)), NOW)
        store.append([Event("gap", 200.0)], live(), NOW + DAY)
        _, hit, _, gap = store.read()
    assert (hit.seq, hit.uid, hit.visit) == (2, "live-1:2", "live-1-2")
    assert hit.wall == "2024-05-20T09:32:01.000000+00:00"
    assert (hit.counter, hit.source, hit.phrases, hit.phrases_hash) == ("3", "live", "银行柜面", "c0ffee")
    assert (hit.model, hit.detail) == ("counter-cn", '{"wording": "您好"}')
    assert (gap.uid, gap.visit, gap.recorded) == ("live-1:4", None, "2024-05-21T09:30:00.000000+00:00")


def test_an_unknown_start_or_one_past_the_calendar_leaves_the_wall_time_empty(path: Path) -> None:
    last = datetime.max.replace(tzinfo=NOW.tzinfo)
    with open_record(path) as store:
        store.append(visit_events(1), live("live-1", None), NOW)
        store.append(visit_events(1), live("live-2", last), NOW)
        assert {row.wall for row in store.read()} == {None}


def test_reading_filters_by_visit_phrase_verdict_and_time(path: Path) -> None:
    with open_record(path) as store:
        for number in (1, 2):
            store.append(visit_events(1), live(f"live-{number}", NOW + number * DAY), NOW)
        store.append([Event("phrase", 5.0, 1, phrase="bye", verdict="not_heard")], live("live-3", None), NOW)

        def found(**wanted: object) -> list[int]:
            return [row.seq for row in store.read(**wanted)]  # type: ignore[arg-type]

        assert found() == [1, 2, 3, 4, 5, 6, 7]
        assert found(visit="live-2-1") == [4, 5, 6]
        assert found(phrase="hello") == [2, 5]
        assert found(verdict="not_heard") == [7]
        assert found(since=NOW + 2 * DAY) == [4, 5, 6]
        assert found(since=NOW, phrase="bye") == [7], "where no wall time is known, the time of recording counts"
        assert found(phrase="\udcff") == [], "bytes that are no text match nothing"


def test_many_pages_are_read_in_order_while_the_same_store_appends(path: Path) -> None:
    with open_record(path) as store:
        store.append([Event("gap", float(n)) for n in range(1200)], live(), NOW)
        rows = store.read()
        assert next(rows).seq == 1
        store.append(visit_events(1), live(), NOW)
        assert [row.seq for row in rows] == list(range(2, 1204))


def test_adding_a_recording_twice_adds_nothing(path: Path) -> None:
    recording, origin = recorded_as(7)
    with open_record(path) as store:
        assert not store.knows(recording.sha256)
        assert store.add_recording(recording, visit_events(1), origin, NOW)
        before = list(store.read())
        assert store.knows(recording.sha256)
        assert not store.add_recording(replace(recording, path="/elsewhere.wav"), visit_events(1), origin, NOW)
        assert list(store.read()) == before
        assert len(before) == 3


def test_what_is_written_together_is_there_when_the_block_ends_or_not_at_all(path: Path) -> None:
    def add(store: Record, *numbers: int) -> None:
        for number in numbers:
            recording, origin = recorded_as(number)
            if number < 0:
                raise ValueError("another fault")
            assert store.add_recording(recording, visit_events(number), origin, NOW)

    with open_record(path) as store:
        with store.together():
            add(store, 1, 2)
            with open_record(path, create=False) as other:
                assert list(other.recordings()) == []
        with pytest.raises(ValueError, match="another"), store.together():
            add(store, 3, -1)
        assert [row.sha256 for row in store.recordings()] == [recorded_as(number)[0].sha256 for number in (1, 2)]
        add(store, 3)
        assert (store.verify().rows, store.verify().broken) == (3 * (PER_VISIT + 1), None)


@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.integers(1, 5), max_size=12))
def test_invariant_4_each_recording_is_recorded_once_however_often_it_is_checked(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    path = tmp_path_factory.mktemp("often") / "record.db"
    for number in numbers:
        with open_record(path) as store:
            recording, origin = recorded_as(number)
            store.add_recording(recording, visit_events(number), origin, NOW)
    with open_record(path) as store:
        streams = [row.stream for row in store.read()]
        assert streams == [recorded_as(n)[1].stream for n in dict.fromkeys(numbers) for _ in range(PER_VISIT)]
        assert store.verify().broken is None


def test_a_recording_without_events_is_known_too(path: Path) -> None:
    recording, origin = recorded_as(8, None)
    with open_record(path) as store:
        assert store.add_recording(replace(recording, path="/\udcff.wav"), [], origin, NOW)
        assert store.knows(recording.sha256)
        assert store.verify().rows == 1


def test_times_without_a_zone_and_numbers_without_end_are_refused(path: Path) -> None:
    naive = NOW.replace(tzinfo=None)
    recording, origin = recorded_as(9)
    with open_record(path) as store:
        for wrong in (
            lambda: store.append(visit_events(1), live(), naive),
            lambda: store.append(visit_events(1), live(started=naive), NOW),
            lambda: store.append([Event("gap", float("nan"))], live(), NOW),
            lambda: store.append([Event("gap", 0.0, detail={"seconds": float("inf")})], live(), NOW),
            lambda: store.add_recording(recording, [], replace(origin, started=naive), NOW),
            lambda: store.add_recording(recording, [], live(), NOW),
            lambda: store.read(since=naive),
            lambda: store.purge(naive, NOW),
        ):
            with pytest.raises(ValueError, match=r"time zone|cannot be kept|not JSON|not this recording"):
                wrong()
        assert store.append([], live(), NOW) == 0
        assert list(store.read()) == []


def test_the_live_connection_is_in_the_mode_that_survives_a_power_cut(path: Path) -> None:
    with open_record(path) as store, connection_of(store).begin():
        asked = {
            name: connection_of(store).exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "busy_timeout")
        }
    assert asked == {"journal_mode": "delete", "synchronous": 2, "secure_delete": 1, "busy_timeout": 5000}


@pytest.mark.skipif(os.name != "posix", reason="rights are of POSIX")
@pytest.mark.parametrize("mask", [0, 0o777])
def test_the_file_and_the_folders_made_for_it_are_their_owners_alone(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "made" / "here" / "record.db"
    before = os.umask(mask)
    try:
        with open_record(path) as store:
            store.backup(path.parent / "backup.db")
    finally:
        os.umask(before)
    rights = [
        each.stat().st_mode & 0o777 for each in (path.parent.parent, path.parent, path, path.parent / "backup.db")
    ]
    assert rights == [0o700, 0o700, 0o600, 0o600]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET verdict = 'heard'",
        "DELETE FROM events WHERE seq = 3",
        "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 3",
        "UPDATE recordings SET path = ''",
        "DELETE FROM recordings",
        "REPLACE INTO recordings SELECT 99, sha256, path, seconds, started, counter, recorded, chain FROM recordings",
    ],
)
def test_the_guards_refuse_every_change(path: Path, statement: str) -> None:
    recording, origin = recorded_as(1)
    with open_record(path) as store:
        store.add_recording(recording, visit_events(1), origin, NOW)
        with pytest.raises(sqlite3.IntegrityError, match="the record is append-only"):
            raw(path, statement)
        assert store.verify().rows == 4


def test_a_backup_holds_every_row_while_others_write(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies.db"
    with open_record(path) as writer, open_record(path) as other:
        writer.append(visit_events(1), live(), NOW)
        with connection_of(writer).begin():
            connection_of(writer).exec_driver_sql("BEGIN IMMEDIATE")
            other.backup(copy)
        writer.append(visit_events(2), live(), NOW)
        rows = list(writer.read())
    with open_record(copy, create=False) as restored:
        assert list(restored.read()) == rows[:3]
        assert restored.verify().broken is None
        assert restored.append(visit_events(2), live(), NOW) == 3
        assert list(restored.read()) == rows
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copies.db", "record.db"]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_a_record_and_its_backup_may_lie_under_a_name_that_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff ?#%20'")
    with open_record(folder / "record.db") as store:
        store.append(visit_events(1), live(), NOW)
        store.backup(folder / "backup.db")
    with open_record(folder / "backup.db", create=False) as restored:
        assert len(list(restored.read())) == 3


def test_a_record_is_made_and_opened_without_alembic(path: Path) -> None:
    for _ in ("new", "ready"):
        assert run_child("modules", path) == (0, '["sqlalchemy"]\n')


def test_a_new_record_is_what_the_migrations_make(path: Path, tmp_path: Path) -> None:
    with open_record(path):
        pass
    migrated = sa.create_engine(f"sqlite:///{tmp_path / 'migrated.db'}", poolclass=sa.NullPool)
    with migrated.begin() as connection:
        upgrade(connection)
    assert schema_of(tmp_path / "migrated.db") == schema_of(path)


def schema_of(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return [tuple(str(cell).strip() for cell in row) for row in (*made, *version)]


def test_the_chain_and_the_rows_need_no_database() -> None:
    program = "import sys, counter_listener.chain, counter_listener.record; sys.exit('sqlalchemy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_schema_is_the_one_the_program_expects(path: Path) -> None:
    migrations = Config()
    migrations.set_main_option("script_location", str(ROOT / "counter_listener" / "migrations"))
    assert [each.revision for each in ScriptDirectory.from_config(migrations).walk_revisions()][::-1] == [*SCHEMAS]
    with open_record(path), closing(sqlite3.connect(path)) as connection:
        for table, row in (("events", Row), ("recordings", RecordingRow)):
            columns = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            assert columns == [field.name for field in fields(row)]
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert {name for (name,) in triggers} == GUARDS


def test_a_record_of_the_first_schema_opens_verifies_and_grows(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "fixtures" / "record-0001.sql").read_text("utf-8"))
    with open_record(path, create=False) as store:
        assert_first_schema(store)
        store.append(visit_events(3), live("live-2"), NOW)
        assert store.verify().broken is None


def test_a_guard_that_an_older_record_lacks_is_told_of_and_not_put_back(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "fixtures" / "record-0001.sql").read_text("utf-8"))
        connection.execute("DROP TRIGGER events_no_replace")
    with open_record(path, create=False) as store:
        assert "events_no_replace" in str(store.verify().broken)


def assert_first_schema(store: Record) -> None:
    found = store.verify()
    assert (found.rows, found.broken) == (5, None)
    assert found.head == "0ec61e2107bbf91ba61e8f6759ec6064c462b1c749fccfe298a83da4a535da2a"
    assert [row.uid for row in store.read()] == ["live-1:4", "live-1:5", "live-1:6", "purge:1"]
    assert store.knows(recorded_as(2)[0].sha256)


def test_a_copied_file_is_whole(path: Path, tmp_path: Path) -> None:
    with open_record(path) as store:
        store.append(visit_events(1), live(), NOW)
        shutil.copy(path, tmp_path / "copy.db")
    with open_record(tmp_path / "copy.db") as copied:
        assert copied.verify().rows == 3
