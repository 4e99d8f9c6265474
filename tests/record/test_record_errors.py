"""Whatever happens to the file of a record, the error is one sentence, and what was written stays complete."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from support.record_cases import NOW, connection_of, live, raw, recorded_as, visit_events

from counter_listener.domain.errors import RecordError
from counter_listener.record import sqlite
from counter_listener.record.store import Record, open_record

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of one visit."""
    path = tmp_path / "record.db"
    with open_record(path) as record:
        record.append(visit_events(1), live(), NOW)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach; the folders of pytest are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Runs the block without the rights of an administrator, who would see no error."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def raises(*words: str) -> Iterator[None]:
    """Expects a RecordError of one sentence, on one line, that contains these words."""
    with pytest.raises(RecordError) as caught:
        yield
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def set_pragma(record: Record, pragma: str) -> None:
    with connection_of(record).begin():
        connection_of(record).exec_driver_sql(f"PRAGMA {pragma}")


def pages(record: Record) -> int:
    with connection_of(record).begin():
        return int(connection_of(record).exec_driver_sql("PRAGMA page_count").scalar_one())


@pytest.mark.parametrize("content", [b"not a database, " * 300, b"SQLite format 3\0" + b"\xff" * 5000, b"x"])
def test_a_file_that_is_not_a_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    for create in (True, False):
        with raises(str(path)), open_record(path, create=create):
            pass
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "places.db"
    raw(path, "CREATE TABLE places (name TEXT)")
    with raises(str(path), "another program"), open_record(path):
        pass


def test_a_folder(tmp_path: Path) -> None:
    for given in (str(tmp_path), f"sqlite:///{tmp_path}"):
        with raises(str(tmp_path), "is a folder"), open_record(given):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:secret@host/db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///x?mode=ro",
        "a\0b",
    ],
)
def test_a_url_that_names_no_file(url: str) -> None:
    with pytest.raises(RecordError) as caught, open_record(url):
        pass
    assert "secret" not in str(caught.value)


def test_a_relative_path(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    for given in ("record.db", "sqlite:///record.db"):
        with open_record(given, create=False) as record:
            assert len(list(record.read())) == 3


def test_a_missing_or_empty_file_is_not_created_for_reading(tmp_path: Path) -> None:
    path = tmp_path / "none" / "record.db"
    with raises(str(path), "does not exist"), open_record(path, create=False):
        pass
    assert not path.parent.exists()
    empty = tmp_path / "empty.db"
    empty.touch()
    with raises(str(empty), "no record yet"), open_record(empty, create=False):
        pass
    with open_record(empty) as record:
        assert list(record.read()) == []


def test_a_schema_newer_than_this_program(path: Path) -> None:
    raw(path, "UPDATE alembic_version SET version_num = '9999'")
    with raises(str(path), "newer version", "9999"), open_record(path):
        pass


@POSIX
def test_a_record_without_read_permission(folder: Path) -> None:
    path = folder / "record.db"
    with open_record(path):
        pass
    path.chmod(0o000)
    with as_ordinary_user(), raises(str(path), "cannot be opened"), open_record(path):
        pass


@POSIX
def test_a_folder_without_write_permission(folder: Path) -> None:
    folder.chmod(0o555)
    for path in (folder / "record.db", folder / "deeper" / "record.db"):
        with as_ordinary_user(), raises(str(path), "Permission denied"), open_record(path):
            pass


@POSIX
def test_a_read_only_record_can_be_read_but_not_written(folder: Path) -> None:
    path = folder / "record.db"
    with open_record(path) as record:
        record.append(visit_events(1), live(), NOW)
    path.chmod(0o444)
    folder.chmod(0o555)
    recording, origin = recorded_as(1)
    with as_ordinary_user(), open_record(path) as record:
        assert len(list(record.read())) == 3
        assert record.verify().broken is None
        with raises(str(path), "read-only"):
            record.append(visit_events(2), live(), NOW)
        with raises(str(path), "read-only"):
            record.add_recording(recording, [], origin, NOW)
        with raises(str(path), "read-only"):
            record.purge(NOW + timedelta(days=9), NOW)
        with raises(str(folder / "backup.db"), "Permission denied"):
            record.backup(folder / "backup.db")


@POSIX
def test_a_file_in_place_of_a_folder(path: Path) -> None:
    with raises(str(path), "Not a directory"), open_record(path / "record.db"):
        pass


@pytest.mark.parametrize("room", range(8))
def test_a_full_disk_leaves_no_partial_transaction_and_appending_continues_when_there_is_room(
    path: Path, room: int
) -> None:
    recording, origin = recorded_as(1)
    with open_record(path) as record:
        set_pragma(record, f"max_page_count = {pages(record) + room}")
        with raises(str(path), "no room left"):
            record.add_recording(recording, [*visit_events(1)] * 200, origin, NOW)
        assert record.latest_judgement(recording.sha256) is None
        assert record.verify().rows == 3
        assert record.verify().broken is None
        set_pragma(record, "max_page_count = 1000000")
        assert record.add_recording(recording, visit_events(1), origin, NOW)
        assert (record.verify().rows, record.verify().broken) == (7, None)


def test_a_disk_that_becomes_full_while_visits_are_appended(path: Path) -> None:
    with open_record(path) as record:
        set_pragma(record, f"max_page_count = {pages(record) + 3}")
        acknowledged = 3
        with raises(str(path), "no room left"):
            for visit in range(2, 1000):
                acknowledged += record.append(visit_events(visit), live(), NOW)
        assert record.verify().rows == acknowledged > 3
        set_pragma(record, "max_page_count = 1000000")
        assert record.append(visit_events(1000), live(), NOW) == 3
        assert [row.uid for row in record.read()] == [f"live-1:{n}" for n in range(1, acknowledged + 4)]


def test_a_record_locked_for_longer_than_the_timeout(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TIMEOUT", 0.02)
    with open_record(path) as record, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with raises(str(path), "locked by another program"):
            record.append(visit_events(2), live(), NOW)
        with raises(str(path), "locked by another program"):
            list(record.read())
        with raises(str(path), "locked by another program"), open_record(path):
            pass
        other.execute("COMMIT")
        assert record.append(visit_events(2), live(), NOW) == 3


def test_a_reader_that_blocks_the_commit_leaves_nothing_written_and_the_retry_works(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TIMEOUT", 0.02)
    with open_record(path) as record, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchone()
        with raises(str(path), "locked by another program"):
            record.append(visit_events(2), live(), NOW)
        reader.execute("ROLLBACK")
        assert len(list(record.read())) == 3
        assert record.append(visit_events(2), live(), NOW) == 3
        assert (record.verify().rows, record.verify().broken) == (6, None)


def test_a_backup_refuses_a_name_that_is_taken_and_leaves_no_temporary_file(path: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("precious")
    with open_record(path) as record:
        with raises(str(taken), "exists already"):
            record.backup(taken)
        with raises(str(path), "exists already"):
            record.backup(path)
        with raises("nowhere", "No such file or directory"):
            record.backup(tmp_path / "nowhere" / "backup.db")
    assert taken.read_text() == "precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["record.db", "taken.db"]


def test_a_backup_that_fails_leaves_no_temporary_file(path: Path, tmp_path: Path) -> None:
    with open_record(path) as record, closing(sqlite3.connect(path, isolation_level=None)) as other:
        set_pragma(record, "busy_timeout = 20")
        other.execute("BEGIN EXCLUSIVE")
        with raises(str(path), "copy.db", "locked by another program"):
            record.backup(tmp_path / "copy.db")
    assert [each.name for each in tmp_path.iterdir()] == ["record.db"]
