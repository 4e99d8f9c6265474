"""A reviewer asks for the clips of a visit; its counter learns of it with its next batch, and its settings decide."""

from __future__ import annotations

import base64
import binascii
import io
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal, cast, get_args

import sqlalchemy as sa

from counter_listener.domain import BatchError, ClipError, ReviewError
from counter_listener.record.clips.folder import KeptClip, clips_folder, keep_clip, kept_clips, original_visit
from counter_listener.record.clips.requests import REQUESTS
from counter_listener.record.files import file_errors, path_text
from counter_listener.record.posting import Posted
from counter_listener.record.received import source_at
from counter_listener.record.rows import LIVE, iso
from counter_listener.record.schema import EVENTS
from counter_listener.record.store import Record
from counter_listener.record.sync.counters import Counter, find_counter
from counter_listener.record.sync.enrolment import refusal
from counter_listener.record.sync.send import ServerExchange
from counter_listener.record.sync.sources import SOURCES

ClipAnswer = Literal["sent", "refused", "gone"]
"""What a counter answers: its clips are here now; its settings do not allow it; it has none, or none any more."""
UNPROCESSABLE: Final = 422
AT_ONCE: Final = 20
"""Visits that a counter is asked for with one answer."""


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """What was asked about a visit."""

    visit: str
    counter: str
    """Who sends it."""
    asked_by: str
    asked: str
    """ISO 8601 in UTC."""
    answer: ClipAnswer | None = None
    """None until the counter was heard from."""
    answered: str | None = None


def sender_of(connection: sa.Connection, visit: str) -> Counter | None:
    """The counter that sends a visit which it heard live; None for one that nobody can be asked about."""
    heard = sa.select(EVENTS.c.seq).where(EVENTS.c.visit == visit, EVENTS.c.source == LIVE).limit(1).subquery()
    source = connection.execute(sa.select(source_at(heard.c.seq))).scalar()
    name = connection.execute(sa.select(SOURCES.c.counter).where(SOURCES.c.id == source)).scalar() if source else None
    return None if name is None else find_counter(connection, name)


def clip_request(connection: sa.Connection, visit: str) -> ClipRequest | None:
    """What was asked about a visit last."""
    row = connection.execute(sa.select(REQUESTS).where(REQUESTS.c.visit == visit)).first()
    return None if row is None else ClipRequest(*row)


def ask_for_clips(connection: sa.Connection, visit: str, by: str, now: datetime) -> ClipRequest:
    """Asks for the clips of a visit, also again once that was answered. Raises ReviewError if nobody can be asked."""
    sender, before = sender_of(connection, visit), clip_request(connection, visit)
    if sender is None:
        raise ReviewError("the visit {visit} was not sent by a counter that could be asked for clips", visit=visit)
    if before is not None and before.answer is None:
        return before
    made = ClipRequest(visit, sender.name, by, iso(now))
    connection.execute(sa.delete(REQUESTS).where(REQUESTS.c.visit == visit))
    connection.execute(sa.insert(REQUESTS).values(asdict(made)))
    return made


def clips_wanted(connection: sa.Connection, counter: Counter) -> list[str]:
    """The visits that a counter is asked for, by their ids there."""
    open_ones = (REQUESTS.c.counter == counter.name, REQUESTS.c.answer.is_(None))
    query = sa.select(REQUESTS.c.visit).where(*open_ones).order_by(REQUESTS.c.asked).limit(AT_ONCE)
    return [original_visit(visit) for visit in connection.execute(query).scalars()]


def take_clip_answer(record: Record, counter: Counter, values: dict[str, object], now: datetime) -> None:
    """Takes a clip that was asked for, or the end of the answer. Raises BatchError, ClipError, RecordError."""
    visit = record.query(partial(_asked_visit, counter=counter, original=str(values.get("visit"))))
    if visit is None:
        raise BatchError("nobody asked for the clips of this visit")
    if "clip" in values:
        keep_clip(clips_folder(record.path), visit, _checked(values["clip"], original_visit(visit), now))
        return
    if values.get("answer") not in get_args(ClipAnswer):
        raise BatchError("what was sent is no answer about clips")
    answer = {"answer": cast("ClipAnswer", values["answer"]), "answered": iso(now)}
    change = sa.update(REQUESTS).where(REQUESTS.c.visit == visit).values(answer)
    record.change(lambda connection, _: connection.execute(change).rowcount, now)


def answer_clip_requests(exchange: ServerExchange, record: Path, now: datetime, *, may_send: bool) -> int:
    """Answers what the server asked for with its last answer; returns how many clips were sent. Raises SendError."""
    total = 0
    for visit in exchange.wanted:
        clips = [clip for clip in kept_clips(clips_folder(record), visit) if not clip.is_over(now)] if may_send else []
        sent = sum(_send_clip(exchange, visit, clip) for clip in clips)
        answer = "refused" if not may_send else "sent" if sent else "gone"
        if not (posted := _post(exchange, {"visit": visit, "answer": answer})).ok:
            raise refusal(exchange.server.url, posted)
        total += sent
    return total


def _send_clip(exchange: ServerExchange, visit: str, clip: KeptClip) -> bool:
    """Whether the server took a clip; one that it finds wrong is left out. Raises SendError, RecordError."""
    with file_errors(path_text(clip.path)):
        content = clip.path.read_bytes()
    posted = _post(exchange, {"visit": visit, "clip": base64.b64encode(content).decode()})
    if not posted.ok and posted.status != UNPROCESSABLE:
        raise refusal(exchange.server.url, posted)
    return posted.ok


def _post(exchange: ServerExchange, values: dict[str, object]) -> Posted:
    server = exchange.server
    return exchange.poster.post(f"{server.url}/api/v1/clips", json.dumps(values).encode(), server.token)


def _asked_visit(connection: sa.Connection, counter: Counter, original: str) -> str | None:
    """The id here of a visit that a counter was asked for."""
    open_ones = (REQUESTS.c.counter == counter.name, REQUESTS.c.answer.is_(None))
    asked = connection.execute(sa.select(REQUESTS.c.visit).where(*open_ones)).scalars()
    return next((visit for visit in asked if original_visit(visit) == original), None)


def _checked(given: object, original: str, now: datetime) -> bytes:
    """The content of a clip that belongs to a visit. Raises BatchError, ClipError."""
    from counter_listener.record.clips.sealing import read_facts

    try:
        content = base64.b64decode(str(given), validate=True)
    except (binascii.Error, ValueError):
        raise BatchError("what was sent is no answer about clips") from None
    facts = read_facts(io.BytesIO(content))
    if facts.visit != original:
        raise ClipError("this clip belongs to another visit, so it is not played")
    if facts.gone_at <= now:
        raise ClipError("the date of this clip has come, so it is not played any more")
    return content
