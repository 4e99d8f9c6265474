"""The names that rows of another record get here, where their own are taken.

Streams, visits and recordings have names that belong to one record, so two records may use the same: the rows that
people add everywhere, and a recording that was checked at two places. Those of a source get `@` and its number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.judgements import PREFIX
from counter_listener.record.people import PEOPLE, SOURCE
from counter_listener.record.purge import JUDGED, KEY, STREAM
from counter_listener.record.received import source_at
from counter_listener.record.rows import DETAIL, LIVE, STREAM_DIGITS, Columns, parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS

DOUBLES: Final = f"{PREFIX}received"
"""The stream of the rows which say that a recording came a second time, and which of its verdicts are history."""
EVERYWHERE: Final = frozenset({STREAM, KEY, SOURCE, DOUBLES})
"""Streams that every record has."""
AT_ONCE: Final = 4_000
"""Names in one question, of three parameters each: SQLite takes 32 766."""


class Names:
    """What the rows of a source are called here. The database is asked once for all of them."""

    def __init__(self, connection: sa.Connection, source: int, rows: Iterable[Columns]) -> None:
        self._source, self._mark = source, f"@{source}"
        streams, recordings = set[str](), set[str]()
        for row in rows:
            if "uid" in row:
                streams |= set(_streams(row))
            recordings.add(str(row["source"] if "uid" in row else row["sha256"]))
        marked = {stream + self._mark for stream in streams}
        wanted = [*((name, *_recordings_of(name)) for name in streams), *((name, "", "") for name in marked)]
        wanted += [(name, name, f"{name}!") for name in recordings]
        self._owners = _owners(connection, wanted)

    def stream(self, stream: str) -> str:
        """The name of a stream."""
        marked = stream + self._mark
        everywhere = stream in EVERYWHERE or stream.startswith(f"{SOURCE}-")
        return marked if everywhere or marked in self._owners or self._is_taken(stream) else stream

    def recording(self, source: str) -> str:
        """The name of a recording, or of another source of sound."""
        return source + self._mark if source not in (LIVE, SOURCE) and self._is_taken(source) else source

    def _is_taken(self, name: str) -> bool:
        """Whether a name belongs to another record than this source."""
        return bool(self._owners.get(name, {self._source}) - {self._source})

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


def _streams(row: Columns) -> Iterator[str]:
    """The streams that an event names."""
    yield str(row["stream"])
    yield str(row["uid"]).rpartition(":")[0]
    if row["visit"] is not None:
        yield str(row["visit"]).rpartition("-")[0]
    if row["kind"] in (JUDGED, *PEOPLE):
        values = parse_detail(str(row["detail"]))
        yield from (str(values[name]).rpartition(":")[0] for name in ("event", "appeal") if name in values)
        yield from (str(values[name]) for name in ("stream", "replaces") if name in values)


def _recordings_of(stream: str) -> tuple[str, str]:
    """Between which names the recording of a stream is; between none for a stream of a microphone."""
    base = stream.removeprefix(PREFIX).partition(".")[0]
    return (base, f"{base}g") if len(base) == STREAM_DIGITS else ("", "")  # g: behind all hex digits


def _owners(connection: sa.Connection, wanted: Sequence[tuple[str, str, str]]) -> dict[str, set[int | None]]:
    """The sources of the rows that have a name already; None for a row that was written here.

    `wanted` are names of streams, and between which names a recording is looked for: the first one counts, for those
    with a mark come behind.
    """
    found: dict[str, set[int | None]] = {}
    for begin in range(0, len(wanted), AT_ONCE):
        rows = connection.execute(_owned(wanted[begin : begin + AT_ONCE]))
        for name, stream, stream_source, recording, recording_source in rows:
            owners = {stream_source} if stream is not None else set[int | None]()
            owners |= {recording_source} if recording is not None else set()
            if owners:
                found[name] = found.get(name, set()) | owners
    return found


def _owned(wanted: Sequence[tuple[str, str, str]]) -> sa.Select[Any]:
    columns = (sa.column(name, sa.Text) for name in ("name", "low", "high"))
    asked = sa.values(*columns, name="asked").data(wanted).cte("asked")
    event = sa.select(EVENTS.c.seq).where(EVENTS.c.stream == asked.c.name).limit(1)
    between = (RECORDINGS.c.sha256 >= asked.c.low, RECORDINGS.c.sha256 < asked.c.high)
    recording = sa.select(RECORDINGS.c.seq).where(*between).order_by(RECORDINGS.c.sha256).limit(1)
    rows = sa.select(
        asked.c.name, event.scalar_subquery().label("event"), recording.scalar_subquery().label("recording")
    ).subquery("rows")
    return sa.select(rows.c.name, rows.c.event, source_at(rows.c.event), rows.c.recording, source_at(rows.c.recording))


def original_json(columns: Columns) -> str:
    """Columns of a row as they are at the source, for the table `renamed`."""
    return json.dumps(columns, ensure_ascii=False)
