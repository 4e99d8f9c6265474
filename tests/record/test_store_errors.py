"""Whatever a user does to the record's file, the answer is one sentence, and what was written stays whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.store_cases import NOW, connection_of, live, raw, recorded_as, visit_events

from counter_listener.domain.errors import RecordError
from counter_listener.record import store as store_module
from counter_listener.record.store import Record, open_record

if TYPE_CHECKING:
    from collections.abc import Iterator

POSIX = pytest.mark.skipif(os.name != "posix", reason="rights are of POSIX")
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of one visit."""
    path = tmp_path / "record.db"
    with open_record(path) as store:
        store.append(visit_events(1), live(), NOW)
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that can be reached by everyone, as pytest's cannot."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@contextmanager
def as_a_mere_user() -> Iterator[None]:
    """The administrator may do everything, and would see no error."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def says(*words: str) -> Iterator[None]:
    """Expect a StoreError of one sentence, on one line, that holds these words."""
    with pytest.raises(RecordError) as caught:
        yield
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def set_pragma(store: Record, pragma: str) -> None:
    with connection_of(store).begin():
        connection_of(store).exec_driver_sql(f"PRAGMA {pragma}")


def pages(store: Record) -> int:
    with connection_of(store).begin():
        return int(connection_of(store).exec_driver_sql("PRAGMA page_count").scalar_one())


@pytest.mark.parametrize("content", [b"not a database, " * 300, b"SQLite format 3\0" + b"\xff" * 5000, b"x"])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    for create in (True, False):
        with says(str(path)), open_record(path, create=create):
            pass
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "places.db"
    raw(path, "CREATE TABLE places (name TEXT)")
    with says(str(path), "some other program"), open_record(path):
        pass


def test_a_folder(tmp_path: Path) -> None:
    for given in (str(tmp_path), f"sqlite:///{tmp_path}"):
        with says(str(tmp_path), "is a folder"), open_record(given):
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
def test_an_address_that_names_no_file(url: str) -> None:
    with pytest.raises(RecordError) as caught, open_record(url):
        pass
    assert "secret" not in str(caught.value)


def test_a_relative_address(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    for given in ("record.db", "sqlite:///record.db"):
        with open_record(given, create=False) as store:
            assert len(list(store.read())) == 3


def test_a_missing_or_empty_file_is_not_made_where_one_is_only_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "none" / "record.db"
    with says(str(path), "does not exist"), open_record(path, create=False):
        pass
    assert not path.parent.exists()
    empty = tmp_path / "empty.db"
    empty.touch()
    with says(str(empty), "no record yet"), open_record(empty, create=False):
        pass
    with open_record(empty) as store:
        assert list(store.read()) == []


def test_a_schema_newer_than_this_program(path: Path) -> None:
    raw(path, "UPDATE alembic_version SET version_num = '9999'")
    with says(str(path), "newer version", "9999"), open_record(path):
        pass


@POSIX
def test_a_record_without_the_right_to_read_it(folder: Path) -> None:
    path = folder / "record.db"
    with open_record(path):
        pass
    path.chmod(0o000)
    with as_a_mere_user(), says(str(path), "cannot be opened"), open_record(path):
        pass


@POSIX
def test_a_folder_without_the_right_to_write(folder: Path) -> None:
    folder.chmod(0o555)
    for path in (folder / "record.db", folder / "deeper" / "record.db"):
        with as_a_mere_user(), says(str(path), "Permission denied"), open_record(path):
            pass


@POSIX
def test_a_read_only_record_can_be_read_but_not_written(folder: Path) -> None:
    path = folder / "record.db"
    with open_record(path) as store:
        store.append(visit_events(1), live(), NOW)
    path.chmod(0o444)
    folder.chmod(0o555)
    recording, origin = recorded_as(1)
    with as_a_mere_user(), open_record(path) as store:
        assert len(list(store.read())) == 3
        assert store.verify().broken is None
        with says(str(path), "read-only"):
            store.append(visit_events(2), live(), NOW)
        with says(str(path), "read-only"):
            store.add_recording(recording, [], origin, NOW)
        with says(str(path), "read-only"):
            store.purge(NOW + timedelta(days=9), NOW)
        with says(str(folder / "backup.db"), "Permission denied"):
            store.backup(folder / "backup.db")


@POSIX
def test_a_file_where_a_folder_should_be(path: Path) -> None:
    with says(str(path), "Not a directory"), open_record(path / "record.db"):
        pass


@pytest.mark.parametrize("room", range(8))
def test_a_full_disk_leaves_no_half_written_transaction_and_appending_goes_on_when_there_is_room(
    path: Path, room: int
) -> None:
    recording, origin = recorded_as(1)
    with open_record(path) as store:
        set_pragma(store, f"max_page_count = {pages(store) + room}")
        with says(str(path), "no room"):
            store.add_recording(recording, [*visit_events(1)] * 200, origin, NOW)
        assert not store.knows(recording.sha256)
        assert store.verify().rows == 3
        assert store.verify().broken is None
        set_pragma(store, "max_page_count = 1000000")
        assert store.add_recording(recording, visit_events(1), origin, NOW)
        assert (store.verify().rows, store.verify().broken) == (7, None)


def test_a_full_disk_met_while_appending_one_visit_after_the_other(path: Path) -> None:
    with open_record(path) as store:
        set_pragma(store, f"max_page_count = {pages(store) + 3}")
        acknowledged = 3
        with says(str(path), "no room"):
            for visit in range(2, 1000):
                acknowledged += store.append(visit_events(visit), live(), NOW)
        assert store.verify().rows == acknowledged > 3
        set_pragma(store, "max_page_count = 1000000")
        assert store.append(visit_events(1000), live(), NOW) == 3
        assert [row.uid for row in store.read()] == [f"live-1:{n}" for n in range(1, acknowledged + 4)]


def test_a_record_locked_for_longer_than_the_timeout(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "TIMEOUT", 0.02)
    with open_record(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with says(str(path), "held by another program"):
            store.append(visit_events(2), live(), NOW)
        with says(str(path), "held by another program"):
            list(store.read())
        with says(str(path), "held by another program"), open_record(path):
            pass
        other.execute("COMMIT")
        assert store.append(visit_events(2), live(), NOW) == 3


def test_a_reader_that_holds_up_the_commit_leaves_nothing_written_and_the_retry_works(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "TIMEOUT", 0.02)
    with open_record(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchone()
        with says(str(path), "held by another program"):
            store.append(visit_events(2), live(), NOW)
        reader.execute("ROLLBACK")
        assert len(list(store.read())) == 3
        assert store.append(visit_events(2), live(), NOW) == 3
        assert (store.verify().rows, store.verify().broken) == (6, None)


def test_a_backup_refuses_a_name_that_is_taken_and_leaves_no_scraps(path: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("precious")
    with open_record(path) as store:
        with says(str(taken), "exists already"):
            store.backup(taken)
        with says(str(path), "exists already"):
            store.backup(path)
        with says("nowhere", "No such file or directory"):
            store.backup(tmp_path / "nowhere" / "backup.db")
    assert taken.read_text() == "precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["record.db", "taken.db"]


def test_a_backup_that_fails_half_way_leaves_no_scraps(path: Path, tmp_path: Path) -> None:
    with open_record(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        set_pragma(store, "busy_timeout = 20")
        other.execute("BEGIN EXCLUSIVE")
        with says(str(path), "copy.db", "held by another program"):
            store.backup(tmp_path / "copy.db")
    assert [each.name for each in tmp_path.iterdir()] == ["record.db"]
