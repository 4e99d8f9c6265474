"""The sound of a clip: opened in memory for who may hear it, in ranges, and noted."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.domain import ClipError
from counter_listener.web.clips import ranged, sound_of_clip
from counter_listener.web.context import noted, site_of
from counter_listener.web.pages.visit import look_up

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
