"""All that the record holds of one visit: the events of the machine, and what people added. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import sqlalchemy as sa

from counter_listener.domain import Event, PhraseSet, Review, ReviewAction, ReviewError, Verdict
from counter_listener.record.judgements import latest_judgement
from counter_listener.record.people import PEOPLE, VisitOrigin, origin_of
from counter_listener.record.rows import LIVE, Row, event_from_row, parse_detail, storable
from counter_listener.record.schema import EVENTS

JUDGED_KINDS: Final = ("phrase", "forbidden", "rule")
"""Kinds of events that hold a verdict."""
PhraseSets = Sequence[tuple[PhraseSet, str]]
"""Phrase sets that are at hand, each with the SHA-256 of its file."""


@dataclass(frozen=True, slots=True)
class VisitHistory:
    """The rows of one visit, in the order in which they were written."""

    rows: Sequence[Row]
    events: dict[str, Event] = field(default_factory=dict)
    """Of the machine, by uid."""
    reviews: Sequence[Review] = ()

    @property
    def close(self) -> Row | None:
        """The row that closed it; None while it is open."""
        return next((row for row in reversed(self.rows) if row.kind == "visit_closed"), None)

    @property
    def last(self) -> int:
        """The number of its newest row."""
        return self.rows[-1].seq

    @property
    def origin(self) -> VisitOrigin:
        """What rows about it take from those of the machine."""
        return origin_of(next(row for row in reversed(self.rows) if row.kind not in PEOPLE))

    def of_kind(self, kind: str) -> Iterator[tuple[Row, dict[str, object]]]:
        """Its rows of a kind, each with its detail."""
        return ((row, parse_detail(row.detail)) for row in self.rows if row.kind == kind)

    def is_blind_for(self, account: str) -> bool:
        """Whether this account was drawn to give a second opinion without seeing the first."""
        return bool(self._second_opinions(account))

    def is_alone_with_it(self, account: str) -> bool:
        """Whether this account has yet to finish a second opinion: until then it sees nobody else's word."""
        own = (each for each in self.reviews if each.by == account)
        finished = (each.seq for each in own if each.event is None and each.action == "uphold")
        return max(self._second_opinions(account), default=0) > max(finished, default=0)

    def _second_opinions(self, account: str) -> list[int]:
        """The numbers of the rows by which this account was drawn for a second opinion."""
        drawn = self.of_kind("sample")
        return [row.seq for row, detail in drawn if detail.get("for") == account and detail.get("blind") is True]


def visit_history(connection: sa.Connection, visit: str) -> VisitHistory:
    """All rows of a visit. Raises ReviewError if the record does not hold it."""
    query = sa.select(EVENTS).where(EVENTS.c.visit == storable(visit)).order_by(EVENTS.c.seq)
    rows = [Row(*row) for row in connection.execute(query)]
    machine = [row for row in rows if row.kind not in PEOPLE]
    if not machine:
        raise ReviewError("the record holds no visit {visit!r}", visit=visit)
    reviews = [review_from_row(row) for row in rows if row.kind == "review"]
    return VisitHistory(rows, {row.uid: event_from_row(row) for row in machine}, reviews)


def reviewable_history(connection: sa.Connection, visit: str) -> VisitHistory:
    """All rows of a visit whose verdicts people can review.

    Raises ReviewError if it is still open, or if its recording was judged again, which made its verdicts history.
    """
    history = visit_history(connection, visit)
    close = history.close
    if close is None:
        raise ReviewError("the visit {visit} is still open; review it when it is closed", visit=visit)
    if close.source != LIVE:
        latest = latest_judgement(connection, close.source)
        if latest is not None and latest.stream != close.stream:
            raise ReviewError(
                "the recording of the visit {visit} was judged again; review the newer verdicts", visit=visit
            )
    return history


def review_from_row(row: Row) -> Review:
    """The review that a row holds; what somebody changed in it is left to `events verify`."""
    detail = parse_detail(row.detail)

    def text(name: str) -> str | None:
        value = detail.get(name)
        return value if isinstance(value, str) else None

    return Review(
        seq=row.seq,
        uid=row.uid,
        event=text("event"),
        action=cast("ReviewAction", text("action") or "note"),
        verdict=cast("Verdict | None", row.verdict),
        by=text("by") or "",
        phrase=row.phrase,
        at=row.at,
        scored=detail.get("scored") is not False,
        blind=detail.get("blind") is True,
        was=cast("Verdict | None", text("was")),
        reason=text("reason"),
        note=text("note") or "",
        recorded=row.recorded,
    )


def set_of(origin: VisitOrigin, sets: PhraseSets) -> tuple[PhraseSet | None, bool]:
    """The phrase set that judged a visit, and whether it is another version of it; None if none is at hand."""
    exact = next((phrases for phrases, digest in sets if digest == origin.phrases_hash), None)
    if exact is not None:
        return exact, False
    named = [phrases for phrases, _ in sets if phrases.name == origin.phrases]
    return (named[-1], True) if named else (None, False)


def newest_visit(connection: sa.Connection, counter: str | None) -> list[Row]:
    """The rows of the last visit that was heard live at a counter, in order, then the last row of its stream."""
    live = sa.select(EVENTS).where(EVENTS.c.source == LIVE, EVENTS.c.counter.is_not_distinct_from(counter))
    newest = live.order_by(EVENTS.c.seq.desc()).limit(1)
    last = connection.execute(newest).first()
    if last is None:
        return []
    of_visit = newest.where(EVENTS.c.stream == last.stream, EVENTS.c.visit.is_not(None))
    visit = connection.execute(of_visit).first()
    query = sa.select(EVENTS).where(EVENTS.c.visit == visit.visit if visit else EVENTS.c.seq == last.seq)
    query = query.where(EVENTS.c.source == LIVE)  # and nothing that people added
    rows = connection.execute(query.order_by(EVENTS.c.seq)).all()
    return [Row(*row) for row in (*rows, *(() if rows and rows[-1].seq == last.seq else (last,)))]
