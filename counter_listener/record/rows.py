"""The rows of the record as plain data: recordings and events, and how they are made and read. No database."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self, cast

from counter_listener.domain import Event, Kind, RecordError, Verdict

Columns = dict[str, object]
"""Column name -> value, as the database stores it."""
LIVE: Final = "live"
"""The source of what was heard at a microphone."""
STREAM_DIGITS: Final = 12
"""Hex digits of the SHA-256 that name a stream: for 2 000 000 recordings the chance of a collision is under 1 %."""
DETAIL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream of events came from."""

    stream: str
    """Id of the stream: the first 12 hex digits of the recording's SHA-256, or "live-..."."""
    source: str
    """LIVE, or the recording's SHA-256 in hex."""
    counter: str | None
    started: datetime | None
    """Wall time of second 0 of the stream, with its zone; None if unknown."""
    phrases: str
    """Name of the phrase set."""
    phrases_hash: str
    model: str
    """Name of the model."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording, identified by its content."""

    sha256: str
    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the events table, every column as it is stored."""

    seq: int
    uid: str
    """Stream, colon, and the event's number within its stream, from 1."""
    stream: str
    visit: str | None
    """Stream, hyphen, and the visit's number within its stream; None for an event outside a visit."""
    counter: str | None
    wall: str | None
    """When it happened, ISO 8601 in UTC with microseconds; None if unknown."""
    at: float
    """Seconds into the stream."""
    kind: str
    """The kind of an event, "judged" or "purge"."""
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
    """SHA-256 in hex over the previous row and this one."""


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One row of the recordings table; numbered and chained together with the events."""

    seq: int
    sha256: str
    path: str
    seconds: float
    started: str | None
    counter: str | None
    recorded: str
    chain: str


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


def iso(moment: datetime) -> str:
    """The time in UTC, always with microseconds, so that text sorts as time. Raises ValueError without a time zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def storable(text: str) -> str:
    """The text without lone surrogates and NULs, which names and transcripts may hold, and databases cannot."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def detail_json(detail: Mapping[str, object]) -> str:
    """A detail as it is stored."""
    text = DETAIL.encode(dict(detail))
    return text if storable(text) == text and "\\u0000" not in text else DETAIL.encode(_storable_within(detail))


def _storable_within(value: object) -> object:
    """The value with every text in it made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): _storable_within(each) for name, each in value.items()}
    return [_storable_within(each) for each in value] if isinstance(value, list | tuple) else value


def event_columns(event: Event) -> Columns:
    """The columns of an event itself, as the record stores them; `visit` is the number."""
    return {
        "at": _number(event.at),
        "kind": event.kind,
        "visit": event.visit,
        "stage": _storable(event.stage),
        "step": _storable(event.step),
        "phrase": _storable(event.phrase),
        "verdict": event.verdict,
        "score": None if event.score is None else _number(event.score),
        "heard": _storable(event.heard),
        "detail": detail_json(event.detail),
    }


def event_rows(events: Iterable[Event], origin: Origin, recorded: datetime, first: int) -> list[Columns]:
    """The events as rows without `seq` and `chain`; `first` is the number of the first event in its stream.

    Raises ValueError for a time without a zone and for a number that is not finite.
    """
    stream = storable(origin.stream)
    common = {
        "stream": stream,
        "counter": _storable(origin.counter),
        "source": storable(origin.source),
        "phrases": storable(origin.phrases),
        "phrases_hash": storable(origin.phrases_hash),
        "model": storable(origin.model),
        "recorded": iso(recorded),
    }
    return [
        {
            **event_columns(event),
            **common,
            "uid": f"{stream}:{number}",
            "visit": None if event.visit is None else f"{stream}-{event.visit}",
            "wall": _wall(origin.started, event.at),
        }
        for number, event in enumerate(events, first)
    ]


def note_row(kind: str, detail: Mapping[str, object], origin: Origin, recorded: datetime, number: int) -> Columns:
    """A row about the record itself: a purge, or a recording that was judged again."""
    (row,) = event_rows([Event(cast("Kind", kind), 0.0, detail=detail)], origin, recorded, number)
    return row


def recording_row(recording: Recording, origin: Origin, recorded: datetime) -> Columns:
    """The recording as a row without `seq` and `chain`. Raises ValueError as event_rows() does."""
    return {
        "sha256": storable(recording.sha256),
        "path": storable(recording.path),
        "seconds": _number(recording.seconds),
        "started": _wall(origin.started, 0.0),
        "counter": _storable(origin.counter),
        "recorded": iso(recorded),
    }


def parse_detail(detail: str) -> dict[str, object]:
    """The detail of a row; empty if somebody changed it, which `events verify` reports."""
    try:
        parsed = json.loads(detail)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def event_from_row(row: Row) -> Event:
    """The event that a row holds. Raises RecordError if the row was changed."""
    try:
        detail = json.loads(row.detail)
        visit = int(row.visit.rpartition("-")[2]) if row.visit else None
    except ValueError as error:
        raise changed_row(row.seq) from error
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


def changed_row(seq: int) -> RecordError:
    """The error for a row that cannot be read as it was written."""
    return RecordError("row {seq} of the record was changed; see `counter-listener events verify`", seq=seq)


def _wall(started: datetime | None, at: float) -> str | None:
    if started is None:
        return None
    try:
        return iso(started + timedelta(seconds=at))
    except OverflowError:  # after the end of the calendar
        return None


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _number(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be kept in the record")
    return float(value) + 0.0  # SQLite stores no minus zero, and the chain must match what is read back
