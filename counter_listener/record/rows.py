"""What the record is made of, as plain rows: streams, recordings and events; no database here."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from counter_listener.domain import Event, Kind, RecordError, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Columns = dict[str, object]
"""Column name -> value, as the database keeps it."""
DETAIL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream of events came from."""

    stream: str
    """Id of the stream: the first 12 hex digits of the recording's SHA-256, or "live-..."."""
    source: str
    """"live", or the recording's SHA-256 in hex."""
    counter: str | None
    started: datetime | None
    """Wall time of second 0 of the stream, with its zone; None if unknown."""
    phrases: str
    """The phrase set's name."""
    phrases_hash: str
    model: str
    """The model's name."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, known by its content."""

    sha256: str
    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the record, every column as it is kept."""

    seq: int
    uid: str
    """Stream, colon, and the event's number within its stream, from 1."""
    stream: str
    visit: str | None
    """Stream, hyphen, and the visit's number within its stream; None for what belongs to no visit."""
    counter: str | None
    wall: str | None
    """When it happened, ISO 8601 in UTC with microseconds; None if unknown."""
    at: float
    """Seconds into the stream."""
    kind: str
    """An event's kind, or "purge"."""
    stage: str | None
    step: str | None
    phrase: str | None
    verdict: str | None
    score: float | None
    heard: str | None
    detail: str
    """JSON object, keys sorted."""
    source: str
    phrases: str
    phrases_hash: str
    model: str
    recorded: str
    """When the row was written, ISO 8601 in UTC with microseconds."""
    chain: str
    """SHA-256 in hex over the row before and this one."""


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording as it is kept; numbered and chained together with the events."""

    seq: int
    sha256: str
    path: str
    seconds: float
    started: str | None
    counter: str | None
    recorded: str
    chain: str


def iso(moment: datetime) -> str:
    """The moment in UTC, always with microseconds, so that text sorts as time; ValueError without a zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def text(value: str) -> str:
    """The same without lone surrogates, which a file's name may hold and SQLite cannot keep."""
    return value.encode("utf-8", "backslashreplace").decode()


def event_rows(events: Iterable[Event], origin: Origin, recorded: datetime, first: int) -> list[Columns]:
    """The events as rows that lack `seq` and `chain`; `first` is the number of the first in its stream.

    Raises ValueError for a time without a zone and for a number that is not finite.
    """
    common = _common(origin, recorded)
    return [
        {
            **_event_columns(event),
            **common,
            "uid": f"{common['stream']}:{index}",
            "visit": None if event.visit is None else f"{common['stream']}-{event.visit}",
            "wall": _wall(origin.started, event.at),
        }
        for index, event in enumerate(events, first)
    ]


def event_columns(event: Event) -> Columns:
    """What an event says, as the record keeps it, without where it came from."""
    return {**_event_columns(event), "visit": event.visit}


def recording_row(recording: Recording, origin: Origin, recorded: datetime) -> Columns:
    """The recording as a row that lacks `seq` and `chain`; raises ValueError as event_rows() does."""
    return {
        "sha256": text(recording.sha256),
        "path": text(recording.path),
        "seconds": _number(recording.seconds),
        "started": _wall(origin.started, 0.0),
        "counter": _text(origin.counter),
        "recorded": iso(recorded),
    }


def purge_row(detail: Mapping[str, object], recorded: datetime, number: int) -> Columns:
    """The row that tells of a purge, lacking `seq` and `chain`; `number` counts purges from 1."""
    origin = Origin("purge", "purge", None, recorded, "", "", "")
    return {
        **_common(origin, recorded),
        **dict.fromkeys(("visit", "stage", "step", "phrase", "verdict", "score", "heard")),
        "uid": f"purge:{number}",
        "wall": iso(recorded),
        "at": 0.0,
        "kind": "purge",
        "detail": _json(detail),
    }


def _common(origin: Origin, recorded: datetime) -> Columns:
    return {
        "stream": text(origin.stream),
        "counter": _text(origin.counter),
        "source": text(origin.source),
        "phrases": text(origin.phrases),
        "phrases_hash": text(origin.phrases_hash),
        "model": text(origin.model),
        "recorded": iso(recorded),
    }


def _event_columns(event: Event) -> Columns:
    return {
        "at": _number(event.at),
        "kind": event.kind,
        "stage": _text(event.stage),
        "step": _text(event.step),
        "phrase": _text(event.phrase),
        "verdict": event.verdict,
        "score": None if event.score is None else _number(event.score),
        "heard": _text(event.heard),
        "detail": _json(event.detail),
    }


def _wall(started: datetime | None, at: float) -> str | None:
    if started is None:
        return None
    try:
        return iso(started + timedelta(seconds=at))
    except OverflowError:  # past the calendar's end: no such time can be told
        return None


def _text(value: str | None) -> str | None:
    return None if value is None else text(value)


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be kept in the record")
    return float(value) + 0.0  # SQLite keeps no minus zero, and the chain must match what is read back


def _json(detail: Mapping[str, object]) -> str:
    return text(DETAIL.encode(dict(detail)))


def event_from_row(row: Row) -> Event:
    """The event that a row holds. Raises RecordError if the row was changed."""
    try:
        detail = json.loads(row.detail)
        visit = int(row.visit.rpartition("-")[2]) if row.visit else None
    except ValueError as error:
        raise RecordError(
            "row {seq} of the record was changed; see `counter-listener events verify`", seq=row.seq
        ) from error
    return Event(
        kind=cast("Kind", row.kind),
        at=row.at,
        visit=visit,
        stage=row.stage,
        step=row.step,
        phrase=row.phrase,
        verdict=cast("Verdict | None", row.verdict),
        score=row.score,
        heard=row.heard,
        detail=detail,
    )
