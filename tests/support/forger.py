"""Somebody who can write the file of a record, knows how the chain is computed, and does not have the key."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from counter_listener.record.chain import START, link
from counter_listener.record.rows import RecordingRow, Row
from counter_listener.record.signing import open_key

TABLES = {"events": [field.name for field in fields(Row)], "recordings": [field.name for field in fields(RecordingRow)]}
Stored = dict[str, Any]
Rows = list[tuple[str, Stored]]
"""Rows in order, each with its table."""


@dataclass
class Forger:
    """The record, and what lies about."""

    path: Path
    older: Path
    """A copy of the record, made before its last visits."""
    other: Path
    """The record of another counter, signed with the same key."""

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """A connection without the guards, which are back in place afterwards."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                connection.execute(f"DROP TRIGGER {name}")
            yield connection
            for _, sql in guards:
                connection.execute(sql)

    def rows(self, connection: sqlite3.Connection) -> Rows:
        """All rows in order, each with its table."""
        found = [
            (table, dict(zip(names, row, strict=True)))
            for table, names in TABLES.items()
            for row in connection.execute(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608 - our own names
        ]
        return sorted(found, key=lambda one: int(one[1]["seq"]))

    def rewrite(self, change: Callable[[Rows], Rows]) -> None:
        """Writes other rows in place of all rows, with a chain that is right."""
        with self.opened() as connection:
            rows = change(self.rows(connection))
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            previous = START
            for seq, (table, row) in enumerate(rows, 1):
                numbered = {**row, "seq": seq}
                previous = link(previous, numbered)
                values = [{**numbered, "chain": previous}[name] for name in TABLES[table]]
                marks = ", ".join("?" * len(values))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - our own names

    def execute(self, statement: str, *values: object) -> None:
        with self.opened() as connection:
            assert connection.execute(statement, values).rowcount != 0, statement

    def resign(self, key_file: Path) -> None:
        """Signs the head with a key of the forger's own."""
        key = open_key(key_file, create=True)
        with self.opened() as connection:
            (record,) = connection.execute("SELECT record FROM head").fetchone()
            _, last = self.rows(connection)[-1]
            head = key.sign(record, last["seq"], last["chain"], "2026-01-15T09:00:00.000000+00:00")
            values = (head.seq, head.chain, head.signed, head.key, head.signature)
            connection.execute("UPDATE head SET seq = ?, chain = ?, signed = ?, key = ?, signature = ?", values)

    def strip(self) -> None:
        """Removes the signature, as if the record had never been signed."""
        with self.opened() as connection:
            connection.execute("UPDATE head SET seq = NULL, chain = NULL, signed = NULL, key = NULL, signature = NULL")


Edit = Callable[[Forger, int], None]
"""Changes a record at a row or, where that cannot be, near it."""


def cut_end(forger: Forger, seq: int) -> None:
    """Cuts the record off at a row."""
    forger.rewrite(lambda rows: rows[: seq - 1])


def edit_row(forger: Forger, seq: int) -> None:
    """Changes a verdict."""
    forger.execute("UPDATE events SET verdict = 'unknown' WHERE seq = ?", seq)


def edit_and_recompute(forger: Forger, seq: int) -> None:
    """Changes a verdict, and computes the chain again."""
    forger.rewrite(lambda rows: [_with(row, seq, verdict="unknown") for row in rows])


def append_row(forger: Forger, seq: int) -> None:
    """Adds a row at the end, with the right link."""
    forger.rewrite(lambda rows: [*rows, _with(rows[seq - 1], seq, uid="live-9:1", stream="live-9", visit="live-9-1")])


def append_purge(forger: Forger, seq: int) -> None:
    """Removes rows, and adds a purge that reports them."""
    with forger.opened() as connection:
        rows = forger.rows(connection)
        gone, last = rows[seq - 1][1], rows[-1][1]
        connection.execute(f"DELETE FROM {rows[seq - 1][0]} WHERE seq = ?", (seq,))  # noqa: S608 - our own names
        detail = json.dumps({"before": "2026", "rows": 1, "runs": [[seq, seq, gone["chain"]]]})
        purge = {
            **dict.fromkeys(TABLES["events"]),
            "seq": last["seq"] + 1,
            "uid": "purge:9",
            "stream": "purge",
            "at": 0.0,
            "kind": "purge",
            "detail": detail,
            "source": "purge",
            "phrases": "",
            "phrases_hash": "",
            "model": "",
            "wall": last["recorded"],
            "recorded": last["recorded"],
        }
        purge["chain"] = link(last["chain"], purge)
        marks = ", ".join("?" * len(purge))
        connection.execute(f"INSERT INTO events VALUES ({marks})", list(purge.values()))  # noqa: S608 - our own names


def put_back_older_copy(forger: Forger, _seq: int) -> None:
    """Puts an older copy in the place of the record."""
    shutil.copy(forger.older, forger.path)


def replace_guard(forger: Forger, _seq: int) -> None:
    """Replaces a guard by one of the same name that does nothing."""
    with closing(sqlite3.connect(forger.path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER events_no_update")
        connection.execute("CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT 1; END")


def insert_row(forger: Forger, seq: int) -> None:
    """Inserts a row in the middle."""
    forger.rewrite(lambda rows: [*rows[:seq], _with(rows[seq - 1], seq, uid="x:1"), *rows[seq:]])


def swap_rows(forger: Forger, seq: int) -> None:
    """Exchanges two rows that follow each other."""
    forger.rewrite(lambda rows: [*rows[: seq - 1], rows[seq], rows[seq - 1], *rows[seq + 1 :]])


def remove_end_of_visit(forger: Forger, seq: int) -> None:
    """Removes the row with which a visit closed."""
    forger.rewrite(lambda rows: _without(rows, seq, lambda row: row.get("kind") == "visit_closed"))


def replace_key(forger: Forger, seq: int) -> None:
    """Changes a row, computes the chain again, and signs it with another key."""
    edit_and_recompute(forger, seq)
    forger.resign(forger.path.with_name("forged.pem"))


def copy_signature(forger: Forger, _seq: int) -> None:
    """Puts the signature of another record here."""
    with closing(sqlite3.connect(forger.other)) as connection:
        row = connection.execute("SELECT seq, chain, signed, key, signature FROM head").fetchone()
    forger.execute("UPDATE head SET seq = ?, chain = ?, signed = ?, key = ?, signature = ?", *row)


def put_other_record(forger: Forger, _seq: int) -> None:
    """Puts the record of another counter in the place of this one."""
    shutil.copy(forger.other, forger.path)


def change_schema_version(forger: Forger, _seq: int) -> None:
    """Makes the program believe that the file has an older schema."""
    forger.execute("UPDATE alembic_version SET version_num = '0003'")


def remove_note(forger: Forger, seq: int) -> None:
    """Removes the row that says how a recording was judged."""
    forger.rewrite(lambda rows: _without(rows, seq, lambda row: row.get("kind") == "judged"))


def change_time(forger: Forger, seq: int) -> None:
    """Changes nothing but the time of a row."""
    forger.rewrite(lambda rows: [_with(row, seq, wall="2025-12-24T09:00:00.000000+00:00") for row in rows])


def change_words(forger: Forger, seq: int) -> None:
    """Changes nothing but the words of a hit."""
    forger.rewrite(lambda rows: [_with(row, seq, heard="你自己看") for row in rows])


EDITS: tuple[Edit, ...] = (
    *(cut_end, edit_row, edit_and_recompute, append_row, append_purge, put_back_older_copy, replace_guard, insert_row),
    *(swap_rows, remove_end_of_visit, replace_key, copy_signature, put_other_record, change_schema_version),
    *(remove_note, change_time, change_words),
)


def _with(row: tuple[str, Stored], seq: int, **columns: object) -> tuple[str, Stored]:
    table, stored = row
    return (table, {**stored, **columns}) if stored["seq"] == seq else row


def _without(rows: Rows, seq: int, unwanted: Callable[[Stored], bool]) -> Rows:
    """The rows without the first unwanted one from a row on."""
    chosen = next(row["seq"] for _, row in rows if row["seq"] >= seq and unwanted(row))
    return [row for row in rows if row[1]["seq"] != chosen]
