"""Decides on every request, by the table of rights, before its page begins."""

from __future__ import annotations

from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from counter_listener.record import Account, Sight
from counter_listener.web.context import find_sight, site_of
from counter_listener.web.rights import PUBLIC, Person, may_use
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
    request.state.person = person = _person(request)
    if request.method not in SAFE and await is_forged(request):
        raise ForgedError
    route = route_of(request)
    if route in PUBLIC:
        return
    if person is None:
        raise NotSignedInError
    if not may_use(person.role, route, person.sight):
        raise NotAllowedError
    await run_in_threadpool(find_sight, request, person)


def _person(request: Request) -> Person | None:
    """Who is signed in. An account that was changed or closed since has to sign in again."""
    site, secret = site_of(request), request.session.get(SESSION)
    session = site.sessions.find(secret, site.now())
    if session is None or site.settings.accounts is None:
        return session.person if session else None
    account = site.settings.accounts.find(session.person.name)
    if account is None or datetime.fromisoformat(account.changed) > session.began:
        site.sessions.end(secret)
        return None
    return account_person(account)


def account_person(account: Account) -> Person:
    """Who signs in with an account. A clerk sees one counter alone, others all of their branch or region."""
    counter = account.counter if account.role == "clerk" else None
    return Person(account.name, account.role, Sight(counter, account.branch, account.region))
