"""The record can be trusted: it survives kill -9, writers share one chain, and every change is found."""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import fields, replace
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.record_cases import (
    DAY,
    NOW,
    PER_VISIT,
    connection_of,
    live,
    raw,
    recorded_as,
    run_child,
    start_child,
    unguard,
    visit_events,
)

from counter_listener.domain.errors import RecordError
from counter_listener.domain.messages import sentence
from counter_listener.record import verification
from counter_listener.record.chain import (
    START,
    Broken,
    canonical_rows,
    contiguous_runs,
    follow_chain,
    link,
    linked,
    purge_holes,
)
from counter_listener.record.rows import RecordingRow, Row
from counter_listener.record.store import Record, open_record

VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=5)
TAMPERED = 3
VISITS = 100
"""Of each of two writers: enough that neither of them can write all of its own before the other has begun."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record of two visits of one recording: row 1 is the recording, rows 2 to 7 are its events."""
    path = tmp_path / "record.db"
    recording, origin = recorded_as(1)
    with open_record(path) as record:
        record.add_recording(recording, [*visit_events(1), *visit_events(2)], origin, NOW)
    return path


def verified(path: Path) -> Broken | None:
    with open_record(path, create=False) as record:
        return record.verify().broken


@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked, so that many can be killed quickly")
def test_invariant_4_acknowledged_events_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with open_record(path):
        pass
    code, output = run_child("kill_rounds", path, 24)
    assert code == 0
    acknowledged = json.loads(output)
    stored = defaultdict(list)
    with open_record(path, create=False) as record:
        for row in record.read():
            stored[row.stream].append(row.uid)
        found = record.verify()
    assert found.broken is None
    assert found.rows == sum(map(len, stored.values()))
    assert sum(acknowledged.values()) > 10 * PER_VISIT, "the writers were killed before they wrote"
    for stream, count in acknowledged.items():
        assert stored[stream] == [f"{stream}:{n}" for n in range(1, len(stored[stream]) + 1)]
        assert len(stored[stream]) >= count, "an acknowledged event was lost"
        assert len(stored[stream]) % PER_VISIT == 0, "half a transaction was stored"


def test_two_programs_that_create_and_fill_a_record_at_once_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    with ExitStack() as stack:
        children = [stack.enter_context(start_child("append", path, f"live-{number}", VISITS)) for number in (1, 2)]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
    assert [child.returncode for child in children] == [0, 0]
    with open_record(path, create=False) as record:
        streams = [row.stream for row in record.read()]
        found = record.verify()
    assert (found.rows, found.broken) == (2 * VISITS * PER_VISIT, None)
    assert streams.count("live-1") == streams.count("live-2") == VISITS * PER_VISIT
    assert len(list(groupby(streams))) > 2, "they wrote one after the other"


@pytest.mark.parametrize("column", [field.name for field in fields(Row)])
def test_a_tampered_column_of_an_event_is_found_in_its_row(path: Path, column: str) -> None:
    assert verified(path) is None
    tamper(path, "events", column)
    broken = verified(path)
    assert broken is not None
    assert broken.seq == TAMPERED


@pytest.mark.parametrize("column", [field.name for field in fields(RecordingRow)])
def test_a_tampered_column_of_a_recording_is_found_in_its_row(path: Path, column: str) -> None:
    recording, origin = recorded_as(2)
    with open_record(path) as record:
        record.add_recording(recording, [], origin, NOW)
    tamper(path, "recordings", column, 8)
    broken = verified(path)
    assert broken is not None
    assert broken.seq == 8


