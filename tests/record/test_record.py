"""The record: what is appended is what is read; the mode, the permissions and the schema of its file."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
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
from support.record_cases import (
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
from counter_listener.record.rows import RecordingRow, Row, event_from_row
from counter_listener.record.schema import SCHEMAS
from counter_listener.record.store import Record, open_record

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One record for all examples."""
    return tmp_path_factory.mktemp("shared") / "record.db"


@settings(max_examples=25)
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_any_event_is_read_as_it_was_appended(shared: Path, events: list[Event]) -> None:
    stream = f"live-{next(numbers)}"
    with open_record(str(shared)) as record:
        assert record.append(iter(events), live(stream), NOW) == len(events)
        rows = [row for row in record.read() if row.stream == stream]
        assert [event_from_row(row) for row in rows] == events
        assert [row.uid for row in rows] == [f"{stream}:{n}" for n in range(1, len(events) + 1)]
        assert record.verify().broken is None


def test_a_row_holds_place_time_phrase_set_and_model(path: Path) -> None:
    east = timezone(timedelta(hours=8))
    with open_record(f"sqlite:///{path}") as record:
        record.append(visit_events(2), live(started=datetime(2024, 5, 20, 17, 30, tzinfo=east)), NOW)
        record.append([Event("gap", 200.0)], live(), NOW + DAY)
        _, hit, _, gap = record.read()
    assert (hit.seq, hit.uid, hit.visit) == (2, "live-1:2", "live-1-2")
    assert hit.wall == "2024-05-20T09:32:01.000000+00:00"
    assert (hit.counter, hit.source, hit.phrases, hit.phrases_hash) == ("3", "live", "银行柜面", "c0ffee")
    assert (hit.model, hit.detail) == ("counter-cn", '{"wording": "您好"}')
    assert (gap.uid, gap.visit, gap.recorded) == ("live-1:4", None, "2024-05-21T09:30:00.000000+00:00")


def test_an_unknown_start_or_one_at_the_end_of_the_calendar_leaves_the_wall_time_empty(path: Path) -> None:
    last = datetime.max.replace(tzinfo=NOW.tzinfo)
    with open_record(path) as record:
        record.append(visit_events(1), live("live-1", None), NOW)
        record.append(visit_events(1), live("live-2", last), NOW)
        assert {row.wall for row in record.read()} == {None}


def test_reading_filters_by_visit_phrase_verdict_and_time(path: Path) -> None:
    with open_record(path) as record:
        for number in (1, 2):
            record.append(visit_events(1), live(f"live-{number}", NOW + number * DAY), NOW)
        record.append([Event("phrase", 5.0, 1, phrase="bye", verdict="not_heard")], live("live-3", None), NOW)

        def found(**wanted: object) -> list[int]:
            return [row.seq for row in record.read(**wanted)]  # type: ignore[arg-type]

        assert found() == [1, 2, 3, 4, 5, 6, 7]
        assert found(visit="live-2-1") == [4, 5, 6]
        assert found(phrase="hello") == [2, 5]
        assert found(verdict="not_heard") == [7]
        assert found(since=NOW + 2 * DAY) == [4, 5, 6]
        assert found(since=NOW, phrase="bye") == [7], "without a wall time the time of recording counts"
        assert found(phrase="\udcff") == [], "invalid text matches nothing"


def test_many_pages_are_read_in_order_while_the_same_record_appends(path: Path) -> None:
    with open_record(path) as record:
        record.append([Event("gap", float(n)) for n in range(1200)], live(), NOW)
        rows = record.read()
        assert next(rows).seq == 1
        record.append(visit_events(1), live(), NOW)
        assert [row.seq for row in rows] == list(range(2, 1204))


def test_adding_a_recording_twice_adds_nothing(path: Path) -> None:
    recording, origin = recorded_as(7)
    with open_record(path) as record:
        assert record.latest_judgement(recording.sha256) is None
        assert record.add_recording(recording, visit_events(1), origin, NOW)
        before = list(record.read())
        assert record.latest_judgement(recording.sha256)
        assert not record.add_recording(replace(recording, path="/elsewhere.wav"), visit_events(1), origin, NOW)
        assert list(record.read()) == before
        assert len(before) == 3


def test_a_transaction_is_written_completely_or_not_at_all(path: Path) -> None:
    def add(record: Record, *numbers: int) -> None:
        for number in numbers:
            recording, origin = recorded_as(number)
            if number < 0:
                raise ValueError("another fault")
            assert record.add_recording(recording, visit_events(number), origin, NOW)

    with open_record(path) as record:
        with record.transaction():
            add(record, 1, 2)
            with open_record(path, create=False) as other:
                assert list(other.recordings()) == []
        with pytest.raises(ValueError, match="another"), record.transaction():
            add(record, 3, -1)
        assert [row.sha256 for row in record.recordings()] == [recorded_as(number)[0].sha256 for number in (1, 2)]
        add(record, 3)
        assert (record.verify().rows, record.verify().broken) == (3 * (PER_VISIT + 1), None)


@settings(max_examples=20)
@given(numbers=st.lists(st.integers(1, 5), max_size=12))
def test_invariant_4_each_recording_is_recorded_once_however_often_it_is_checked(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
) -> None:
    path = tmp_path_factory.mktemp("often") / "record.db"
    for number in numbers:
        with open_record(path) as record:
            recording, origin = recorded_as(number)
            record.add_recording(recording, visit_events(number), origin, NOW)
    with open_record(path) as record:
        streams = [row.stream for row in record.read()]
        assert streams == [recorded_as(n)[1].stream for n in dict.fromkeys(numbers) for _ in range(PER_VISIT)]
        assert record.verify().broken is None


