"""Samples: a plan is drawn with a seed that is recorded, assigned, and worked off; two reviewers are compared."""

from __future__ import annotations

import secrets
from datetime import date, datetime, time, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import ReviewError
from counter_listener.record import ReportScope, SamplePlan, assignments, draw, draws, known_counters, machine_trust
from counter_listener.web.context import Site, may_see, sight_of, signed_in, site_of
from counter_listener.web.forms import PlanForm
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()
SEEDS = 1_000_000_000
BACK = timedelta(days=7)
"""The time that a new sample covers unless somebody changes it."""


@router.get("/samples")
def samples(request: Request) -> Response:
    """The page."""
    return show_samples(request)


def show_samples(request: Request, told: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, in the reader's language."""
    site, account, seen = site_of(request), signed_in(request).name, sight_of(request)
    with site.records.reading() as record:
        drawn = record.query(partial(draws, only=seen))
        mine = record.query(partial(assignments, account=account))
        trust = record.query(partial(machine_trust, scope=ReportScope(only=seen))) if drawn else None
        counters = record.query(partial(known_counters, only=seen))
    today = site.now().astimezone().date()
    return render(
        request,
        "samples.html",
        status,
        draws=[(each, datetime.fromisoformat(each.drawn_at)) for each in drawn],
        mine=len({each.visit for each in mine if not each.done and may_see(request, each.counter)}),
        agreement=trust.agreement if trust else None,
        counters=counters,
        reviewers=reviewers_of(site),
        since=today - BACK,
        until=today,
        seed=secrets.randbelow(SEEDS),
        told=told,
    )


def reviewers_of(site: Site) -> list[str]:
    """The accounts that review; on one's own machine its user."""
    if site.settings.accounts is None:
        return [site.settings.local_user]
    return [each.name for each in site.settings.accounts.all() if each.role in ("reviewer", "supervisor")]


@router.post("/samples")
def draw_sample(request: Request, given: Annotated[PlanForm, Depends()]) -> Response:
    """Draws a sample."""
    site, told = site_of(request), texts_of(request)
    try:
        plan = plan_of(given, signed_in(request).name, reviewers_of(site), sight_of(request))
        with site.records.writing() as record:
            drawn = draw(record, plan, site.now())
    except ReviewError as error:
        return show_samples(request, error.translated(told._), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(request, told.ngettext("{count} visit was drawn", "{count} visits were drawn", len(drawn)))
    return RedirectResponse("/samples", HTTPStatus.SEE_OTHER)


def plan_of(given: PlanForm, by: str, reviewers: list[str], only: tuple[str, ...] | None = None) -> SamplePlan:
    """The plan that a form asks for. Raises ReviewError."""
    chosen = tuple(dict.fromkeys(given.reviewer or ()))
    for name in chosen:
        if name not in reviewers:
            raise ReviewError("{name} is not one of the reviewers", name=name)
    try:
        since, last = date.fromisoformat(given.since), date.fromisoformat(given.until)
        start = datetime.combine(since, time()).astimezone()
        end = datetime.combine(last + timedelta(days=1), time()).astimezone()
    except (ValueError, OverflowError):
        raise ReviewError("The dates or numbers of the sample are not right.") from None
    return SamplePlan(
        name=given.name.strip(),
        seed=given.seed,
        since=start,
        until=end,
        reviewers=chosen,
        by=by,
        counters=(given.counter,) if given.counter else (),
        only=only,
        per_week=given.per_week,
        offences=bool(given.offences),
        unknown=bool(given.unknown),
        passes=given.passes / 100,
        twice=given.twice / 100,
    )
