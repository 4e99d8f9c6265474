"""Appeals: staff of a counter dispute a verdict, and a different person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, REASONS, CounterListenerError, Event, ReviewConflict, ReviewError, Verdict
from counter_listener.judging import effective_verdicts
from counter_listener.record import (
    Appeal,
    AppealRequest,
    Decision,
    Record,
    VisitHistory,
    decide_appeal,
    find_appeals,
    open_appeal,
    visit_history,
    withdraw_appeal,
)
from counter_listener.web.context import sight_of, signed_in, site_of
from counter_listener.web.forms import Decided
from counter_listener.web.pages.visit import look_up, show_visit
from counter_listener.web.people_view import STATES, Choice, choices_of, verdict_title
from counter_listener.web.rendering import flash, path_part, render, texts_of
from counter_listener.web.sets import phrase_sets, title_of

router = APIRouter()
SHOWN = 100
"""Appeals on the page, the newest first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An appeal with what is needed to decide it."""

    appeal: Appeal
    opened: datetime
    decided: datetime | None
    event: Event | None
    title: str
    verdict_now: Verdict | None
    choices: list[Choice]
    last: int
    """Number of the newest row of the visit that the reader sees."""


@router.get("/appeals")
def appeals(request: Request) -> Response:
    """The appeals of the counters that the reader may see: those that wait, or all of them."""
    return show_appeals(request)


def show_appeals(request: Request, told: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, in the reader's language."""
    every = request.query_params.get("show") == "all"
    with site_of(request).records.reading() as record:
        found = record.query(partial(find_appeals, open_only=not every, only=sight_of(request)))
        histories = {
            each.visit: record.query(partial(visit_history, visit=each.visit)) for each in found[:SHOWN] if each.visit
        }
    return render(
        request,
        "appeals.html",
        status,
        appeals=[_shown(each, histories[each.visit]) for each in found[:SHOWN] if each.visit in histories],
        every=every,
        states=STATES,
        titled=verdict_title,
        reasons=REASONS,
        told=told,
    )


def _shown(appeal: Appeal, history: VisitHistory) -> Shown:
    event = history.events.get(appeal.event or "")
    now = effective_verdicts(history.events, history.reviews).get(appeal.event or "")
    title = str(event.detail.get("title") or "") if event else ""
    return Shown(
        appeal,
        datetime.fromisoformat(appeal.opened),
        datetime.fromisoformat(appeal.decided) if appeal.decided else None,
        event,
        title or title_of(appeal.phrase),
        now,
        choices_of(event)[1:] if event else [],
        history.last,
    )


@router.post("/visits/{visit}/appeals")
def dispute(
    request: Request, visit: str, event: Annotated[str, Form()] = "", note: Annotated[str, Form()] = ""
) -> Response:
    """Opens an appeal."""
    look_up(request, visit)
    asked = AppealRequest(visit, signed_in(request).name, note, event or None)
    within = site_of(request).settings.appeals
    wrong, status = _write(request, lambda record, now: open_appeal(record, asked, now, within))
    if wrong:
        return show_visit(request, visit, wrong, event, status)
    flash(request, N_("The appeal is recorded; somebody else decides it."))
    return RedirectResponse(f"/visits/{path_part(visit)}", HTTPStatus.SEE_OTHER)


@router.post("/appeals/decide")
def decide(request: Request, given: Annotated[Decided, Depends()]) -> Response:
    """Decides an appeal."""
    look_up(request, given.visit)
    is_upheld = given.outcome == "upheld"
    outcome: Literal["upheld", "overturned"] = "upheld" if is_upheld else "overturned"
    verdict = None if is_upheld else cast("Verdict", given.outcome)
    by = signed_in(request).name
    decision = Decision(given.visit, given.appeal, by, outcome, given.after, given.note, verdict)
    wrong, status = _write(request, lambda record, now: decide_appeal(record, decision, now, phrase_sets()))
    return _done(request, wrong, status, N_("The appeal is decided."))


@router.post("/appeals/withdraw")
def withdraw(request: Request, visit: Annotated[str, Form()] = "", appeal: Annotated[str, Form()] = "") -> Response:
    """Withdraws an appeal of one's own."""
    look_up(request, visit)
    by = signed_in(request).name
    wrong, status = _write(request, lambda record, now: withdraw_appeal(record, visit, appeal, by, now))
    return _done(request, wrong, status, N_("The appeal is withdrawn."))


def _done(request: Request, wrong: str, status: int, told: str) -> Response:
    if wrong:
        return show_appeals(request, wrong, status)
    flash(request, told)
    return RedirectResponse("/appeals", HTTPStatus.SEE_OTHER)


def _write(request: Request, write: Callable[[Record, datetime], Any]) -> tuple[str, int]:
    """Writes into the record; what is wrong, in the reader's language, and the status of the answer."""
    site, told = site_of(request), texts_of(request)
    wrong: CounterListenerError
    try:
        with site.records.writing() as record:
            write(record, site.now())
    except ReviewConflict as error:
        wrong, status = error, HTTPStatus.CONFLICT
    except ReviewError as error:
        wrong, status = error, HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        return "", HTTPStatus.OK
    return wrong.translated(told._), status
