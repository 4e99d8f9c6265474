"""The counters: how each is, where it belongs, and whether it may send here; codes for new ones.

An account of a branch or a region sees and changes the counters of that part alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, AccountError, ReviewError, Sentence
from counter_listener.record import (
    Counter,
    FleetCounter,
    Place,
    accept_record_by,
    add_counter_by,
    close_counter_by,
    fleet,
    natural_order,
    set_place,
)
from counter_listener.web.context import sight_of, signed_in, site_of
from counter_listener.web.rendering import flash, render, texts_of, with_query
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
STANDINGS: Final = {
    "accepted": N_("accepted"),
    "waiting": N_("code not typed yet"),
    "closed": N_("closed"),
    "none": N_("does not send"),
}
"""Whether a counter may send here."""
SORTS: Final[dict[str, Callable[[FleetCounter], Any]]] = {
    "name": lambda one: natural_order(one.counter.name),
    "branch": lambda one: (one.counter.region or "", one.counter.branch or "", natural_order(one.counter.name)),
    "heard": lambda one: one.counter.heard or "",
    "waiting": lambda one: -one.waiting,
    "disk": lambda one: _number(one, "disk_free", float("inf")),
}


@router.get("/counters")
def counters_page(request: Request) -> Response:
    """The page."""
    return show_counters(request)


@router.get("/fleet")
def earlier_address(request: Request) -> Response:
    """The page had another address."""
    return RedirectResponse(f"/counters{with_query(request.query_params)}", HTTPStatus.PERMANENT_REDIRECT)


def show_counters(request: Request, told: str = "", code: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, `code` one that was just made."""
    site, asked = site_of(request), request.query_params
    with site.records.reading() as record:
        every = record.query(partial(fleet, now=site.now(), only=sight_of(request)))
    wanted = {name: asked.get(name, "") for name in ("branch", "region", "only")}
    return render(
        request,
        "counters.html",
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
        standings=STANDINGS,
        clock_off=CLOCK_OFF,
        little=LITTLE_DISK,
        receives=site.settings.receive,
        in_force={file_digest(path) for path in site.versions.folder.glob("*.toml")},
    )


def _is_wanted(one: FleetCounter, wanted: dict[str, str]) -> bool:
    return (
        wanted["branch"] in ("", one.counter.branch)
        and wanted["region"] in ("", one.counter.region)
        and (one.has_trouble if wanted["only"] == "trouble" else wanted["only"] in ("", one.standing))
    )


def _number(one: FleetCounter, name: str, missing: float) -> float:
    value = one.counter.state.get(name)
    return value if isinstance(value, int | float) else missing


@router.post("/counters")
def change_place(request: Request, name: Text = "", branch: Text = "", region: Text = "") -> Response:
    """Sets the branch and the region of a counter; who did it is a row of the record."""
    site, person = site_of(request), signed_in(request)
    try:
        with site.records.writing() as record:
            set_place(record, Place(name, branch, region), person.name, site.now(), person.sight)
    except (AccountError, ReviewError) as error:
        return _refused(request, error)
    return _done(request, N_("The counter is changed."))


@router.post("/counters/code")
def add(request: Request, name: Text = "", branch: Text = "", region: Text = "", many: Text = "") -> Response:
    """Adds a counter, or makes a new code for one, and shows the code this once."""
    site, person = site_of(request), signed_in(request)
    sight = person.sight
    wanted = Counter(
        name.strip(), branch.strip() or sight.branch or None, region.strip() or sight.region or None, bool(many)
    )
    try:
        with site.records.writing() as record:
            code = add_counter_by(record, wanted, person.name, site.now(), sight)
    except AccountError as error:
        return _refused(request, error)
    return show_counters(request, code=code)


@router.post("/counters/accept")
def accept(request: Request, name: Text = "") -> Response:
    """Takes the record of a counter as it is now."""
    return _changed(request, accept_record_by, name, N_("From now on the record of {name} is taken as it is."))


@router.post("/counters/close")
def close(request: Request, name: Text = "") -> Response:
    """Ends the token of a counter."""
    return _changed(request, close_counter_by, name, N_("{name} can send no more; what came from it stays."))


def _changed(request: Request, work: Callable[..., Counter], name: str, told: str) -> Response:
    site, person = site_of(request), signed_in(request)
    try:
        with site.records.writing() as record:
            found = work(record, name, person.name, site.now(), person.sight)
    except AccountError as error:
        return _refused(request, error)
    return _done(request, Sentence(told, {"name": found.name}))


def _done(request: Request, told: str | Sentence) -> Response:
    flash(request, told)
    return RedirectResponse("/counters", HTTPStatus.SEE_OTHER)


def _refused(request: Request, error: AccountError | ReviewError) -> Response:
    return show_counters(request, error.translated(texts_of(request)._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
