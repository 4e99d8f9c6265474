"""For programs that look after the server: whether it lives, whether it is ready, and its figures."""

from __future__ import annotations

import ipaddress
import secrets
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from counter_listener.domain import CounterListenerError
from counter_listener.record import record_state
from counter_listener.web.context import site_of
from counter_listener.web.metrics import TYPE, metrics_text
from counter_listener.web.server_file import METRICS_TOKEN, secret

router = APIRouter()


@router.get("/healthz")
def alive() -> Response:
    """Whether the server lives: it answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> Response:
    """Whether the server can show pages: the record can be read."""
    try:
        with site_of(request).records.reading() as record:
            record.query(record_state)
    except CounterListenerError:
        return PlainTextResponse("the record cannot be read\n", HTTPStatus.SERVICE_UNAVAILABLE)
    return PlainTextResponse("ok\n")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """The figures for Prometheus: for programs on this machine, and for those that have the token."""
    if not may_read(request):
        return PlainTextResponse("this needs the token of the settings\n", HTTPStatus.FORBIDDEN)
    return Response(metrics_text(site_of(request)), media_type=TYPE)


def may_read(request: Request) -> bool:
    """Whether the figures may be shown. Behind another server everybody seems to be on this machine."""
    settings = site_of(request).settings
    given = settings.server.metrics
    try:
        token = secret(given.token_file, given.token_variable, METRICS_TOKEN)
    except CounterListenerError:
        token = ""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(token.encode(), shown.encode()):
        return True
    return not settings.behind_proxy and _is_here(request.client.host if request.client else "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
