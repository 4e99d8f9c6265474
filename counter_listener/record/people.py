"""The rows that people add to the record: reviews, appeals, samples, and who saw what. Pure, no database.

They are chained and signed as all rows, never change a row of the machine, and no figure of the machine counts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from counter_listener.domain import LONG_NUMBER, Event, ReviewError
from counter_listener.record.rows import Columns, Row, detail_json, iso, storable

PersonKind = Literal["review", "appeal", "sample", "access"]
PEOPLE: Final[tuple[PersonKind, ...]] = ("review", "appeal", "sample", "access")
"""The kinds of rows that people add."""
SOURCE: Final = "people"
"""The source of these rows, and the stream of those that belong to no visit."""
MAX_NOTE: Final = 2_000
"""Letters of a note."""


@dataclass(frozen=True, slots=True)
class VisitOrigin:
    """What a row about a visit takes from the rows of the machine."""

    visit: str
    counter: str | None
    phrases: str
    """Name of the phrase set that judged it."""
    phrases_hash: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about, in the columns of the record."""

    at: float = 0.0
    """Seconds into the stream."""
    stage: str | None = None
    step: str | None = None
    phrase: str | None = None
    verdict: str | None = None
    score: float | None = None
    """Of the visit, after it."""


NOTHING: Final = Subject()


def people_stream(visit: str | None) -> str:
    """The stream of the rows that people add to a visit, or to the record as a whole."""
    return SOURCE if visit is None else f"{SOURCE}-{visit}"


def person_row(
    kind: PersonKind,
    detail: Mapping[str, object],
    now: datetime,
    visit: VisitOrigin | None = None,
    subject: Subject = NOTHING,
) -> Columns:
    """A row that a person adds, without `seq`, `uid` and `chain`. What is None in `detail` is left out.

    Raises ValueError for a time without a zone.
    """
    return {
        "stream": people_stream(visit.visit if visit else None),
        "visit": visit.visit if visit else None,
        "counter": visit.counter if visit else None,
        "wall": iso(now),
        "at": float(subject.at),
        "kind": kind,
        "stage": subject.stage,
        "step": subject.step,
        "phrase": subject.phrase,
        "verdict": subject.verdict,
        "score": subject.score,
        "heard": None,
        "detail": detail_json({name: value for name, value in detail.items() if value is not None}),
        "source": SOURCE,
        "phrases": visit.phrases if visit else "",
        "phrases_hash": visit.phrases_hash if visit else "",
        "model": "",
        "recorded": iso(now),
    }


def origin_of(row: Row) -> VisitOrigin:
    """What rows about the visit of this row take from it. Raises ValueError for a row outside a visit."""
    if row.visit is None:
        raise ValueError(f"row {row.seq} belongs to no visit")
    return VisitOrigin(row.visit, row.counter, row.phrases, row.phrases_hash)


def subject_of(event: Event | None, verdict: str | None, score: float | None = None) -> Subject:
    """The columns of a row about an event of the machine, or about the whole visit."""
    if event is None:
        return Subject(verdict=verdict, score=score)
    return Subject(event.at, event.stage, event.step, event.phrase, verdict, score)


def checked_note(note: str) -> str | None:
    """A note as it is kept: without control characters and long numbers; None for an empty one.

    Raises ReviewError if it is too long.
    """
    text = "\n".join(" ".join(line.split()) for line in note.strip().splitlines())
    text = LONG_NUMBER.sub("＊＊＊", "".join(letter for letter in text if letter == "\n" or letter.isprintable()))
    if len(text) > MAX_NOTE:
        raise ReviewError("the note has {count} letters; {most} are possible", count=len(text), most=MAX_NOTE)
    return text or None


def checked_account(by: str) -> str:
    """The name of an account. Raises ReviewError for an empty one."""
    name = storable(by.strip())
    if not name or not name.isprintable():
        raise ReviewError("a review needs the name of an account")
    return name
