"""What only a server can do to a record: be away, be changed behind its back, be used by many at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from itertools import groupby
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.older_records import make_older
from support.postgres import as_administrator, programs, socket_folder, url_of
from support.record_cases import DAY, NOW, PER_VISIT, live, recorded_as, start_child, visit_events
from support.review_cases import add_visit

from counter_listener.cli.app import cli
from counter_listener.domain import RecordError
from counter_listener.record import RecordPool, record_file
from counter_listener.record.chain import Broken
from counter_listener.record.databases import find_database
from counter_listener.record.migrations import upgrade
from counter_listener.record.rows import RecordingRow, Row
from counter_listener.record.store import open_record

GONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"
UNGUARDED = "SET session_replication_role = replica"
"""As it is for somebody with all rights: triggers do nothing, and stay in place."""


@pytest.fixture
def filled(database: str) -> str:
    """A record of two visits of one recording: row 1 is the recording, rows 2 to 7 are its events."""
    recording, origin = recorded_as(1)
    with open_record(url_of(database)) as record:
        record.add_recording(recording, [*visit_events(1), *visit_events(2)], origin, NOW)
    return database


def verified(database: str) -> Broken | None:
    with open_record(url_of(database), create=False) as record:
        return record.verify().broken


@pytest.mark.parametrize(
    ("table", "column"),
    [("events", field.name) for field in fields(Row)] + [("recordings", field.name) for field in fields(RecordingRow)],
)
def test_a_tampered_column_is_found_in_its_row(filled: str, table: str, column: str) -> None:
    numbers = ("seq", "at", "score", "seconds")
    change = f"coalesce({column}, 0) + 90" if column in numbers else f"coalesce({column}, '') || 'x'"
    seq = 3 if table == "events" else 1
    as_administrator(UNGUARDED, f"UPDATE {table} SET {column} = {change} WHERE seq = {seq}", database=filled)  # noqa: S608
    broken = verified(filled)
    assert broken is not None
    assert broken.seq == seq


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM events WHERE seq = 4", "missing"),
        ("DELETE FROM events WHERE seq BETWEEN 3 AND 5", "missing, with all rows up to 5"),
        ("UPDATE events SET seq = -1 WHERE seq = 7", "in a place where no row belongs"),
        ("UPDATE visits SET passed = 1", "not what the table of visits says"),
        ("DELETE FROM visits", "missing in the table of visits"),
        ("UPDATE events SET detail = 'no json' WHERE seq = 7", "changed after it was written"),
        ("DROP TRIGGER events_no_update ON events", "events_no_update were removed"),
        ("ALTER TABLE recordings DISABLE TRIGGER recordings_no_delete", "recordings_no_delete were replaced"),
        (
            "CREATE OR REPLACE FUNCTION refuse_delete() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
            "refuse_delete were replaced",
        ),
        ("CREATE RULE quiet AS ON INSERT TO events DO INSTEAD NOTHING", "quiet were added"),
        ("ALTER TABLE events ALTER heard TYPE VARCHAR", "events.heard were replaced"),
        ("ALTER TABLE events ADD note TEXT", "events.note were added"),
    ],
)
def test_every_change_behind_the_back_of_the_program_is_found(filled: str, statement: str, told: str) -> None:
    assert verified(filled) is None
    as_administrator(UNGUARDED, statement, database=filled)
    broken = verified(filled)
    assert told in broken.wrong.translated(str) if broken else False


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET verdict = 'heard'",
        "DELETE FROM events WHERE seq = 3",
        "TRUNCATE events",
        "INSERT INTO events SELECT * FROM events WHERE seq = 3",
        "INSERT INTO events SELECT * FROM events WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET heard = ''",
        "UPDATE recordings SET path = ''",
        "DELETE FROM recordings",
    ],
)
def test_the_guards_refuse_every_change(filled: str, statement: str) -> None:
    import psycopg

    with pytest.raises(psycopg.Error, match=r"append-only|duplicate key"):
        as_administrator(statement, database=filled)
    assert verified(filled) is None


def test_the_end_that_was_cut_off_is_found_by_the_signature(database: str, tmp_path: Path) -> None:
    with open_record(url_of(database), key_file=tmp_path / "key.pem") as record:
        record.append(visit_events(1), live(), NOW)
    as_administrator(UNGUARDED, "DELETE FROM events WHERE seq = 3", "DELETE FROM visits", database=database)
    assert verified(database) == Broken(
        3, RecordError("missing, with all rows up to {last}, which are signed", last=3).sentence
    )


def test_writers_in_many_programs_build_one_chain(database: str) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(start_child("append", url_of(database), f"live-{n}", 40)) for n in (1, 2, 3)]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
    assert [child.returncode for child in children] == [0, 0, 0]
    with open_record(url_of(database)) as record:
        streams = [row.stream for row in record.read()]
        found = record.verify()
    assert (found.rows, found.broken) == (3 * 40 * PER_VISIT, None)
    assert len(list(groupby(streams))) > 3, "they wrote one after the other"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer is forked")
def test_acknowledged_events_survive_kill_9(database: str) -> None:
    child = start_child("append", url_of(database), "live-1", 100_000)
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    with open_record(url_of(database)) as record:
        while not list(record.read()):
            pass
        child.send_signal(signal.SIGKILL)
        child.communicate()
        rows = list(record.read())
        assert len(rows) % PER_VISIT == 0, "half a transaction was stored"
        record.append(visit_events(1), live("live-2"), NOW)
        assert record.verify().broken is None


def test_a_connection_that_died_is_opened_again(database: str) -> None:
    pool = RecordPool(url_of(database), readers=1)
    with pool.reading() as reader, pool.writing() as writer:
        for number in range(1, 4):
            as_administrator(GONE.format(database))
            assert writer.append(visit_events(number), live(), NOW) == PER_VISIT
            as_administrator(GONE.format(database))
            assert len(list(reader.read())) == number * PER_VISIT
        with pytest.raises(RecordError, match=r"stopped|lost"), writer.transaction():  # noqa: PT012 - what is lost
            writer.append(visit_events(9), live(), NOW)
            as_administrator(GONE.format(database))
            writer.append(visit_events(10), live(), NOW)
        assert writer.append(visit_events(11), live(), NOW) == PER_VISIT
        assert [row.visit for row in reader.read()].count("live-1-9") == 0
        assert writer.verify().broken is None
    pool.close()


def test_threads_of_a_server_write_one_after_the_other(database: str) -> None:
    def write(number: int) -> int:
        with open_record(url_of(database)) as record:
            return sum(record.append(visit_events(visit), live(f"live-{number}"), NOW) for visit in range(1, 6))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(write, range(8))) == 8 * 5 * PER_VISIT
    assert verified(database) is None


def test_a_purge_keeps_no_reader_waiting_and_the_guards_in_place(filled: str) -> None:
    with open_record(url_of(filled)) as record, open_record(url_of(filled)) as other:
        rows = other.read()
        next(rows)
        assert record.purge(NOW + DAY, NOW + DAY) == 7
        assert [row.kind for row in other.read()] == ["purge"]
        assert record.verify().broken is None
    test_the_guards_refuse_every_change(filled, "DELETE FROM events")


SECRET = "tr0ub4dor"  # noqa: S105 - that no message shows


def server_is(word: str) -> str:
    """A URL with a password, and something wrong with it."""
    folder = url_of("x").partition("host=")[2]
    return {
        "no server": f"postgresql://postgres:{SECRET}@/one?host={folder}/nowhere",
        "no port": f"postgresql://postgres:{SECRET}@127.0.0.1:1/one",
        "no database": f"postgresql://postgres:{SECRET}@/no_such?host={folder}",
        "wrong password": f"postgresql://guarded:{SECRET}@/postgres?host={folder}",
        "refused": f"postgresql://stranger:{SECRET}@/postgres?host={folder}",
        "no name": f"postgresql://postgres:{SECRET}@/?host={folder}",
        "nonsense": f"postgresql://postgres:{SECRET}@host:port/one",
    }[word]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("no server", "cannot be reached"),
        ("no port", "cannot be reached"),
        ("no database", "no such database"),
        ("wrong password", "refuses this user"),
        ("refused", "refuses this user"),
        ("no name", "names no database"),
        ("nonsense", "names no database"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_without_the_password(wrong: str, told: str) -> None:
    if wrong == "wrong password" and not as_administrator("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'"):
        as_administrator("CREATE ROLE guarded LOGIN PASSWORD 'another'")
    shown = CliRunner().invoke(cli, ["events", "--store", server_is(wrong)])
    assert shown.exit_code == 4
    assert told in shown.output
    assert SECRET not in shown.output
    assert len(shown.output.splitlines()) == 1
    assert isinstance(shown.exception, SystemExit)


def test_a_database_of_another_program_and_a_newer_schema_are_refused(database: str) -> None:
    as_administrator("UPDATE alembic_version SET version_num = '9999'", database=database)
    with pytest.raises(RecordError, match="newer version"), open_record(url_of(database)):
        pass
    as_administrator("DROP TABLE alembic_version", database=database)
    with pytest.raises(RecordError, match="belongs to another program"), open_record(url_of(database)):
        pass


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RecordError, match=r"counter-listener\[postgres\]"), open_record("postgresql://nowhere/one"):
        pass


def test_a_dump_is_restored_with_its_guards_and_continued(filled: str, tmp_path: Path) -> None:
    """What docs/it.md says of backup and restore."""
    where, found = ("--host", str(socket_folder()), "--username", "postgres"), programs()
    assert found
    tools = (found / "pg_ctl").resolve().parent
    if not (tools / "pg_dump").exists():
        pytest.skip("pg_dump is not installed (Debian: apt install postgresql-client)")
    dump, restored = str(tmp_path / "counters.dump"), f"{filled}_restored"

    def tool(name: str, *words: str) -> None:
        done = subprocess.run([str(tools / name), *where, *words], capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr

    tool("pg_dump", "--format", "custom", "--file", dump, filled)
    tool("createdb", "--encoding", "UTF8", "--template", "template0", restored)
    tool("pg_restore", "--dbname", restored, dump)
    assert verified(restored) is None
    with open_record(url_of(restored), create=False) as record:
        assert record.append(visit_events(3), live("live-1"), NOW) == PER_VISIT
        assert record.verify().broken is None
    as_administrator(f"DROP DATABASE {restored} WITH (FORCE)")


def test_every_command_that_reads_a_record_reads_one_on_a_server(database: str, tmp_path: Path) -> None:
    url = url_of(database)
    with open_record(url) as record:
        add_visit(record, 2)

    def run(*words: object) -> str:
        done = CliRunner().invoke(cli, [*map(str, words), "--store", url])
        assert done.exit_code == 0, done.output
        return done.output

    rows = len(run("events", "--format", "jsonl").splitlines()) + 1
    assert f"{rows} rows; the chain is intact" in run("events", "verify")
    anchor = tmp_path / "anchor.json"
    run("events", "anchor", "--key", tmp_path / "key.pem", "-o", anchor)
    assert "still holds" in run("events", "verify", "--against", anchor)
    assert "visits" in run("report", "--format", "json")
    backup = CliRunner().invoke(cli, ["backup", str(tmp_path / "copy.db"), "--store", url])
    assert (backup.exit_code, "pg_dump" in backup.output) == (4, True)
    assert f"{rows} rows removed" in run("purge", "--before", "2025-01-01", "--yes", "--key", tmp_path / "key.pem")
    assert record_file(url).parent == record_file("postgresql://another/one").parent


ODD = (
    *("", "x", "[]", "[1]", "5", '"opened"', "null", "{}", "{", '{"opened": 1}x'),
    *('{"opened": "12"}', '{"opened": "12 "}', '{"opened": true}', '{"opened": 1e400}', '{"opened": -1.5E+3}'),
    *('{"seconds": 1e99}', '{"seconds": 1e100}', '{"seconds": -0}', '{"seconds": [1, 2]}'),
    *(f'{{"seconds": {"7" * digits}}}' for digits in (200, 201, 400)),
    *(f'{{"seconds": {"7" * digits}.{"5" * 300}e-9}}' for digits in (1, 200, 201)),
    *('{"passed": "true"}', '{"passed": 1}', '{"passed": null}', '{"lost_audio": false, "grade": "优"}'),
    *('{"grade": 5.10}', '{"grade": {"a" : [1]}}', '{"grade": "a\\u0000b"}', '{"other": "\\u0000"}'),
    *('{"grade": "\\ud800"}', '{"grade": "\\u4f18\\n"}', '{"grade": 1, "grade": 2}', ' {"grade" :\n"b"} '),
    *('{"counts": 5}', '{"counts": [1]}', '{"counts": null}', '{"counts": {"heard": "7", "broken": 2.5}}'),
    *('{"counts": {"heard": {"heard": 1}, "unknown": null}}', '{"counts.heard": 3}', '{"counts": "{}"}'),
)
"""Details that the program never writes, and a record that somebody changed may hold."""
CLOSE = """
INSERT INTO events
    (seq, uid, stream, visit, wall, at, kind, detail, source, phrases, phrases_hash, model, recorded, chain)
