"""How right the machine is here: what people said of its verdicts, and what follows for all of them."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.domain import VERDICTS
from counter_listener.record import VerdictTrust, branches_of, known_counters, machine_trust, places_in, regions_of
from counter_listener.web.context import sight_of, site_of
from counter_listener.web.pages.overview import PERIODS, read_period
from counter_listener.web.rendering import render

router = APIRouter()
WIDEST = {"days": "all"}
"""Reviews are few, so all of them count unless the address asks for a period."""


@router.get("/machine")
def machine(request: Request) -> Response:
    """The page."""
    site, seen = site_of(request), sight_of(request)
    period = read_period({**WIDEST, **request.query_params}, site.now(), seen)
    scope = period.scope()
    with site.records.reading() as record:
        trust = record.query(partial(machine_trust, scope=scope))
        counters = record.query(partial(known_counters, only=seen))
        placed = record.query(partial(places_in, only=seen))
    return render(
        request,
        "machine.html",
        trust=trust,
        verdicts=sorted(trust.verdicts, key=_least_certain),
        names=VERDICTS,
        period=period,
        periods=PERIODS,
        counters=counters,
        regions=regions_of(placed),
        branches=branches_of(placed, period.fields["region"] or None),
    )


def _least_certain(one: VerdictTrust) -> tuple[float, int]:
    share = one.upheld.value
    return 1.0 if share is None else share, -one.upheld.of
