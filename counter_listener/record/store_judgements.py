"""Asks the record's database how a recording was judged last."""

from __future__ import annotations

import json
from dataclasses import replace

import sqlalchemy as sa

from counter_listener.domain import RecordError
from counter_listener.record.judgements import Judgement, judgement_stream, read_judgement
from counter_listener.record.store_tables import EVENTS, RECORDINGS

KNOWN = sa.select(RECORDINGS).where(RECORDINGS.c.sha256 == sa.bindparam("sha256"))
NEWEST = sa.select(EVENTS).where(EVENTS.c.stream == sa.bindparam("stream")).order_by(EVENTS.c.seq.desc()).limit(1)


def judging_of(connection: sa.Connection, sha256: str) -> Judgement | None:
    """How the recording with this content was judged last; None if it is not in the record. Raises StoreError."""
    known = connection.execute(KNOWN, {"sha256": sha256}).first()
    if known is None:
        return None
    note = connection.execute(NEWEST, {"stream": judgement_stream(sha256)}).first()
    row = note or connection.execute(NEWEST, {"stream": sha256[:12]}).first()
    try:
        told = (
            read_judgement(json.loads(note.detail), note.phrases_hash, note.model) if note else Judgement(sha256[:12])
        )
    except (ValueError, AttributeError) as error:
        raise RecordError(
            "row {seq} of the record was changed; see `counter-listener events verify`", seq=note.seq if note else 0
        ) from error
    if row is not None:
        told = replace(told, phrases_hash=row.phrases_hash, model=row.model)
    return replace(told, seconds=known.seconds, started=known.started, counter=known.counter)
