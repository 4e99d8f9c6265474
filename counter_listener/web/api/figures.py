"""Figures for programs: those of the overview, and how right the machine is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query
from starlette.requests import Request

from counter_listener.domain import Estimate
from counter_listener.record import Share, VisitTotals, machine_trust, sum_totals
from counter_listener.web.api.access import GuardedRoute
from counter_listener.web.api.models import (
    AgreementOut,
    CounterTotals,
    DayTotals,
    EstimateOut,
    FaultCount,
    FiguresOut,
    MachineOut,
    PeriodAsked,
    PhraseTrust,
    ShareOut,
    TotalsOut,
)
from counter_listener.web.context import noting, sight_of, site_of
from counter_listener.web.pages.overview import faults_of, overview_data, read_period, totals_by
from counter_listener.web.sets import title_of

router = APIRouter(route_class=GuardedRoute)


@router.get("/figures")
def show_figures(request: Request, tasks: BackgroundTasks, asked: Annotated[PeriodAsked, Query()]) -> FiguresOut:
    """The figures of a period, by default the last seven days; as old as a minute."""
    site = site_of(request)
    period = read_period(_given(asked), site.now(), sight_of(request))
    data = overview_data(site, period)
    days = totals_by(data, lambda moment: moment.date())
    tasks.add_task(noting(request, "seen", what=request.url.path))
    return FiguresOut(
        totals=TotalsOut.model_validate(_totals(sum_totals(data.by_counter.values()))),
        before=TotalsOut.model_validate(_totals(data.before)) if data.before.visits else None,
        by_counter=[
            CounterTotals.model_validate({"counter": name, **_totals(totals)})
            for name, totals in data.by_counter.items()
        ],
        by_day=[DayTotals.model_validate({"day": day, **_totals(days[day])}) for day in sorted(days)],
        faults=[
            FaultCount(verdict=verdict, phrase=phrase, title=title_of(phrase), visits=count)
            for verdict, phrase, count in faults_of(data)
        ],
        outcomes=dict(data.outcomes),
        reviewed=data.reviewed,
    )


@router.get("/machine")
def show_machine(request: Request, tasks: BackgroundTasks, asked: Annotated[PeriodAsked, Query()]) -> MachineOut:
    """What people said of the verdicts of the machine, by phrase; by default of all time."""
    site = site_of(request)
    scope = read_period({"days": "all", **_given(asked)}, site.now(), sight_of(request)).scope()
    with site.records.reading() as record:
        trust = record.query(partial(machine_trust, scope=scope))
    tasks.add_task(noting(request, "seen", what=request.url.path))
    return MachineOut(
        reviewed=trust.reviewed,
        changed=trust.changed,
        overturned=_share(trust.overturned),
        overturned_sampled=_estimate(trust.overturned_sampled),
        missed=trust.missed,
        visits_missed=_estimate(trust.visits_missed),
        sampled=trust.sampled,
        finished=trust.finished,
        agreement=AgreementOut.model_validate(trust.agreement) if trust.agreement else None,
        phrases=[
            PhraseTrust(
                phrases=each.phrases,
                kind=each.kind,
                phrase=each.phrase,
                title=each.title,
                verdict=each.verdict,
                upheld=_share(each.upheld),
                sampled=_estimate(each.sampled),
            )
            for each in trust.verdicts
        ],
    )


def _given(asked: PeriodAsked) -> dict[str, str]:
    """The fields as the pages have them in their address."""
    return {name: str(value) for name, value in asked.model_dump(exclude_none=True).items()}


def _totals(totals: VisitTotals) -> Mapping[str, Any]:
    given = {name: getattr(totals, name) for name in TotalsOut.model_fields}
    return {**given, "pass_share": _share(totals.pass_share), "heard_share": _share(totals.heard_share)}


def _share(share: Share) -> ShareOut:
    low, high = share.interval or (None, None)
    return ShareOut(value=share.value, low=low, high=high, n=share.of)


def _estimate(estimate: Estimate | None) -> EstimateOut | None:
    if estimate is None:
        return None
    low, high = estimate.interval
    return EstimateOut(value=estimate.value, low=low, high=high, n=estimate.n)
