"""What reviews change in the figures of a report: the totals after them, and their word on each piece of evidence."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from counter_listener.domain import Event, Review
from counter_listener.judging import WHOLE_VISIT, observed, standing_reviews
from counter_listener.record.expressions import is_one_of
from counter_listener.record.figures import ReviewedVisit, VisitTotals
from counter_listener.record.history import review_from_row
from counter_listener.record.rows import Row, parse_detail
from counter_listener.record.schema import EVENTS

Evidence = tuple[str | None, Event]
"""The uid of an event of the machine, and the event; None for what only a reviewer heard or saw."""


def reviewed_visits(connection: sa.Connection, last: int) -> dict[str, ReviewedVisit]:
    """Every visit with a review that decides something, up to row `last`, as the newest one left it."""
    query = sa.select(EVENTS).where(EVENTS.c.kind == "review", EVENTS.c.seq <= last).order_by(EVENTS.c.seq)
    found: dict[str, ReviewedVisit] = {}
    for columns in connection.execute(query):
        row = Row(*columns)
        detail = parse_detail(row.detail)
        review = review_from_row(row)
        if row.visit is None or not review.stands or detail.get("unscored"):
            continue
        grade, passed = detail.get("grade"), detail.get("passed")
        found[row.visit] = ReviewedVisit(
            row.score,
            grade if isinstance(grade, str) else None,
            passed if isinstance(passed, bool) else None,
            found[row.visit].reviews + 1 if row.visit in found else 1,
        )
    return found


def totals_after(
    connection: sa.Connection, closed: sa.FromClause, total: VisitTotals, reviewed: Mapping[str, ReviewedVisit]
) -> VisitTotals | None:
    """The totals of the closed visits with the scores after their reviews; None if none of them was reviewed.

    Only scores and passes follow the reviews: the counts of verdicts stay those of the machine.
    """
    if not reviewed:
        return None
    query = sa.select(closed.c.visit, closed.c.score, closed.c.passed)
    query = query.where(is_one_of(closed.c.visit, list(reviewed)))
    rows = connection.execute(query).all()
    if not rows:
        return None
    for visit, score, passed in rows:
        before, after = _one(score, passed), _one(reviewed[visit].score, reviewed[visit].passed)
        total = replace(
            total,
            **{
                name: getattr(total, name) - getattr(before, name) + getattr(after, name)
                for name in ("scored", "passed", "points", "squares")
            },
        )
    return total


def _one(score: float | None, passed: Any) -> VisitTotals:  # noqa: ANN401 - SQLite has no bool
    points = score or 0.0
    return VisitTotals(scored=score is not None, passed=int(bool(passed)), points=points, squares=points**2)


def words_on(evidence: Sequence[tuple[str, Event]], reviews: Sequence[Review]) -> list[tuple[Event, Review | None]]:
    """The evidence of a visit with the word of a person on each piece, and what only persons heard or saw."""
    standing = standing_reviews(reviews)
    whole = standing.get(WHOLE_VISIT)
    told: list[tuple[Event, Review | None]] = [
        (event, standing.get((uid, None, 0.0)) or (whole and replace(whole, verdict=event.verdict)))
        for uid, event in evidence
    ]
    for review in observed(reviews):
        kind: Any = {"forbidden": "forbidden", "broken": "rule"}.get(str(review.verdict), "phrase")
        told.append((Event(kind, review.at, None, phrase=review.phrase), review))
    return told


def reviews_of(rows: Sequence[Row]) -> dict[str, list[Review]]:
    """The reviews in rows, by visit."""
    found: dict[str, list[Review]] = defaultdict(list)
    for row in rows:
        if row.kind == "review" and row.visit is not None:
            found[row.visit].append(review_from_row(row))
    return found
