"""The names that rows of another record get here, where their own are taken.

Streams, visits and recordings have names that belong to one record, so two records may use the same: the rows that
people add everywhere, and a recording that was checked at two places. Those of a source get `@` and its number.

A purge at the source makes its names free there. Where a hold kept the rows of such a name here, those that follow get
`.2` behind that, then `.3`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from counter_listener.record.expressions import is_one_of, rows_of_texts
from counter_listener.record.judgements import PREFIX
from counter_listener.record.people import PEOPLE, SOURCE
from counter_listener.record.purge import KEY, STREAM
from counter_listener.record.purge_marks import JUDGED
from counter_listener.record.received import source_at
from counter_listener.record.retention import RETENTION
from counter_listener.record.rows import DETAIL, LIVE, STREAM_DIGITS, Columns, parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS

DOUBLES: Final = f"{PREFIX}received"
"""The stream of the rows which say that a recording came a second time, and which of its verdicts are history."""
EVERYWHERE: Final = frozenset({STREAM, KEY, RETENTION, SOURCE, DOUBLES})
"""Streams that every record has."""


@dataclass(frozen=True, slots=True)
class Owners:
    """The sources of the rows that have a name already; None for rows that were written here."""

    streams: dict[str, set[int | None]] = field(default_factory=dict)
    recordings: dict[str, set[int | None]] = field(default_factory=dict)

    def of(self, name: str) -> set[int | None]:
        """All that have rows of a name."""
        return self.streams.get(name, set()) | self.recordings.get(name, set())


class Names:
    """What the rows of a source are called here.

    The database is asked twice for all of them, and once more for each time that names began anew.
    """

    def __init__(self, connection: sa.Connection, source: int, rows: Iterable[Columns] = ()) -> None:
        """`rows` are those that are to be named, in order."""
        self._source, self._mark = source, f"@{source}"
        streams, recordings = set[str](), set[str]()
        first: dict[str, str] = {}  # of each stream, the number of the first row
        self._added: set[str] = set()  # recordings
        for row in rows:
            if "uid" in row:
                streams |= set(_streams(row))
                recordings.add(str(row["source"]))
                first.setdefault(str(row["stream"]), str(row["uid"]).rpartition(":")[2])
            else:
                recordings.add(str(row["sha256"]))
                self._added.add(str(row["sha256"]))
        self._owners = self._find_owners(connection, streams, recordings)
        self._named: dict[str, str] = {}  # streams
        self._again = self._begun_again(connection, first)

    def _find_owners(self, connection: sa.Connection, streams: Collection[str], recordings: Collection[str]) -> Owners:
        """Who has the names of these streams and recordings, and those that they may get."""
        owners = Owners()
        wanted = [(name, *_recordings_of(name)) for name in streams]
        wanted += [(name, name, f"{name}!") for name in recordings]
        marked = {name + self._mark for name in {*streams, *recordings}}
        wanted += [(name, name, f"{name}!") for name in marked]
        number = 2
        while marked:
            following = {f"{name}.{number}": name for name in marked}
            _ask(connection, [*wanted, *((name, name, f"{name}!") for name in following)], owners)
            marked = {name for newest, name in following.items() if owners.of(newest)}
            wanted, number = [], number + 1
        return owners

    def _begun_again(self, connection: sa.Connection, first: dict[str, str]) -> set[str]:
        """The streams whose rows are here and begin anew, because their source purged them."""
        here = {stream: name for stream in first if (name := self._newest_stream(stream)) in self._owners.streams}
        again = {stream for stream in here if first[stream] == "1"}
        uids = {f"{name}:{first[stream]}": stream for stream, name in here.items() if stream not in again}
        query = sa.select(EVENTS.c.uid).where(is_one_of(EVENTS.c.uid, list(uids)))
        return again | {uids[str(uid)] for uid in connection.execute(query).scalars()}

    def stream(self, stream: str) -> str:
        """The name of a stream."""
        if (named := self._named.get(stream)) is None:
            name = self._newest_stream(stream)
            named = self._named[stream] = self._following(name, stream) if stream in self._again else name
        return named

    def recording(self, source: str) -> str:
        """The name of a recording, or of another source of sound."""
        if source in (LIVE, SOURCE):
            return source
        marked = source + self._mark
        name = self._newest(marked if self._is_taken(source) else source, marked, self._owners.recordings)
        again = source in self._added and name in self._owners.recordings
        return self._following(name, source) if again else name

    def _newest_stream(self, stream: str) -> str:
        """The name of the newest rows of a stream that are here."""
        marked = stream + self._mark
        everywhere = stream in EVERYWHERE or stream.startswith(f"{SOURCE}-")
        is_marked = everywhere or marked in self._owners.streams or self._is_taken(stream)
        return self._newest(marked if is_marked else stream, marked, self._owners.streams)

    def _newest(self, name: str, marked: str, here: Collection[str]) -> str:
        number = 2
        while (following := f"{marked}.{number}") in here:
            name, number = following, number + 1
        return name

    def _following(self, name: str, original: str) -> str:
        """The name after the newest one."""
        marked = original + self._mark
        number = int(name.removeprefix(f"{marked}.")) if name.startswith(f"{marked}.") else 1
        return f"{marked}.{number + 1}"

    def _is_taken(self, name: str) -> bool:
        """Whether a name belongs to another record than this source."""
        return bool(self._owners.of(name) - {self._source})

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


def _ask(connection: sa.Connection, wanted: Sequence[tuple[str, str, str]], owners: Owners) -> None:
    """Adds the owners of names.

    `wanted` are names of streams, and between which names a recording is looked for: the first one counts, for those
    with a mark come behind.
    """
    for name, stream, stream_source, recording, recording_source in connection.execute(_owned(wanted)):
        if stream is not None:
            owners.streams.setdefault(name, set()).add(stream_source)
        if recording is not None:
            owners.recordings.setdefault(name, set()).add(recording_source)


def _owned(wanted: Sequence[tuple[str, str, str]]) -> sa.Select[Any]:
    asked = rows_of_texts("asked", wanted, ("name", "low", "high"))
    event = sa.select(EVENTS.c.seq).where(EVENTS.c.stream == asked.c.name).limit(1)
    between = (RECORDINGS.c.sha256 >= asked.c.low, RECORDINGS.c.sha256 < asked.c.high)
    recording = sa.select(RECORDINGS.c.seq).where(*between).order_by(RECORDINGS.c.sha256).limit(1)
    found = (event.scalar_subquery().label("event"), recording.scalar_subquery().label("recording"))
    rows = sa.select(asked.c.name, *found).cte("rows")
    rows = rows.prefix_with("MATERIALIZED", dialect="postgresql")  # or each is looked up once for each use below
    return sa.select(rows.c.name, rows.c.event, source_at(rows.c.event), rows.c.recording, source_at(rows.c.recording))


def original_json(columns: Columns) -> str:
    """Columns of a row as they are at the source, for the table `renamed`."""
    return json.dumps(columns, ensure_ascii=False)
