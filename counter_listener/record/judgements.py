"""How a recording in the record was judged, and the rows that note that it was judged again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Self

import sqlalchemy as sa

from counter_listener.record.rows import Columns, Origin, changed_row, note_row, parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS

PREFIX: Final = "judged-"
"""Start of the names of the streams that note how a recording was judged. They hold no events of a visit."""
AFTER_PREFIX: Final = "judged."
"""The first name that sorts after all of these."""
STREAM_DIGITS: Final = 12
"""Hex digits of the SHA-256 that name a stream: for 2 000 000 recordings the chance of a collision is under 1 %."""

RECORDING: Final = sa.select(RECORDINGS).where(RECORDINGS.c.sha256 == sa.bindparam("sha256"))
LAST_OF_STREAM: Final = (
    sa.select(EVENTS).where(EVENTS.c.stream == sa.bindparam("stream")).order_by(EVENTS.c.seq.desc()).limit(1)
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a recording was judged last."""

    stream: str
    """The stream of its events."""
    number: int = 1
    """How many times it has been judged."""
    phrases_hash: str | None = None
    """None if unknown: nothing was found in it when it was recorded."""
    model: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    """What else changes verdicts, such as one visit or the roles of the channels; empty by default."""
    program: str = ""
    """The version of the program, if it was noted."""
    seconds: float = 0.0
    started: str | None = None
    """ISO 8601 in UTC."""
    counter: str | None = None

    def same_settings(self, other: Self) -> bool:
        """Whether both were judged with the same phrase set, model and options."""
        mine, theirs = ((each.phrases_hash, each.model, dict(each.options)) for each in (self, other))
        return mine == theirs


def stream_id(sha256: str, number: int = 1) -> str:
    """The stream of a recording that was judged for the n-th time; the ids of its visits start with it."""
    return sha256[:STREAM_DIGITS] + (f".{number}" if number > 1 else "")


def judgement_stream(sha256: str) -> str:
    """The stream that notes how a recording was judged."""
    return PREFIX + stream_id(sha256)


def judgement_row(
    judgement: Judgement, replaces: str | None, origin: Origin, recorded: datetime, number: int
) -> Columns:
    """The row that notes a judgement, without `seq` and `chain`; `number` counts those of this recording, from 1."""
    columns = {
        "stream": judgement.stream,
        "judging": judgement.number,
        "options": dict(judgement.options),
        "program": judgement.program,
        "replaces": replaces,
    }
    detail = {name: value for name, value in columns.items() if value is not None}
    noted = replace(origin, stream=judgement_stream(origin.source), started=recorded)
    return note_row("judged", detail, noted, recorded, number)


def latest_judgement(connection: sa.Connection, sha256: str) -> Judgement | None:
    """How the recording with this content was judged last; None if it is not in the record. Raises RecordError."""
    recording = connection.execute(RECORDING, {"sha256": sha256}).first()
    if recording is None:
        return None
    judgement = Judgement(stream_id(sha256))
    note = connection.execute(LAST_OF_STREAM, {"stream": judgement_stream(sha256)}).first()
    if note is not None:
        judgement = _read_note(note.seq, note.detail)
    row = note or connection.execute(LAST_OF_STREAM, {"stream": judgement.stream}).first()
    if row is not None:
        judgement = replace(judgement, phrases_hash=row.phrases_hash, model=row.model)
    return replace(judgement, seconds=recording.seconds, started=recording.started, counter=recording.counter)


def _read_note(seq: int, detail: str) -> Judgement:
    """The judgement that row `seq` notes. Raises RecordError if the row was changed."""
    try:
        columns = json.loads(detail)
        options = columns.get("options")
        return Judgement(
            stream=str(columns["stream"]),
            number=int(str(columns["judging"])),
            options=options if isinstance(options, dict) else {},
            program=str(columns.get("program", "")),
        )
    except (ValueError, AttributeError, KeyError) as error:
        raise changed_row(seq) from error


def replaced_streams(connection: sa.Connection) -> frozenset[str]:
    """The streams whose verdicts a later judgement replaced. Rows that were changed are left to `events verify`."""
    notes = sa.select(EVENTS.c.detail).where(EVENTS.c.stream >= PREFIX, EVENTS.c.stream < AFTER_PREFIX)
    replaced = (parse_detail(detail).get("replaces") for detail in connection.execute(notes).scalars())
    return frozenset(stream for stream in replaced if isinstance(stream, str))
