"""The counters: which branch and which region each belongs to. Whoever changes it is noted in the record."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, ReviewError
from counter_listener.record import Place, branches_of, known_counters, places_in, regions_of, set_place, with_names
from counter_listener.web.context import sight_of, signed_in, site_of
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()


@router.get("/counters")
def counters(request: Request) -> Response:
    """The page."""
    return show_counters(request)


def show_counters(request: Request, told: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, in the reader's language."""
    seen = sight_of(request)
    with site_of(request).records.reading() as record:
        placed = record.query(partial(places_in, only=seen))
        known = record.query(partial(known_counters, only=seen))
    return render(
        request,
        "counters.html",
        status,
        places=with_names(known, placed),
        branches=branches_of(placed),
        regions=regions_of(placed),
        told=told,
    )


@router.post("/counters")
def change_place(
    request: Request,
    name: Annotated[str, Form()] = "",
    branch: Annotated[str, Form()] = "",
    region: Annotated[str, Form()] = "",
) -> Response:
    """Sets the branch and the region of a counter."""
    site, told = site_of(request), texts_of(request)
    try:
        with site.records.writing() as record:
            set_place(record, Place(name, branch, region), signed_in(request).name, site.now())
    except ReviewError as error:
        return show_counters(request, error.translated(told._), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(request, N_("The counter is changed."))
    return RedirectResponse("/counters", HTTPStatus.SEE_OTHER)
