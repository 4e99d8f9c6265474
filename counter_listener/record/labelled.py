"""Reviews as labels: what was said in recordings whose visits people have looked at to their end. Reads only."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from counter_listener.domain import Event, Review
from counter_listener.judging import WHOLE_VISIT, effective_verdicts, observed, standing_reviews
from counter_listener.record.history import VisitHistory, visit_history
from counter_listener.record.judgements import latest_judgement
from counter_listener.record.schema import EVENTS, RECORDINGS

STILL_SAID: Final = frozenset({"other_speaker", "not_meant"})
"""Reasons of an overturned verdict for which the words were said all the same."""
BY_EAR: Final = 2.0
"""Seconds around the moment at which a reviewer heard something that the machine did not."""


@dataclass(frozen=True, slots=True)
class SaidPhrase:
    """A phrase or an offence that was said in a recording, as reviews have it."""

    id: str
    start: float
    """Seconds into the recording."""
    end: float
    optional: bool = False
    """Whether it may be found but need not be: again in the visit, said by somebody else, or not to be told."""


@dataclass(frozen=True, slots=True)
class LabelledRecording:
    """A recording of which people have looked at every visit to its end."""

    path: str
    seconds: float
    said: tuple[SaidPhrase, ...]


def labelled_recordings(connection: sa.Connection) -> list[LabelledRecording]:
    """The recordings of which every visit was looked at to its end, in the order in which they were recorded."""
    query = sa.select(EVENTS.c.visit).where(EVENTS.c.kind == "review").distinct()
    visits = [visit_history(connection, name) for name in connection.execute(query).scalars() if name]
    sources = {history.close.source for history in visits if history.close}
    rows = connection.execute(sa.select(RECORDINGS).order_by(RECORDINGS.c.seq))
    found = ((row, _visits_of(connection, row.sha256)) for row in rows if row.sha256 in sources)
    return [
        LabelledRecording(row.path, row.seconds, tuple(said for visit in histories for said in _said(visit)))
        for row, histories in found
        if histories and all(WHOLE_VISIT in standing_reviews(visit.reviews) for visit in histories)
    ]


def _visits_of(connection: sa.Connection, sha256: str) -> list[VisitHistory]:
    """The visits of a recording as it was judged last."""
    judgement = latest_judgement(connection, sha256)
    if judgement is None:
        return []
    query = sa.select(EVENTS.c.visit).where(EVENTS.c.stream == judgement.stream, EVENTS.c.kind == "visit_closed")
    return [visit_history(connection, name) for name in connection.execute(query.order_by(EVENTS.c.seq)).scalars()]


def _said(history: VisitHistory) -> Iterator[SaidPhrase]:
    verdicts = effective_verdicts(history.events, history.reviews)
    standing = standing_reviews(history.reviews)
    close = next(event for event in history.events.values() if event.kind == "visit_closed")
    opened = close.detail.get("opened")
    whole = (float(opened) if isinstance(opened, int | float) else 0.0, close.at)
    again: dict[str, bool] = defaultdict(bool)
    for uid, event in history.events.items():
        if uid not in verdicts or event.phrase is None or not _is_labelled(event):
            continue
        review = standing.get((uid, None, 0.0))
        heard_there = event.verdict in ("heard", "forbidden")
        if verdicts[uid] in ("heard", "forbidden"):
            yield SaidPhrase(event.phrase, *(_span(event) if heard_there else whole))
            again[event.phrase] = True
        elif verdicts[uid] == "unknown":
            again[event.phrase] = True
        elif heard_there and _was_said(review):
            yield SaidPhrase(event.phrase, *_span(event), optional=True)
    for review in observed(history.reviews):
        if review.verdict == "forbidden" and review.phrase:
            yield SaidPhrase(review.phrase, max(0.0, review.at - BY_EAR), review.at + BY_EAR)
    yield from (SaidPhrase(phrase, *whole, optional=True) for phrase in again)


def _is_labelled(event: Event) -> bool:
    """Whether it is a phrase or an offence, and no courtesy word, rule or trigger."""
    named = event.detail.get("courtesy_word") or event.detail.get("scenario")
    return event.kind in ("phrase", "forbidden") and not named


def _was_said(review: Review | None) -> bool:
    return review is not None and review.reason in STILL_SAID


def _span(event: Event) -> tuple[float, float]:
    end = event.detail.get("end")
    return event.at, max(event.at, float(end) if isinstance(end, int | float) else event.at)
