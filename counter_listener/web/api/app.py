"""The application behind `/api/v1`: its routes, and errors as one sentence in JSON."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from counter_listener import __version__
from counter_listener.domain import (
    N_,
    AccountError,
    BatchError,
    ClipError,
    CounterListenerError,
    ReviewConflict,
    ReviewError,
)
from counter_listener.web.access import NotAllowedError
from counter_listener.web.api import clips, figures, receiving, rows, visits
from counter_listener.web.api.access import PREFIX, GuardedRoute, NoTokenError, TooManyError
from counter_listener.web.api.models import Problem
from counter_listener.web.refused import WINDOW
from counter_listener.web.rendering import texts_of

ABOUT: Final = """Reads visits, events, reviews and figures of a record of Counter Listener, and writes reviews.

Send a token as `Authorization: Bearer TOKEN`. An administrator makes one with `counter-listener accounts token add`.
It has the rights of its account: that of a clerk sees one counter. Times are ISO 8601 in UTC, scores 0-100, shares 0-1.
What fields mean is in docs/events.md. An error is an object with one sentence, `error`, in the language of
Accept-Language (zh or en)."""
BEARER: Final = HTTPBearer(auto_error=False, description="A token of an account.")
ROUTERS: Final = (visits.router, rows.router, figures.router, receiving.router, clips.router)
SENTENCES: Final = {
    400: N_("The request is not right."),
    401: N_("The request needs a token that is known and has not ended, as `Authorization: Bearer TOKEN`."),
    403: N_("The account of this token may not do this."),
    404: N_("There is nothing here, or the account of this token may not see it."),
    405: N_("This address does not take this method."),
    413: N_("The request is too long."),
    422: N_("Something in the request is not right."),
    429: N_("Too many tokens that are not known came from this address; wait a quarter of an hour."),
    500: N_("Something went wrong; nothing that was acknowledged is lost."),
}
FIELD: Final = N_("The field {name} is missing, unknown or not right; /api/v1/openapi.json tells what it may hold.")
API_ROUTES: Final = (
    *(
        f"{method} {PREFIX}{route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ),
    f"GET {PREFIX}/openapi.json",
)
"""Method and path of every route, as in the table of rights."""


def make_api() -> FastAPI:
    """The application; the one that mounts it gives it its `state.site`."""
    api = FastAPI(
        title="Counter Listener",
        description=ABOUT,
        version=__version__,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        dependencies=[Security(BEARER)],
        responses={code: {"model": Problem, "description": SENTENCES[code]} for code in (401, 403, 422, 429)},
    )
    api.router.route_class = GuardedRoute
    for router in ROUTERS:
        api.include_router(router)
    handlers: dict[type[Exception], Callable[[Request, Exception], Response]] = {
        NoTokenError: _no_token,
        TooManyError: _too_many,
        NotAllowedError: lambda request, _: problem(request, HTTPStatus.FORBIDDEN),
        RequestValidationError: _wrong_field,
        HTTPException: _http_error,
        CounterListenerError: _our_error,
        Exception: lambda request, _: problem(request, HTTPStatus.INTERNAL_SERVER_ERROR),
    }
    for error, handler in handlers.items():
        api.add_exception_handler(error, handler)
    return api


def problem(request: Request, status: int, told: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error. `told` is a sentence in the reader's language."""
    sentence = told or texts_of(request)._(SENTENCES.get(status, SENTENCES[HTTPStatus.BAD_REQUEST]))
    return JSONResponse({"error": sentence}, status, headers)


def _no_token(request: Request, _error: Exception) -> Response:
    return problem(request, HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def _too_many(request: Request, _error: Exception) -> Response:
    wait = {"Retry-After": str(int(WINDOW.total_seconds()))}
    return problem(request, HTTPStatus.TOO_MANY_REQUESTS, headers=wait)


def _wrong_field(request: Request, error: Exception) -> Response:
    places = [fault["loc"] for fault in error.errors()] if isinstance(error, RequestValidationError) else []
    names = dict.fromkeys(str(place[-1]) for place in places)
    told = texts_of(request)._(FIELD).format(name=", ".join(names).encode("utf-8", "backslashreplace").decode()[:200])
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, told)


def _http_error(request: Request, error: Exception) -> Response:
    return problem(request, error.status_code if isinstance(error, HTTPException) else 500)


def _our_error(request: Request, error: Exception) -> Response:
    unprocessable = (ReviewError, BatchError, AccountError, ClipError)
    kinds = ((ReviewConflict, HTTPStatus.CONFLICT), (unprocessable, HTTPStatus.UNPROCESSABLE_ENTITY))
    status = next((status for kind, status in kinds if isinstance(error, kind)), HTTPStatus.SERVICE_UNAVAILABLE)
    told = error.translated(texts_of(request)._) if isinstance(error, CounterListenerError) else ""
    return problem(request, status, told.encode("utf-8", "backslashreplace").decode())
