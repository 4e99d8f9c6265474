"""The list of visits: filter, search, sort, pages, and what is shown as a spreadsheet or CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import PurePath, PureWindowsPath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from counter_listener.domain import BOM, N_, OUTCOMES, VERDICTS
from counter_listener.record import (
    FoundVisit,
    RecordPool,
    VisitFilter,
    as_csv_lines,
    branches_of,
    csv_line,
    find_visits,
    known_counters,
    places_in,
    regions_of,
    second_opinions_due,
    visits_before,
)
from counter_listener.reports import Column, Table, table_as_xlsx
from counter_listener.web.context import noted, sight_of, signed_in, site_of
from counter_listener.web.rendering import render, texts_of
from counter_listener.web.sets import choices, title_of
from counter_listener.web.visit_query import read_query

router = APIRouter()
SHOWN: Final = 50
"""Visits on a page."""
CHIPS: Final = 3
"""Faults that a row names; the others are counted."""
MOST_IN_SHEET: Final = 20_000
"""Rows of a spreadsheet; CSV has no limit."""
SEVERE_FIRST: Final = ("forbidden", "broken", "not_heard", "unknown")
EXPORT: Final = (
    *("id", "opened", "counter", "score", "passed", "grade", "score_after", "outcome", "seconds"),
    *("forbidden", "broken", "not_heard", "unknown", "faults", "lost_audio", "reviewed", "recording"),
)
MORE: Final = ("verdict", "phrase", "outcome", "reviewed", "least", "most")
"""Fields of the filter that stand behind a fold."""
RESULTS: Final = {"failed": N_("failed"), "passed": N_("passed"), "unscored": N_("without a score")}


@dataclass(frozen=True, slots=True)
class ListedVisit:
    """A row of the list."""

    found: FoundVisit
    faults: list[tuple[str, str]]
    """Verdict and title, the worst first."""
    more: int
    """Faults that are not named."""

    @property
    def opened(self) -> datetime | None:
        """When it was opened; None if that is unknown."""
        return datetime.fromisoformat(self.found.began) if self.found.began else None

    @property
    def file(self) -> str | None:
        """The name of the recording without its folder."""
        return file_name(self.found.path)


@router.get("/visits")
def visits(request: Request, hx_request: Annotated[str | None, Header()] = None) -> Response:
    """The page, or for htmx the results alone."""
    query = read_query(request.query_params)
    wanted = _wanted(request)
    with site_of(request).records.reading() as record:
        ask = partial(
            find_visits,
            wanted=wanted,
            order=query.order,
            ascending=query.ascending,
            first=(query.page - 1) * SHOWN,
            count=SHOWN,
        )
        found = record.query(ask)
        counters = record.query(partial(known_counters, only=sight_of(request)))
        placed = record.query(partial(places_in, only=sight_of(request)))
    return render(
        request,
        "visits_results.html" if hx_request else "visits.html",
        visits=[listed(visit) for visit in found.visits],
        total=found.total,
        asked=query,
        pages=max(1, -(-found.total // SHOWN)),
        first=(query.page - 1) * SHOWN,
        counters=counters,
        branches=branches_of(placed),
        regions=regions_of(placed),
        verdicts={name: VERDICTS[name] for name in SEVERE_FIRST},
        outcomes=OUTCOMES,
        results=RESULTS,
        choices=choices(),
        phrase_title=title_of(query.filter.phrase),
        is_filtered=query.filter != VisitFilter(),
        is_narrow=any(request.query_params.get(name) for name in MORE),
        most_in_sheet=MOST_IN_SHEET,
    )


@router.get("/visits/export.csv")
def as_csv(request: Request) -> Response:
    """All visits that the filter finds, the newest first."""
    wanted = _wanted(request)
    records = site_of(request).records

    def lines() -> Iterator[str]:
        yield BOM + csv_line(EXPORT) + "\r\n"
        for part in _parts(records, wanted):
            yield "".join(line + "\r\n" for line in as_csv_lines(map(_row, part), EXPORT))

    headers = {"Content-Disposition": 'attachment; filename="visits.csv"'}
    answer = StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)
    return noted(request, answer, "exported", what=_asked(request))


@router.get("/visits/export.xlsx")
def as_sheet(request: Request) -> Response:
    """The visits that the filter finds, the newest first, as a spreadsheet."""
    site, told, wanted = site_of(request), texts_of(request), _wanted(request)
    found = islice(chain.from_iterable(_parts(site.records, wanted)), MOST_IN_SHEET)
    rows = [_row(visit) for visit in found]
    file = io.BytesIO()
    table_as_xlsx(_table([_readable(row, told._) for row in rows], told._), file, site.now(), told._)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {"Content-Disposition": 'attachment; filename="visits.xlsx"'}
    answer = Response(file.getvalue(), media_type=kind, headers=headers)
    return noted(request, answer, "exported", what=_asked(request))


def _parts(records: RecordPool, wanted: VisitFilter) -> Iterator[list[FoundVisit]]:
    """All visits that are wanted, in parts, with no connection held between two of them."""
    last: FoundVisit | None = None
    while True:
        with records.reading() as record:
            part = record.query(partial(visits_before, wanted=wanted, last=last))
        yield part
        if not part:
            return
        last = part[-1]


def _asked(request: Request) -> str:
    """What is exported, as the address asks for it."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _wanted(request: Request) -> VisitFilter:
    """What the address asks for, as far as the reader may know it."""
    return as_known(request, read_query(request.query_params).filter)