def tamper(path: Path, table: str, column: str, seq: int = TAMPERED) -> None:
    """Changes one value as little as its type allows, and restores the guards."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE seq = {seq}").fetchone()  # noqa: S608
        other = value + 90 if isinstance(value, int | float) else f"{value or ''}x"
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE seq = {seq}", (other,))  # noqa: S608
        for _, guard in guards:
            connection.execute(guard)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE events SET heard = NULL WHERE seq = 3", Broken(3, sentence("changed after it was written"))),
        (
            "UPDATE events SET heard = CAST(heard AS BLOB) WHERE seq = 3",
            Broken(3, sentence("changed after it was written")),
        ),
        (
            "UPDATE events SET heard = CAST(x'ff' AS TEXT) WHERE seq = 3",
            Broken(3, sentence("changed after it was written")),
        ),
        ("UPDATE events SET at = 9e999 WHERE seq = 3", Broken(3, sentence("changed after it was written"))),
        ("DELETE FROM events WHERE seq = 4", Broken(4, sentence("missing"))),
        (
            "DELETE FROM events WHERE seq BETWEEN 3 AND 5",
            Broken(3, sentence("missing, with all rows up to {last}", last=5)),
        ),
        ("DELETE FROM recordings", Broken(1, sentence("missing"))),
        ("UPDATE events SET seq = -1 WHERE seq = 7", Broken(-1, sentence("in a place where no row belongs"))),
        ("UPDATE recordings SET seq = 5", Broken(1, sentence("missing"))),
    ],
)
def test_every_change_and_removal_in_the_middle_is_found(path: Path, statement: str, broken: Broken) -> None:
    unguard(path)
    raw(path, statement)
    assert verified(path) == broken


def test_writes_and_purges_of_others_meanwhile_do_not_confuse_verifying(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PAGE", 2)
    recording, origin = recorded_as(2, NOW + DAY)
    changes: list[Callable[[Record], object]] = [
        lambda record: record.add_recording(recording, visit_events(1), origin, NOW + DAY),
        lambda record: record.purge(NOW + DAY / 2, NOW),
    ]
    with open_record(path) as record, open_record(path) as other:
        driver = connection_of(record).connection.driver_connection
        assert driver is not None

        def meanwhile(statement: str) -> None:
            if "seq > 3" in statement and changes:
                changes.pop(0)(other)

        driver.set_trace_callback(meanwhile)
        found = [record.verify(), record.verify()]
        assert changes == []
    assert (found[0].rows, found[0].broken) == (7, None), "the record as it was when verifying began"
    assert (found[1].rows, found[1].broken) == (4 + 1, None), "the second recording, and the purge of the first"


def test_a_row_inserted_by_another_program_is_found(path: Path) -> None:
    copied = "INSERT INTO events SELECT 8, 'x:1', " + ", ".join(field.name for field in fields(Row)[2:])
    raw(path, copied + " FROM events WHERE seq = 7")
    assert verified(path) == Broken(8, sentence("changed after it was written"))


def test_a_forged_purge_does_not_hide_removed_rows(path: Path) -> None:
    unguard(path)
    detail = json.dumps({"runs": [[3, 6, chain_of(path, 6)]]})
    raw(path, "DELETE FROM events WHERE seq BETWEEN 3 AND 6")
    columns = ", ".join(field.name for field in fields(Row)[5:-7])
    raw(
        path,
        f"INSERT INTO events SELECT 8, 'purge:1', 'purge', NULL, NULL, {columns}, '{detail}', source, "  # noqa: S608
        "phrases, phrases_hash, model, recorded, chain FROM events WHERE seq = 7",
    )
    assert verified(path) == Broken(8, sentence("changed after it was written"))


def chain_of(path: Path, seq: int) -> str:
    with open_record(path, create=False) as record:
        return next(row.chain for row in record.read() if row.seq == seq)


def test_missing_guards_are_reported(path: Path) -> None:
    raw(path, "DROP TRIGGER events_no_update")
    assert verified(path) == Broken(None, sentence("the guards {names} were removed", names="events_no_update"))


def test_a_cut_off_end_is_found_only_with_a_noted_head(path: Path) -> None:
    with open_record(path) as record:
        noted = record.verify()
    unguard(path)
    raw(path, "DELETE FROM events WHERE seq >= 6")
    with open_record(path) as record:
        found = record.verify()
    assert found.broken is not None
    assert found.broken.seq is None, "only the guards are missing"
    assert (found.rows, found.tail == noted.tail) == (5, False)


@pytest.mark.parametrize("times", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_a_changed_byte_anywhere_is_reported_or_harmless(path: Path, tmp_path: Path, times: int) -> None:
    whole, rows = path.read_bytes(), rows_if_valid(path)
    chance = random.Random(11)  # noqa: S311
    damaged = tmp_path / "damaged.db"
    read = []
    for _ in range(times):
        content = bytearray(whole)
        content[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        damaged.write_bytes(content)
        read.append(rows_if_valid(damaged))
    assert rows
    assert [each for each in read if each not in (rows, None)] == []
    assert 0 < read.count(None) < times


@pytest.mark.parametrize("visits", [0, pytest.param(40, marks=pytest.mark.slow)], ids=["short", "of many pages"])
def test_a_page_of_garbage_is_reported(path: Path, tmp_path: Path, visits: int) -> None:
    with open_record(path) as record:
        record.append([event for number in range(visits) for event in visit_events(number)], live(), NOW)
    whole = path.read_bytes()
    damaged = tmp_path / "damaged.db"
    for at in range(0, len(whole), 4096):
        damaged.write_bytes(whole[:at] + b"\xa5" * 4096 + whole[at + 4096 :])
        assert rows_if_valid(damaged) is None


def rows_if_valid(path: Path) -> list[Row] | None:
    """The rows if the record can be opened and verified; every other file must raise RecordError and nothing else."""
    try:
        with open_record(path, create=False) as record:
            return list(record.read()) if record.verify().broken is None else None
    except RecordError:
        return None


@settings(max_examples=30)
@given(
    st.lists(st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=3), min_size=1, max_size=6), st.data()
)
def test_a_chain_breaks_at_the_first_changed_row(columns: list[dict[str, object]], data: st.DataObject) -> None:
    rows = list(linked([{k: v for k, v in each.items() if k not in ("seq", "chain")} for each in columns], (0, START)))
    assert broken_row(rows) is None
    at = data.draw(st.integers(0, len(rows) - 1))
    rows[at] = {**rows[at], "heard": "changed"}
    assert broken_row(rows) == Broken(at + 1, sentence("changed after it was written"))


def broken_row(
    rows: Sequence[Mapping[str, object]], holes: Mapping[int, tuple[int, str]] | None = None
) -> Broken | None:
    """The fault that following the chain of these rows finds."""
    stored = ((row["seq"], row["chain"], canonical_rows(tuple(row))(tuple(row.values()))) for row in rows)
    return follow_chain(stored, holes or {})[1]


@settings(max_examples=30)
@given(st.sets(st.integers(1, 12)))
def test_a_chain_is_followed_across_every_hole_of_a_purge(removed: set[int]) -> None:
    rows = list(linked([{"heard": str(n)} for n in range(13)], (0, START)))
    gone = contiguous_runs((int(str(row["seq"])), str(row["chain"])) for row in rows if row["seq"] in removed)
    left = [row for row in rows if row["seq"] not in removed]
    assert broken_row(left, purge_holes([json.dumps({"runs": gone})])) is None
    assert sum(last - first + 1 for first, last, _ in gone) == len(removed)
    if removed:
        assert broken_row(left) is not None


@pytest.mark.parametrize("detail", ["", "[]", "{}", '{"runs": 1}', '{"runs": [[1, 2]]}', '{"runs": [[2, 1, "x"]]}'])
def test_a_detail_that_no_purge_wrote_has_no_hole(detail: str) -> None:
    assert purge_holes([detail]) == {}


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=3), VALUES | st.binary(max_size=3), max_size=6))
def test_a_link_is_the_hash_of_canonical_json(columns: dict[str, object]) -> None:
    hashed = {name: value for name, value in columns.items() if value is not None and name != "chain"}
    plain = {name: {"bytes": value.hex()} if isinstance(value, bytes) else value for name, value in hashed.items()}
    written = json.dumps([START, plain], sort_keys=True, separators=(",", ":"))
    if not any(isinstance(value, float) and not math.isfinite(value) for value in columns.values()):
        assert link(START, columns) == hashlib.sha256(written.encode()).hexdigest()


def test_a_link_is_over_the_row_before_and_every_value_with_its_type() -> None:
    links = {
        link(previous, columns)
        for previous in (START, "1" * 64)
        for columns in ({"at": 1}, {"at": 1.0}, {"at": "1"}, {"at": b"1"}, {"at": None}, {"to": 1})
    }
    assert len(links) == 12
    assert link(START, {"at": 1, "later": None, "chain": "x"}) == link(START, {"at": 1})


def test_the_same_recording_under_two_names_is_one(path: Path, tmp_path: Path) -> None:
    recording, origin = recorded_as(1)
    shutil.copy(path, tmp_path / "before.db")
    with open_record(path) as record:
        assert not record.add_recording(replace(recording, path="/b.wav"), visit_events(1), origin, NOW)
    assert path.read_bytes() == (tmp_path / "before.db").read_bytes()
