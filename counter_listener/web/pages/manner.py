"""How clerks speak: volume, speech rate, interruptions and silence, by counter and by month."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.record import MannerOverview, MannerSummary, Share, gather_manner, known_counters
from counter_listener.reports import MANNER, definitions_of
from counter_listener.web.context import Site, noted, sight_of, site_of
from counter_listener.web.pages.overview import PERIODS, Period, read_period
from counter_listener.web.rendering import render, texts_of
from counter_listener.web.sets import title_of

router = APIRouter()
USUAL = {"days": "30"}
"""A month, unless the address asks for another period: single days have few visits."""


@router.get("/manner")
def manner(request: Request) -> Response:
    """The page."""
    site, seen = site_of(request), sight_of(request)
    period = read_period({**USUAL, **request.query_params}, site.now(), seen)
    found = site.manner.get(period.wanted, site.now(), partial(_gather, site, period))
    with site.records.reading() as record:
        counters = record.query(partial(known_counters, only=seen))
    by_counter = sorted(found.by_counter.items(), key=lambda one: (one[0] is None, one[0] or ""))
    answer = render(
        request,
        "manner.html",
        visits=found.visits,
        counters=counters,
        by_counter=[(name or "", counts) for name, counts in by_counter],
        by_month=found.by_month.items(),
        limits=[(title_of(id_), count) for id_, count in found.over.most_common()],
        definitions=definitions_of(MANNER, texts_of(request)._),
        share=_share,
        period=period,
        periods=PERIODS,
    )
    return noted(request, answer, "seen", what="/manner")


def _gather(site: Site, period: Period) -> MannerOverview:
    with site.records.reading() as record:
        return record.query(partial(gather_manner, wanted=period.wanted))


def _share(counts: MannerSummary, figure: str) -> Share:
    """Visits in which a figure is above 0."""
    return Share(*counts.shares[figure])