def test_a_recording_without_events_is_known_too(path: Path) -> None:
    recording, origin = recorded_as(8, None)
    with open_record(path) as record:
        assert record.add_recording(replace(recording, path="/\udcff.wav"), [], origin, NOW)
        assert record.latest_judgement(recording.sha256)
        assert record.verify().rows == 1


def test_times_without_a_zone_and_numbers_that_are_not_finite_are_refused(path: Path) -> None:
    naive = NOW.replace(tzinfo=None)
    recording, origin = recorded_as(9)
    with open_record(path) as record:
        for wrong in (
            lambda: record.append(visit_events(1), live(), naive),
            lambda: record.append(visit_events(1), live(started=naive), NOW),
            lambda: record.append([Event("gap", float("nan"))], live(), NOW),
            lambda: record.append([Event("gap", 0.0, detail={"seconds": float("inf")})], live(), NOW),
            lambda: record.add_recording(recording, [], replace(origin, started=naive), NOW),
            lambda: record.add_recording(recording, [], live(), NOW),
            lambda: record.read(since=naive),
            lambda: record.purge(naive, NOW),
        ):
            with pytest.raises(ValueError, match=r"time zone|cannot be kept|not JSON|not this recording"):
                wrong()
        assert record.append([], live(), NOW) == 0
        assert list(record.read()) == []


def test_the_live_connection_is_in_the_mode_that_survives_a_power_cut(path: Path) -> None:
    with open_record(path) as record, connection_of(record).begin():
        asked = {
            name: connection_of(record).exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "busy_timeout")
        }
    assert asked == {"journal_mode": "delete", "synchronous": 2, "secure_delete": 1, "busy_timeout": 5000}


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
@pytest.mark.parametrize("mask", [0, 0o777])
def test_the_file_and_its_new_folders_are_private_to_the_owner(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "made" / "here" / "record.db"
    before = os.umask(mask)
    try:
        with open_record(path) as record:
            record.backup(path.parent / "backup.db")
    finally:
        os.umask(before)
    modes = [each.stat().st_mode & 0o777 for each in (path.parent.parent, path.parent, path, path.parent / "backup.db")]
    assert modes == [0o700, 0o700, 0o600, 0o600]


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
    with open_record(path) as record:
        record.add_recording(recording, visit_events(1), origin, NOW)
        with pytest.raises(sqlite3.IntegrityError, match="the record is append-only"):
            raw(path, statement)
        assert record.verify().rows == 4


def test_a_backup_is_complete_while_others_write(path: Path, tmp_path: Path) -> None:
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


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")
def test_a_record_and_its_backup_may_have_a_name_that_is_not_valid_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff ?#%20'")
    with open_record(folder / "record.db") as record:
        record.append(visit_events(1), live(), NOW)
        record.backup(folder / "backup.db")
    with open_record(folder / "backup.db", create=False) as restored:
        assert len(list(restored.read())) == 3


def test_a_record_is_created_and_opened_without_alembic(path: Path) -> None:
    for _ in ("new", "ready"):
        assert run_child("modules", path) == (0, '["sqlalchemy"]\n')


def test_a_new_record_has_the_schema_that_the_migrations_make(path: Path, tmp_path: Path) -> None:
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


def test_the_schema_is_the_one_the_program_expects(path: Path) -> None:
    migrations = Config()
    migrations.set_main_option("script_location", str(ROOT / "counter_listener" / "record" / "migrations"))
    assert [each.revision for each in ScriptDirectory.from_config(migrations).walk_revisions()][::-1] == [*SCHEMAS]
    with open_record(path), closing(sqlite3.connect(path)) as connection:
        for table, row in (("events", Row), ("recordings", RecordingRow)):
            columns = [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]
            assert columns == [field.name for field in fields(row)]
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        guards = {
            f"{table}_no_{change}" for table in ("events", "recordings") for change in ("update", "delete", "replace")
        }
        keepers = {f"visits_{change}" for change in ("closed", "reviewed", "replaced", "purged")}
        assert {name for (name,) in triggers} == guards | keepers


def test_a_record_of_the_first_schema_opens_verifies_and_grows(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "fixtures" / "record-0001.sql").read_text("utf-8"))
    with open_record(path, create=False) as record:
        assert_first_schema(record)
        record.append(visit_events(3), live("live-2"), NOW)
        assert record.verify().broken is None


def test_a_guard_that_an_older_record_lacks_is_reported_and_not_restored(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((ROOT / "tests" / "fixtures" / "record-0001.sql").read_text("utf-8"))
        connection.execute("DROP TRIGGER events_no_replace")
    with open_record(path, create=False) as record:
        assert "events_no_replace" in str(record.verify().broken)


def assert_first_schema(record: Record) -> None:
    found = record.verify()
    assert (found.rows, found.broken) == (5, None)
    assert found.tail == "0ec61e2107bbf91ba61e8f6759ec6064c462b1c749fccfe298a83da4a535da2a"
    assert [row.uid for row in record.read()] == ["live-1:4", "live-1:5", "live-1:6", "purge:1"]
    assert record.latest_judgement(recorded_as(2)[0].sha256)


def test_a_copied_file_is_complete(path: Path, tmp_path: Path) -> None:
    with open_record(path) as record:
        record.append(visit_events(1), live(), NOW)
        shutil.copy(path, tmp_path / "copy.db")
    with open_record(tmp_path / "copy.db") as copied:
        assert copied.verify().rows == 3
