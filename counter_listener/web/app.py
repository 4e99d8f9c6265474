"""Makes the application: middleware, routes and what is shown when something is wrong."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Final, Protocol

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from counter_listener.domain import N_, CounterListenerError
from counter_listener.record import RecordPool, record_file
from counter_listener.web.access import ForgedError, NotAllowedError, NotSignedInError, authorise
from counter_listener.web.api import API_ROUTES, PREFIX, make_api
from counter_listener.web.checks import Checks
from counter_listener.web.context import Once, Site
from counter_listener.web.estimates import Estimates
from counter_listener.web.kept import Kept
from counter_listener.web.own_work import OwnWork, make_own_work
from counter_listener.web.pages import ROUTERS
from counter_listener.web.refused import Refused
from counter_listener.web.rendering import make_templates, path_part, render, texts_of
from counter_listener.web.rights import unlisted
from counter_listener.web.security import Guard
from counter_listener.web.sessions import Sessions
from counter_listener.web.sets import use_versions
from counter_listener.web.settings import Settings
from counter_listener.web.sound import Sounds
from counter_listener.web.spoken import SpokenError, spoken_error
from counter_listener.web.versions import Versions
from counter_listener.web.worker import Worker

Handler = Callable[[Request, Exception], Response]
COOKIE: Final = "counter_listener"
TITLES: Final = {
    400: N_("The address or the form is not right"),
    403: N_("Not allowed"),
    404: N_("There is no such page"),
    405: N_("There is no such page"),
    413: N_("Too long"),
    500: N_("Something went wrong"),
    503: N_("The record cannot be read"),
}
CURES: Final = {
    400: N_("Go back, and correct what you entered."),
    403: N_("Your role may not see or do this. Ask an administrator if you need it."),
    404: N_("It may have been removed by a purge, or the address is mistyped."),
    405: N_("It may have been removed by a purge, or the address is mistyped."),
    413: N_("Send less at once."),
    500: N_("Nothing that was acknowledged is lost. Try again; if it happens again, tell who looks after the server."),
}
FORGED: Final = N_("This page was opened too long ago, or in another window before you signed in. Load it again.")


def create_app(settings: Settings) -> FastAPI:
    """The application. The record is opened when the first page needs it."""
    records = RecordPool(settings.store, key_file=settings.key_file)
    sounds, worker, estimates = Sounds(), Worker(), Estimates()
    versions = Versions(record_file(settings.store))
    use_versions(versions)
    own = make_own_work(settings, records)
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(authorise)],
        lifespan=_lifespan(own, records, sounds, worker, estimates),
        middleware=_middleware(settings),
    )
    for router in ROUTERS:
        app.include_router(router)
    routes = route_names()
    if forgotten := list(unlisted(routes)):
        raise RuntimeError(f"routes without rights: {forgotten}")
    sessions = Sessions(settings.idle, settings.longest)
    app.state.site = site = Site(
        settings=settings,
        sessions=sessions,
        once=Once(settings.once),
        records=records,
        sounds=sounds,
        refused=Refused(),
        checks=Checks(),
        figures=Kept(),
        manner=Kept(),
        templates=make_templates(),
        routes=frozenset(routes),
        worker=worker,
        versions=versions,
        estimates=estimates,
        scheduled=own.scheduled,
        notices=own.notices,
        jobs=own.jobs,
        daily=own.daily,
    )
    _handle_errors(app)
    api = make_api()
    api.state.site = site
    app.mount(PREFIX, api)
    return app


class Closable(Protocol):
    """What is to be closed when the server ends."""

    def close(self) -> None:
        """Closes it."""
        ...


def _lifespan(own: OwnWork, *others: Closable) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        own.begin()
        yield
        for each in (own, *others):
            each.close()

    return lifespan


def _middleware(settings: Settings) -> list[Middleware]:
    sessions = Middleware(
        SessionMiddleware,
        secret_key=secrets.token_hex(32),
        session_cookie=COOKIE,
        max_age=None,
        same_site="lax",
        https_only=settings.secure,
    )
    return [Middleware(Guard, names=settings.names), sessions]


def route_names() -> list[str]:
    """Method and path of every route, as in the table of rights."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    pages = (f"{method} {route.path}" for route in routes for method in sorted(route.methods or ()))
    return [*(route for route in pages if not route.startswith("HEAD ")), *API_ROUTES]


def _handle_errors(app: FastAPI) -> None:
    handlers: dict[type[Exception], Handler] = {
        NotSignedInError: _not_signed_in,
        NotAllowedError: _status_page(HTTPStatus.FORBIDDEN),
        ForgedError: _forged,
        RequestValidationError: _status_page(HTTPStatus.BAD_REQUEST),
        HTTPException: _http_error,
        SpokenError: spoken_error,
        CounterListenerError: _our_error,
        Exception: _status_page(HTTPStatus.INTERNAL_SERVER_ERROR),
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


def error_page(request: Request, status: int, told: str | None = None) -> Response:
    """The page that says what is wrong and what helps. `told` is a sentence in the reader's language."""
    known = status if status in TITLES else HTTPStatus.BAD_REQUEST if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500
    if "session" not in request.scope:  # what failed is outside of the sessions
        return PlainTextResponse(TITLES[known], status)
    said = texts_of(request)
    sentence = told or said._(CURES.get(known, CURES[HTTPStatus.BAD_REQUEST]))
    return render(request, "error.html", status, title=said._(TITLES[known]), sentence=sentence)


def _status_page(status: int) -> Handler:
    def handle(request: Request, _error: Exception) -> Response:
        return error_page(request, status)

    return handle


def _not_signed_in(request: Request, _error: Exception) -> Response:
    if request.method != "GET" or request.headers.get("hx-request") or "text/html" not in _accept(request):
        return error_page(request, HTTPStatus.UNAUTHORIZED)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" + (f"?to={path_part(here)}" if here != "/" else ""), HTTPStatus.SEE_OTHER)


def _accept(request: Request) -> str:
    return request.headers.get("accept", "text/html").replace("*/*", "text/html")


def _forged(request: Request, _error: Exception) -> Response:
    return error_page(request, HTTPStatus.FORBIDDEN, texts_of(request)._(FORGED))


def _http_error(request: Request, error: Exception) -> Response:
    return error_page(request, error.status_code if isinstance(error, HTTPException) else 500)


def _our_error(request: Request, error: Exception) -> Response:
    told = error.translated(texts_of(request)._) if isinstance(error, CounterListenerError) else None
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, told)
