"""The queries and the rows about how recordings were judged."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from counter_listener.record.rows import Columns, Judgement, Origin, changed_row, note_row, parse_detail, stream_id
from counter_listener.record.schema import EVENTS, RECORDINGS

PREFIX: Final = "judged-"
"""Start of the names of the streams that note how a recording was judged. They hold no events of a visit."""
AFTER_PREFIX: Final = "judged."
"""The first name that sorts after all of these."""

RECORDING: Final = sa.select(RECORDINGS).where(RECORDINGS.c.sha256 == sa.bindparam("sha256"))
LAST_OF_STREAM: Final = (
    sa.select(EVENTS).where(EVENTS.c.stream == sa.bindparam("stream")).order_by(EVENTS.c.seq.desc()).limit(1)
)


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
