"""The overview: what a supervisor needs to know of the period in three sentences, and the figures behind them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.web.rendering import render

router = APIRouter()


@router.get("/")
def overview(request: Request) -> Response:
    """The overview."""
    return render(request, "overview.html")
