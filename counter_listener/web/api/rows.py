"""Events and reviews for programs that read all of them, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from starlette.requests import Request

from counter_listener.domain import Review, Verdict
from counter_listener.record import Row, machine_rows, parse_detail, replaced_streams, review_rows, visit_history
from counter_listener.web.api.access import GuardedRoute
from counter_listener.web.api.models import EventOut, EventsOut, ReviewOut, ReviewsOut, RowsAsked
from counter_listener.web.context import noting, sight_of, signed_in, site_of
from counter_listener.web.people_view import visible_reviews

router = APIRouter(route_class=GuardedRoute)


@router.get("/events")
def list_events(request: Request, tasks: BackgroundTasks, asked: Annotated[RowsAsked, Query()]) -> EventsOut:
    """The rows of the machine, those of visits that are open or history included, a part at a time."""
    with site_of(request).records.reading() as record:
        rows = record.query(
            partial(
                machine_rows, after=asked.after, count=asked.size + 1, counter=asked.counter, only=sight_of(request)
            )
        )
        replaced = record.query(replaced_streams)
    shown = rows[: asked.size]
    tasks.add_task(noting(request, "exported", what=request.url.path))
    return EventsOut(
        events=[as_event(row, replaced) for row in shown],
        last=shown[-1].seq if shown else asked.after,
        more=len(rows) > len(shown),
    )


@router.get("/reviews")
def list_reviews(request: Request, tasks: BackgroundTasks, asked: Annotated[RowsAsked, Query()]) -> ReviewsOut:
    """The reviews of all visits, a part at a time. Second opinions are hidden from who gave the first, until done."""
    account = signed_in(request).name
    with site_of(request).records.reading() as record:
        rows = record.query(
            partial(review_rows, after=asked.after, count=asked.size + 1, counter=asked.counter, only=sight_of(request))
        )
        shown = rows[: asked.size]
        histories = {
            visit: record.query(partial(visit_history, visit=visit))
            for visit in dict.fromkeys(row.visit for row in shown if row.visit)
        }
    visible = {
        review.seq: (visit, review)
        for visit, history in histories.items()
        for review in visible_reviews(history, account)
    }
    tasks.add_task(noting(request, "exported", what=request.url.path))
    known = [visible[row.seq] for row in shown if row.seq in visible]
    return ReviewsOut(
        reviews=[each for visit, review in known for each in as_reviews(visit, [review])],
        last=shown[-1].seq if shown else asked.after,
        more=len(rows) > len(shown),
    )


def as_event(row: Row, replaced: Collection[str], verdict_now: Verdict | None = None) -> EventOut:
    """A row of the machine."""
    given = {**asdict(row), "detail": parse_detail(row.detail), "replaced": row.stream in replaced}
    return EventOut.model_validate({**given, "verdict_now": verdict_now})


def as_reviews(visit: str, reviews: Iterable[Review]) -> list[ReviewOut]:
    """Reviews of a visit."""
    return [ReviewOut.model_validate({**asdict(each), "visit": visit}) for each in reviews]