VALUES (%s, %s, 's', %s, '2026-01-02T03:04:05.678900+00:00', 90.25, 'visit_closed', %s, 'live', '', '', '', '', '')
"""
DERIVED = "SELECT made.* FROM events AS closed, LATERAL visit_of(closed) AS made ORDER BY seq"


def test_a_close_is_read_once_and_says_what_it_said_before(database: str) -> None:
    make_older(url_of(database), "0008")
    with find_database(url_of(database)).open(create=False) as connection, connection.begin():
        connection.exec_driver_sql("ALTER TABLE events DISABLE TRIGGER visits_closed")
        for seq, detail in enumerate(ODD):
            connection.exec_driver_sql(CLOSE, (seq, f"s:{seq}", f"s-{seq}", detail))
        before = connection.exec_driver_sql(DERIVED).all()
        upgrade(connection)
        after = connection.exec_driver_sql(DERIVED).all()
    assert len(before) > len(ODD) / 2
    assert [row[: len(before[0])] for row in after] == [tuple(row) for row in before]


@pytest.mark.parametrize("detail", ["x", '{"seconds": "٣"}', '{"manner": {"level": "٣", "over": 5}}'])
def test_a_close_that_holds_no_figures_is_added_without_them(database: str, detail: str) -> None:
    with open_record(url_of(database)), find_database(url_of(database)).open(create=False) as connection:
        with connection.begin():
            connection.exec_driver_sql(CLOSE, (1, "s:1", "s-1", detail))
        told = connection.exec_driver_sql("SELECT seconds, manner_level FROM visits").all()
    assert [tuple(row) for row in told] == ([] if detail == "x" else [(None, None)])
