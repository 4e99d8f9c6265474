"""The overview: what a supervisor needs to know of the period in three sentences, and the figures behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_
from counter_listener.record import (
    OverviewData,
    Place,
    ReportScope,
    VisitFilter,
    VisitTotals,
    branches_of,
    gather_overview,
    known_counters,
    places_in,
    regions_of,
    sum_totals,
    totals_by_place,
)
from counter_listener.web.context import Site, sight_of, signed_in, site_of
from counter_listener.web.rendering import render
from counter_listener.web.rights import may_use
from counter_listener.web.sets import title_of
from counter_listener.web.visit_query import read_query

router = APIRouter()
PERIODS: Final = {
    "1": N_("today"),
    "7": N_("7 days"),
    "30": N_("30 days"),
    "90": N_("90 days"),
    "all": N_("everything"),
}
DEFAULT: Final = "7"
ENOUGH: Final = 5
"""Visits with a score from which on a counter can be the worst."""
SHOWN: Final = 12
"""Rows of a table of the overview."""
FAULTS: Final = ("not_heard", "broken", "forbidden")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table of figures, with the address of the visits behind it."""

    title: str
    totals: VisitTotals
    link: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was missed or should not have been, with the address of the visits behind it."""

    verdict: str
    title: str
    count: int
    link: str


@dataclass(frozen=True, slots=True)
class Period:
    """What the overview covers."""

    name: str
    wanted: VisitFilter
    before: VisitFilter
    fields: Mapping[str, str]
    """As in the address of the visits."""

    def scope(self) -> ReportScope:
        """The same for figures of a report."""
        wanted = self.wanted
        return ReportScope(
            wanted.since, wanted.until, wanted.counters, branch=wanted.branch, region=wanted.region, only=wanted.only
        )

    def link(self, **more: object) -> str:
        """The address of the visits of the period that are of some kind."""
        given = {**self.fields, **{name: value for name, value in more.items() if value is not None}}
        return "/visits?" + urlencode({name: str(value) for name, value in given.items() if value != ""})


@router.get("/")
def overview(request: Request) -> Response:
    """The overview of a period; by default the last seven days."""
    site, person, seen = site_of(request), signed_in(request), sight_of(request)
    if not may_use(person.role, "GET /visits"):  # an administrator begins with the system
        return RedirectResponse("/system", HTTPStatus.SEE_OTHER)
    period = read_period(request.query_params, site.now(), seen)
    data = overview_data(site, period)
    with site.records.reading() as record:
        counters = record.query(partial(known_counters, only=seen))
        placed = record.query(partial(places_in, only=seen))
    total = sum_totals(data.by_counter.values())
    lines = sorted(_counter_lines(data, period), key=_worst_first)
    return render(
        request,
        "overview.html",
        period=period,
        periods=PERIODS,
        counters=counters,
        branches=branches_of(placed),
        regions=regions_of(placed),
        level=_level(period),
        places=_place_lines(data, placed, period),
        total=total,
        before=data.before if data.before.visits else None,
        data=data,
        worst=next(
            (line for line in lines if line.totals.scored >= ENOUGH and line.totals.pass_share.value != 1), None
        ),
        lines=lines[:SHOWN],
        more=max(0, len(lines) - SHOWN),
        faults=_faults(data, period),
        days=_by(data, lambda moment: moment.date(), period, _day_fields),
        hours=_by(data, lambda moment: moment.hour, period, lambda _: None),
        unscored=total.visits - total.scored,
    )


def overview_data(site: Site, period: Period) -> OverviewData:
    """The figures of a period, as they are or were at most a minute ago."""
    return site.figures.get(period.wanted, site.now(), partial(_gather, site, period))


def _gather(site: Site, period: Period) -> OverviewData:
    with site.records.reading() as record:
        return record.query(partial(gather_overview, wanted=period.wanted, before=period.before))


def read_period(given: Mapping[str, str], now: datetime, only: tuple[str, ...] | None) -> Period:
    """The period that the address asks for, in days up to now, or from a day to another one; of these counters."""
    asked = read_query(given).filter
    here = VisitFilter(counters=asked.counters, branch=asked.branch, region=asked.region, only=only)
    name = given.get("days", DEFAULT)
    name = name if name in PERIODS else DEFAULT
    today = now.astimezone().date()
    if asked.since or asked.until:
        name, wanted = "", replace(here, since=asked.since, until=asked.until)
    elif name == "all":
        wanted = here
    else:
        since = datetime.combine(today - timedelta(days=int(name) - 1), time()).astimezone()
        wanted = replace(here, since=since)
    until = wanted.until or now
    before = _before(wanted, until)
    fields = {
        "since": wanted.since.date().isoformat() if wanted.since else "",
        "until": (wanted.until - timedelta(days=1)).date().isoformat() if wanted.until else "",
        "counter": wanted.counters[0] if wanted.counters else "",
        "branch": wanted.branch or "",
        "region": wanted.region or "",
    }
    return Period(name, wanted, before or VisitFilter(until=EPOCH), fields)


def _before(wanted: VisitFilter, until: datetime) -> VisitFilter | None:
    """The time of the same length directly before; None without a beginning, and before the year 1."""
    try:
        return (
            replace(wanted, since=wanted.since - (until - wanted.since), until=wanted.since) if wanted.since else None
        )
    except OverflowError:
        return None


def _counter_lines(data: OverviewData, period: Period) -> Iterable[Line]:
    for name, totals in data.by_counter.items():
        yield Line(name or "", totals, period.link(counter=name, outcome="service", sort="score", way="up"))


def _level(period: Period) -> Literal["region", "branch", "counter"]:
    """What the overview goes down to next: the regions, the branches of a region, the counters of a branch."""
    return "counter" if period.wanted.branch else "branch" if period.wanted.region else "region"


def _place_lines(data: OverviewData, placed: list[Place], period: Period) -> list[Line]:
    """The figures of each region, or of each branch of the region, with the address of the next level."""
    level = _level(period)
    if level == "region" and not regions_of(placed):
        level = "branch"
    if level == "counter":
        return []
    found = totals_by_place(data.by_counter, placed, level)
    asked = {name: value for name, value in {**period.fields, "days": period.name}.items() if value}
    lines = [Line(name, totals, "/?" + urlencode({**asked, level: name})) for name, totals in found.items() if name]
    return sorted(lines, key=_worst_first) if lines else []


def _worst_first(line: Line) -> tuple[bool, float, int]:
    share = line.totals.pass_share.value
    return share is None, share if share is not None else 0.0, -line.totals.visits


def _faults(data: OverviewData, period: Period) -> list[Fault]:
    """What went wrong most often, the most frequent first."""
    return [
        Fault(verdict, title_of(phrase), count, period.link(verdict=verdict, phrase=phrase))
        for verdict, phrase, count in faults_of(data)
    ]


def faults_of(data: OverviewData) -> list[tuple[str, str, int]]:
    """Verdict and id of what went wrong, and in how many visits, the most frequent first."""
    found = [(verdict, phrase, count) for (verdict, phrase), count in data.faults.items() if verdict in FAULTS]
    return sorted(found, key=lambda fault: (-fault[2], title_of(fault[1])))


def _day_fields(day: Any) -> dict[str, str] | None:  # noqa: ANN401 - a key of _by
    return {"since": day.isoformat(), "until": day.isoformat()} if isinstance(day, date) else None


def _by(
    data: OverviewData,
    key: Callable[[datetime], Any],
    period: Period,
    fields: Callable[[Any], dict[str, str] | None],
) -> list[Line]:
    """Totals by a key of the local time, in order."""
    groups = totals_by(data, key)
    lines = []
    for name in sorted(groups):
        more = fields(name)
        lines.append(Line(str(name), groups[name], period.link(**more) if more else ""))
    return lines


def totals_by(data: OverviewData, key: Callable[[datetime], Any]) -> dict[Any, VisitTotals]:
    """Totals by a key of the local time; visits of unknown time are left out."""
    groups: dict[Any, list[VisitTotals]] = {}
    for quarter, totals in data.by_quarter.items():
        if quarter is not None:
            groups.setdefault(key((EPOCH + timedelta(seconds=900 * quarter)).astimezone()), []).append(totals)
    return {name: sum_totals(group) for name, group in groups.items()}
