"""Visits for programs: the list with the filter of the page, one visit, its reviews, and a review that is sent."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query
from starlette.requests import Request

from counter_listener.judging import effective_verdicts
from counter_listener.record import PEOPLE, FoundVisit, ReviewRequest, find_visits, replaced_streams, review
from counter_listener.web.api.access import GuardedRoute
from counter_listener.web.api.models import (
    Fault,
    ReviewIn,
    ReviewOut,
    ReviewsOut,
    VisitDetailOut,
    VisitOut,
    VisitsAsked,
    VisitsOut,
)
from counter_listener.web.api.rows import as_event, as_reviews
from counter_listener.web.context import noting, signed_in, site_of
from counter_listener.web.pages.visit import Seen, look_up
from counter_listener.web.pages.visits import as_known
from counter_listener.web.people_view import standing_for, visible_reviews
from counter_listener.web.sets import phrase_sets, title_of
from counter_listener.web.visit_query import read_query

router = APIRouter(route_class=GuardedRoute)


@router.get("/visits")
def list_visits(request: Request, tasks: BackgroundTasks, asked: Annotated[VisitsAsked, Query()]) -> VisitsOut:
    """Closed visits that a filter finds, sorted, a page at a time; by default the newest first."""
    given = {name: str(value) for name, value in asked.model_dump(exclude_none=True).items() if name != "size"}
    query = read_query(given)
    ask = partial(
        find_visits,
        wanted=as_known(request, query.filter),
        order=query.order,
        ascending=query.ascending,
        first=(query.page - 1) * asked.size,
        count=asked.size,
    )
    with site_of(request).records.reading() as record:
        found = record.query(ask)
    fields = sorted((name, value) for name, value in request.query_params.items() if name not in ("page", "size"))
    tasks.add_task(noting(request, "exported", what=request.url.path + _query_text(fields)))
    return VisitsOut(
        visits=[VisitOut.model_validate(_visit(each)) for each in found.visits],
        total=found.total,
        page=query.page,
        pages=max(1, -(-found.total // asked.size)),
    )


def _query_text(fields: list[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in fields) if fields else ""


def _visit(found: FoundVisit) -> dict[str, Any]:
    """The fields of a visit."""
    given = {name: getattr(found, name) for name in VisitOut.model_fields if hasattr(found, name)}
    return {
        **given,
        "opened": found.began,
        "lost_audio": found.lost,
        "recording": found.path,
        "reviewed": found.reviewed is not None,
        "faults": [Fault(verdict=verdict, phrase=id_, title=title_of(id_)) for verdict, id_ in found.fault_list()],
    }


@router.get("/visits/{visit}", responses={404: {"description": "There is no such visit for this account."}})
def show_visit(request: Request, tasks: BackgroundTasks, visit: str) -> VisitDetailOut:
    """A closed visit with its events and its reviews."""
    seen, account = look_up(request, visit), signed_in(request).name
    with site_of(request).records.reading() as record:
        replaced = record.query(replaced_streams)
    history = seen.history
    verdicts = effective_verdicts(history.events, standing_for(history, account))
    rows = [row for row in history.rows if row.kind not in PEOPLE]
    tasks.add_task(noting(request, "seen", visit))
    return VisitDetailOut.model_validate(
        {
            "visit": visit,
            "summary": _summary(seen, is_blind=history.is_blind_for(account)),
            "last": history.last,
            "events": [as_event(row, replaced, verdicts.get(row.uid)) for row in rows],
            "reviews": as_reviews(visit, visible_reviews(history, account)),
        }
    )


def _summary(seen: Seen, *, is_blind: bool) -> VisitOut | None:
    """The visit as in the list. Who gives a second opinion does not see what became of it."""
    if seen.found is None:
        return None
    unseen = {"reviewed": False, "score_after": None, "passed_after": None} if is_blind else {}
    return VisitOut.model_validate({**_visit(seen.found), **unseen})


@router.get("/visits/{visit}/reviews", responses={404: {"description": "There is no such visit for this account."}})
def list_reviews_of(request: Request, tasks: BackgroundTasks, visit: str) -> ReviewsOut:
    """The reviews of a visit, the oldest first."""
    history, account = look_up(request, visit).history, signed_in(request).name
    tasks.add_task(noting(request, "seen", visit))
    return ReviewsOut(reviews=as_reviews(visit, visible_reviews(history, account)), last=history.last, more=False)


@router.post(
    "/visits/{visit}/reviews",
    status_code=HTTPStatus.CREATED,
    responses={
        404: {"description": "There is no such visit for this account."},
        409: {"description": "Somebody reviewed the same since `after`; nothing was written."},
    },
)
def add_review(request: Request, visit: str, given: ReviewIn) -> ReviewOut:
    """Writes a review. It is on the disk when the answer comes."""
    site, account = site_of(request), signed_in(request).name
    look_up(request, visit)
    asked = ReviewRequest(visit=visit, by=account, **given.model_dump())
    with site.records.writing() as record:
        row = review(record, asked, site.now(), phrase_sets())
    written = [each for each in look_up(request, visit).history.reviews if each.uid == row.uid]
    return as_reviews(visit, written)[0]
