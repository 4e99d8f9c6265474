"""Shared by the tests of reviews: a record with judged visits of the small phrase set."""

from __future__ import annotations

from functools import cache

from counter_listener.domain import Event
from counter_listener.record import Judgement, Recording, Row
from counter_listener.record.history import PhraseSets, VisitHistory, visit_history
from counter_listener.record.rows import Origin
from counter_listener.record.store import Record
from support.record_cases import NOW
from support.small_counter import events, small, talk

RUDE = ("您好", "请问您办理什么业务", "这事不归我管", "请慢走")
CURT = ("您好", "请问您办理什么业务")
DIGEST = "5e7" * 21 + "5"


def sets() -> PhraseSets:
    """The phrase set that judged the visits."""
    return [(small().phrases, DIGEST)]


@cache
def _judged(sentences: tuple[str, ...]) -> tuple[Event, ...]:
    return tuple(events(talk(sentences)))


def judged(sentences: tuple[str, ...]) -> list[Event]:
    """The events of a recording of these sentences, which are the same each time."""
    return list(_judged(sentences))


def add_visit(record: Record, number: int, sentences: tuple[str, ...] = RUDE, counter: str = "3") -> str:
    """Adds a recording of one visit; returns the id of the visit."""
    sha256 = f"{number:064x}"[::-1]
    origin = Origin(sha256[:12], sha256, counter, NOW, small().phrases.name, DIGEST, "counter-cn")
    assert record.add_recording(Recording(sha256, f"/recordings/{number}.wav", 90.0), judged(sentences), origin, NOW)
    return f"{origin.stream}-1"


def judge_again(record: Record, number: int, sentences: tuple[str, ...]) -> None:
    """Judges the recording of add_visit() for the second time."""
    sha256 = f"{number:064x}"[::-1]
    origin = Origin(f"{sha256[:12]}.2", sha256, "3", NOW, small().phrases.name, DIGEST, "counter-cn")
    judgement = Judgement(origin.stream, 2, DIGEST, "counter-cn")
    recording = Recording(sha256, f"/recordings/{number}.wav", 90.0)
    assert record.add_recording(recording, judged(sentences), origin, NOW, judgement)


def history_of(record: Record, visit: str) -> VisitHistory:
    """All rows of a visit."""
    return record.query(lambda connection: visit_history(connection, visit))


def row_with(record: Record, visit: str, verdict: str) -> Row:
    """The first row of a visit with a verdict."""
    return next(row for row in record.read(visit=visit) if row.verdict == verdict)
