"""Decides on every request, by the table of rights, before its page begins."""

from __future__ import annotations

from starlette.requests import Request

from counter_listener.web.context import site_of
from counter_listener.web.rights import PUBLIC, Account, may_use
from counter_listener.web.security import SAFE, is_forged

SESSION: str = "id"
"""Where the cookie has the secret of the session."""


class NotSignedInError(Exception):
    "The page needs sign-in."


class NotAllowedError(Exception):
    "The role may not use this page."


class ForgedError(Exception):
    "The form came from elsewhere, or from a page that was opened before the last sign-in."


def route_of(request: Request) -> str:
    """Method and path of the route, as in the table of rights."""
    method = "GET" if request.method == "HEAD" else request.method
    return f"{method} {request.scope['route'].path}"


async def authorise(request: Request) -> None:
    """Lets a request pass, and notes who sent it. Raises NotSignedInError, NotAllowedError, ForgedError."""
    request.state.account = account = _account(request)
    if request.method not in SAFE and await is_forged(request):
        raise ForgedError
    route = route_of(request)
    if route in PUBLIC:
        return
    if account is None:
        raise NotSignedInError
    if not may_use(account.role, route):
        raise NotAllowedError


def _account(request: Request) -> Account | None:
    """The account of the session as it is now: what was closed or changed meanwhile counts at once."""
    site, secret = site_of(request), request.session.get(SESSION)
    session = site.sessions.find(secret, site.now())
    if session is None:
        return None
    if site.settings.accounts is None:
        return session.account
    account = site.settings.accounts.find(session.account.name)
    if account is None:
        site.sessions.end(secret)
    return account