def as_known(request: Request, wanted: VisitFilter) -> VisitFilter:
    """A filter for who is signed in: of what he may see, and without the first one's word where a second is due."""
    person = signed_in(request)
    with site_of(request).records.reading() as record:
        due = record.query(partial(second_opinions_due, account=person.name))
    return replace(wanted.limited_to(sight_of(request)), as_judged=due)


def listed(visit: FoundVisit) -> ListedVisit:
    """A visit as a row of the list."""
    faults = sorted(
        visit.fault_list(), key=lambda fault: SEVERE_FIRST.index(fault[0]) if fault[0] in SEVERE_FIRST else 9
    )
    counted = dict.fromkeys((verdict, title_of(phrase)) for verdict, phrase in faults)
    return ListedVisit(visit, list(counted)[:CHIPS], max(0, len(counted) - CHIPS))


def file_name(path: str | None) -> str | None:
    """The last part of a path of any system."""
    if path is None:
        return None
    return (PureWindowsPath(path) if "\\" in path and "/" not in path else PurePath(path)).name


def _row(visit: FoundVisit) -> dict[str, Any]:
    faults = " ".join(f"{verdict}:{phrase}" for verdict, phrase in visit.fault_list())
    return {
        "id": visit.visit,
        "opened": visit.began,
        "counter": visit.counter,
        "score": visit.score,
        "passed": visit.passed,
        "grade": visit.grade,
        "score_after": visit.score_after,
        "outcome": visit.outcome,
        "seconds": visit.seconds,
        "forbidden": visit.forbidden,
        "broken": visit.broken,
        "not_heard": visit.not_heard,
        "unknown": visit.unknown,
        "faults": faults,
        "lost_audio": visit.lost,
        "reviewed": visit.reviewed is not None,
        "recording": visit.path,
    }


def _readable(row: Mapping[str, Any], _: Any) -> dict[str, Any]:  # noqa: ANN401 - a translation
    faults = [fault.partition(":") for fault in row["faults"].split()]
    opened = datetime.fromisoformat(row["opened"]).astimezone() if row["opened"] else None
    named = _(", ").join(f"{_(VERDICTS[verdict])} {title_of(phrase)}" for verdict, _colon, phrase in faults)
    outcome = row["outcome"]
    return {
        **row,
        "opened": opened,
        "faults": named,
        "outcome": _(OUTCOMES[outcome]) if outcome in OUTCOMES else outcome,
    }


def _table(rows: list[dict[str, Any]], _: Any) -> Table:  # noqa: ANN401 - a translation
    columns = [
        Column("opened", _("opened"), "time"),
        Column("counter", _("counter")),
        Column("score", _("score"), "points"),
        Column("grade", _("grade")),
        Column("passed", _("passed"), "yes"),
        Column("score_after", _("score after review"), "points"),
        Column("faults", _("what is wrong")),
        Column("forbidden", _("offences"), "count"),
        Column("broken", _("rules broken"), "count"),
        Column("not_heard", _("not heard"), "count"),
        Column("unknown", _("cannot be told"), "count"),
        Column("outcome", _("outcome")),
        Column("seconds", _("length"), "seconds"),
        Column("lost_audio", _("audio lost"), "yes"),
        Column("reviewed", _("reviewed"), "yes"),
        Column("recording", _("recording")),
        Column("id", _("visit")),
    ]
    note = _("The newest {count} visits.").format(count=len(rows)) if len(rows) == MOST_IN_SHEET else ""
    return Table("visits", _("Visits"), columns, rows, note)
