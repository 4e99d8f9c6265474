"""The counters that send here: when each was heard from, what it runs, what is wrong; codes for new ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, AccountError, Sentence
from counter_listener.record import (
    Counter,
    FleetCounter,
    Record,
    accept_record_by,
    add_counter_by,
    close_counter_by,
    fleet,
)
from counter_listener.web.context import signed_in, site_of
from counter_listener.web.rendering import flash, render, texts_of
from counter_listener.web.versions import file_digest

router = APIRouter()
Text = Annotated[str, Form()]
CLOCK_OFF: Final = 30.0
"""Seconds by which a clock may be off before it is marked."""
LITTLE_DISK: Final = 2e9
"""Bytes of free space under which it is marked."""
CHAINS: Final = {
    "ok": N_("whole"),
    "rewritten": N_("rewritten"),
    "cut": N_("cut off"),
    "replaced": N_("replaced by another"),
}
"""What is known of the record of a counter."""
SORTS: Final[dict[str, Callable[[FleetCounter], Any]]] = {
    "name": lambda one: one.counter.name,
    "branch": lambda one: (one.counter.region or "", one.counter.branch or "", one.counter.name),
    "heard": lambda one: one.counter.heard or "",
    "waiting": lambda one: -one.waiting,
    "disk": lambda one: _number(one, "disk_free", float("inf")),
}


@router.get("/fleet")
def counters_page(request: Request) -> Response:
    """The page."""
    return show_fleet(request)


def show_fleet(request: Request, told: str = "", code: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, `code` one that was just made."""
    site, asked = site_of(request), request.query_params
    with site.records.reading() as record:
        every = record.query(partial(fleet, now=site.now()))
    wanted = {name: asked.get(name, "") for name in ("branch", "region", "only")}
    return render(
        request,
        "fleet.html",
        status,
        told=told,
        code=code,
        shown=sorted(
            (each for each in every if _is_wanted(each, wanted)), key=SORTS.get(asked.get("sort", ""), SORTS["name"])
        ),
        count=len(every),
        branches=sorted({each.counter.branch for each in every if each.counter.branch}),
        regions=sorted({each.counter.region for each in every if each.counter.region}),
        sort=asked.get("sort", "name"),
        chains=CHAINS,
        clock_off=CLOCK_OFF,
        little=LITTLE_DISK,
        receives=site.settings.receive,
        in_force={file_digest(path) for path in site.versions.folder.glob("*.toml")},
    )


def _is_wanted(one: FleetCounter, wanted: dict[str, str]) -> bool:
    return (
        wanted["branch"] in ("", one.counter.branch)
        and wanted["region"] in ("", one.counter.region)
        and (wanted["only"] != "trouble" or one.has_trouble)
    )


def _number(one: FleetCounter, name: str, missing: float) -> float:
    value = one.counter.state.get(name)
    return value if isinstance(value, int | float) else missing


@router.post("/fleet")
def add(request: Request, name: Text = "", branch: Text = "", region: Text = "", many: Text = "") -> Response:
    """Adds a counter, or makes a new code for one, and shows the code this once."""
    wanted = Counter(name.strip(), branch.strip() or None, region.strip() or None, bool(many))
    site = site_of(request)
    try:
        with site.records.writing() as record:
            code = add_counter_by(record, wanted, signed_in(request).name, site.now())
    except AccountError as error:
        return _refused(request, error)
    return show_fleet(request, code=code)


@router.post("/fleet/accept")
def accept(request: Request, name: Text = "") -> Response:
    """Takes the record of a counter as it is now."""
    return _changed(request, accept_record_by, name, N_("From now on the record of {name} is taken as it is."))


@router.post("/fleet/close")
def close(request: Request, name: Text = "") -> Response:
    """Ends the token of a counter."""
    return _changed(request, close_counter_by, name, N_("{name} can send no more; what came from it stays."))


def _changed(request: Request, work: Callable[[Record, str, str, datetime], Counter], name: str, told: str) -> Response:
    site = site_of(request)
    try:
        with site.records.writing() as record:
            found = work(record, name, signed_in(request).name, site.now())
    except AccountError as error:
        return _refused(request, error)
    flash(request, Sentence(told, {"name": found.name}))
    return RedirectResponse("/fleet", HTTPStatus.SEE_OTHER)


def _refused(request: Request, error: AccountError) -> Response:
    return show_fleet(request, error.translated(texts_of(request)._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
