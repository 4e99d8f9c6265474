"""How clerks speak: volume, speech rate, interruptions and silence, by counter and by month."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.record import MannerCounts, Share, gather_manner, known_counters
from counter_listener.reports import MANNER, definitions_of, manner_by_month
from counter_listener.web.context import noted, sight_of, site_of
from counter_listener.web.pages.overview import PERIODS, read_period
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
    with site.records.reading() as record:
        found = record.query(partial(gather_manner, wanted=period.wanted))
        counters = record.query(partial(known_counters, only=seen))
    by_counter = sorted(found.by_counter.items(), key=lambda one: (one[0] is None, one[0] or ""))
    answer = render(
        request,
        "manner.html",
        total=found.total,
        counters=counters,
        by_counter=[(name or "", counts) for name, counts in by_counter],
        by_month=manner_by_month(found, None),
        limits=[(title_of(id_), count) for id_, count in found.total.over.most_common()],
        definitions=definitions_of(MANNER, texts_of(request)._),
        share=_share,
        period=period,
        periods=PERIODS,
    )
    return noted(request, answer, "seen", what="/manner")


def _share(counts: MannerCounts, figure: str) -> Share:
    """Visits in which a figure is above 0."""
    return Share(*counts.some(figure))
