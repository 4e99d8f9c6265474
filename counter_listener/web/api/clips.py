"""Counters answer here what reviewers asked them for: the clips of a visit, or that there are none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import JSONResponse

from counter_listener.record import take_clip_answer
from counter_listener.web.api.access import GuardedRoute
from counter_listener.web.context import site_of

router = APIRouter(route_class=GuardedRoute)


@router.post("/clips", include_in_schema=False)
def take_clips(request: Request, values: Annotated[dict[str, Any], Body()]) -> JSONResponse:
    """Takes a clip that was asked for, or the end of an answer."""
    site = site_of(request)
    with site.records.writing() as record:
        take_clip_answer(record, request.state.counter, values, site.now())
    return JSONResponse({"taken": True})
