"""The sound of a clip: opened in memory for who may hear it, in ranges, and noted."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import ClipError, ReviewError
from counter_listener.record import ask_for_clips
from counter_listener.web.clips import ranged, sound_of_clip
from counter_listener.web.context import noted, signed_in, site_of
from counter_listener.web.pages.visit import look_up
from counter_listener.web.rendering import path_part

router = APIRouter()
CLIP_TYPE = "audio/ogg"


@router.get("/visits/{visit}/clips/{number}")
def clip(request: Request, visit: str, number: int) -> Response:
    """The sound of a clip of a visit that the reader may see."""
    look_up(request, visit)
    site = site_of(request)
    try:
        _, sound = sound_of_clip(site.settings, visit, number, site.now())
    except ClipError:  # the page of the visit says why
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    answer = ranged(sound, request.headers.get("range"), CLIP_TYPE)
    return noted(request, answer, "heard", visit, f"clip {number}")


@router.post("/visits/{visit}/clips")
def ask(request: Request, visit: str) -> Response:
    """Asks the counter of a visit for its clips; it learns of it when it next sends its record."""
    look_up(request, visit)
    site, who = site_of(request), signed_in(request).name
    try:
        with site.records.writing() as record:
            record.change(lambda connection, _: ask_for_clips(connection, visit, who, site.now()), site.now())
    except ReviewError:  # the page does not offer it
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    answer = RedirectResponse(f"/visits/{path_part(visit)}#clips", HTTPStatus.SEE_OTHER)
    return noted(request, answer, "changed", visit, "clips asked for")
