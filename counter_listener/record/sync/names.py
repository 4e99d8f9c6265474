"""The names that rows of another record get here, where their own are taken.

Streams, visits and recordings have names that belong to one record, so two records may use the same: the rows that
people add everywhere, and a recording that was checked at two places. Those of a source get `@` and its number.

A purge at the source makes its names free there. Where a hold kept the rows of such a name here, those that follow get
`.2` behind that, then `.3`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from itertools import count
from typing import Final

import sqlalchemy as sa

from counter_listener.record.judgements import PREFIX
from counter_listener.record.people import PEOPLE, SOURCE
from counter_listener.record.purge import KEY, STREAM
from counter_listener.record.purge_marks import JUDGED
from counter_listener.record.received import source_of
from counter_listener.record.retention import RETENTION
from counter_listener.record.rows import DETAIL, LIVE, STREAM_DIGITS, Columns, parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS

DOUBLES: Final = f"{PREFIX}received"
"""The stream of the rows which say that a recording came a second time, and which of its verdicts are history."""
EVERYWHERE: Final = frozenset({STREAM, KEY, RETENTION, SOURCE, DOUBLES})
"""Streams that every record has."""


class Names:
    """What the rows of a source are called here."""

    def __init__(self, connection: sa.Connection, source: int, rows: Iterable[Columns] = ()) -> None:
        """`rows` are those that are to be named, in order."""
        self._connection, self._source = connection, source
        self._mark = f"@{source}"
        self._first: dict[str, str] = {}  # of each stream, the number of the first row
        self._added: set[str] = set()  # recordings
        for row in rows:
            if "sha256" in row:
                self._added.add(str(row["sha256"]))
            else:
                self._first.setdefault(str(row["stream"]), str(row["uid"]).rpartition(":")[2])
        self.stream = cache(self._stream)
        self.recording = cache(self._recording)

    def event(self, row: Columns) -> tuple[Columns, Columns]:
        """An event with its names here, and those of its columns that differ, as they were."""
        changed: Columns = {
            "uid": self._uid(str(row["uid"])),
            "stream": self.stream(str(row["stream"])),
            "visit": None if row["visit"] is None else self._visit(str(row["visit"])),
            "source": self.recording(str(row["source"])),
            "detail": self._detail(str(row["kind"]), str(row["detail"])),
        }
        return {**row, **changed}, {name: row[name] for name, value in changed.items() if row[name] != value}

    def recorded(self, row: Columns) -> tuple[Columns, Columns]:
        """A recording, as event()."""
        sha256 = self.recording(str(row["sha256"]))
        return {**row, "sha256": sha256}, {} if sha256 == row["sha256"] else {"sha256": row["sha256"]}

    def _uid(self, uid: str) -> str:
        stream, colon, number = uid.rpartition(":")
        return f"{self.stream(stream)}{colon}{number}"

    def _visit(self, visit: str) -> str:
        stream, hyphen, number = visit.rpartition("-")
        return f"{self.stream(stream)}{hyphen}{number}"

    def _detail(self, kind: str, detail: str) -> str:
        """The detail of a row that names streams or rows."""
        if kind not in (JUDGED, *PEOPLE):
            return detail
        values = parse_detail(detail)
        rename: dict[str, Callable[[str], str]] = dict.fromkeys(("event", "appeal"), self._uid)
        rename |= dict.fromkeys(("stream", "replaces"), self.stream)
        changed = {
            name: rename[name](value) if name in rename and isinstance(value, str) else value
            for name, value in values.items()
        }
        return detail if changed == values else DETAIL.encode(changed)

    def _stream(self, stream: str) -> str:
        marked = stream + self._mark
        everywhere = stream in EVERYWHERE or stream.startswith(f"{SOURCE}-")
        name = marked if everywhere or self._has_rows(marked) or self._is_taken(stream) else stream
        return self._newest(name, marked, self._has_rows, lambda newest: self._is_again(newest, stream))

    def _newest(self, name: str, marked: str, is_here: Callable[[str], bool], is_other: Callable[[str], bool]) -> str:
        """The newest of the names that something has here, or the next one if it is another that begins now."""
        for number in count(2):
            if not is_here(following := f"{marked}.{number}"):
                return following if is_other(name) else name
            name = following
        return name

    def _is_again(self, name: str, stream: str) -> bool:
        """Whether a stream whose rows are here begins anew, because its source purged them."""
        first = self._first.get(stream)
        if first == "1":
            return self._has_rows(name)
        query = sa.select(EVENTS.c.seq).where(EVENTS.c.uid == f"{name}:{first}").limit(1)
        return first is not None and self._connection.execute(query).first() is not None

    def _is_taken(self, stream: str) -> bool:
        first = self._connection.execute(
            sa.select(EVENTS.c.seq).where(EVENTS.c.stream == stream).order_by(EVENTS.c.seq).limit(1)
        ).scalar()
        if first is not None and source_of(self._connection, first) != self._source:
            return True
        base = stream.removeprefix(PREFIX).partition(".")[0]
        if len(base) != STREAM_DIGITS:
            return False
        begins = (RECORDINGS.c.sha256 >= base, RECORDINGS.c.sha256 < f"{base}g")  # behind all hex digits
        found = self._connection.execute(sa.select(RECORDINGS.c.seq).where(*begins)).scalars().all()
        return any(source_of(self._connection, seq) != self._source for seq in found)

    def _has_rows(self, name: str) -> bool:
        query = sa.select(EVENTS.c.seq).where(EVENTS.c.stream == name).limit(1)
        return self._connection.execute(query).first() is not None

    def _recording(self, source: str) -> str:
        if source in (LIVE, SOURCE):
            return source
        marked = source + self._mark
        seq = self._number(source)
        taken = seq is not None and source_of(self._connection, seq) != self._source
        name = marked if taken else source
        return self._newest(
            name, marked, self._is_recording, lambda one: source in self._added and self._is_recording(one)
        )

    def _is_recording(self, name: str) -> bool:
        return self._number(name) is not None

    def _number(self, name: str) -> int | None:
        return self._connection.execute(sa.select(RECORDINGS.c.seq).where(RECORDINGS.c.sha256 == name)).scalar()


def original_json(columns: Columns) -> str:
    """Columns of a row as they are at the source, for the table `renamed`."""
    return json.dumps(columns, ensure_ascii=False)
