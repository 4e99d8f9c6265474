"""Decides on every request of a program, by its token and the table of rights, before anything else of it is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from counter_listener.record import Counter, counter_of_token
from counter_listener.web.access import NotAllowedError, account_person
from counter_listener.web.context import find_sight, site_of
from counter_listener.web.rights import FOR_COUNTERS, PUBLIC, may_use

PREFIX: Final = "/api/v1"
SCHEME: Final = "bearer "


class NoTokenError(Exception):
    "The request has no token, or one that is not known or has ended."


class TooManyError(Exception):
    "The address sent too many tokens that are not known."


class GuardedRoute(APIRoute):
    """A route that looks at the token before path, query and body are read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the token."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await run_in_threadpool(authorise, request, f"{request.method} {PREFIX}{self.path}")
            return await handle(request)

        return guarded


def authorise(request: Request, route: str) -> None:
    """Lets a request pass, and notes who sent it. Raises NoTokenError, TooManyError, NotAllowedError, RecordError."""
    if route in PUBLIC:
        return
    site = site_of(request)
    if route in FOR_COUNTERS and not site.settings.receive:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    secret = token_of(request.headers.get("authorization", ""))
    if not secret:
        raise NoTokenError
    if route in FOR_COUNTERS:
        request.state.counter = _counter(request, secret)
        return
    account = site.settings.tokens.of_token(secret, site.now()) if site.settings.tokens else None
    if account is None:
        raise _refusal(request)
    request.state.person = person = account_person(account)
    if not may_use(person.role, route, person.sight):
        raise NotAllowedError
    find_sight(request, person)


def _counter(request: Request, secret: str) -> Counter:
    with site_of(request).records.reading() as record:
        counter = record.query(partial(counter_of_token, secret=secret))
    if counter is None:
        raise _refusal(request)
    return counter


def _refusal(request: Request) -> Exception:
    site, address = site_of(request), request.client.host if request.client else ""
    return TooManyError() if site.refused.add(address, site.now()) else NoTokenError()


def token_of(header: str) -> str:
    """The token in an Authorization header; empty if there is none."""
    return header[len(SCHEME) :].strip() if header.lower().startswith(SCHEME) else ""
