"""Signing in and out, and what a browser remembers without an account: language and colours."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, CounterListenerError
from counter_listener.web.access import SESSION, account_person
from counter_listener.web.context import noted, person_of, site_of
from counter_listener.web.rendering import THEMES, flash, render, texts_of
from counter_listener.web.rights import Person

router = APIRouter()
NOBODY = ""
"""Who failed with a name that is no account's: it is not written, for some type their password there."""
WRONG = N_("The name or the password is wrong.")
USED = N_("This link was used already, or the server was started again since. Start `serve` again for a new one.")


@router.get("/sign-in")
def form(request: Request, to: str = "/") -> Response:
    """The form, or on one's own machine how to get a link."""
    if person_of(request):
        return RedirectResponse(own_path(to), HTTPStatus.SEE_OTHER)
    return render(request, "sign_in.html", to=own_path(to), wrong=None, name="")


@router.post("/sign-in")
async def sign_in(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Begins a session, if name and password are right."""
    site, told = site_of(request), texts_of(request)
    accounts, address = site.settings.accounts, request.client.host if request.client else ""
    page = partial(render, request, "sign_in.html", HTTPStatus.UNPROCESSABLE_ENTITY, to=own_path(to), name=name)
    try:
        found = await run_in_threadpool(accounts.sign_in, name, password, site.now(), address) if accounts else None
    except CounterListenerError as error:  # it was not looked at: who guesses fills no record
        return page(wrong=error.translated(told._))
    if found is None:
        known = name if accounts and accounts.find(name) else NOBODY
        return noted(request, page(wrong=told._(WRONG)), "failed_sign_in", what=address, by=known)
    _begin(request, account_person(found))
    answer = RedirectResponse(own_path(to), HTTPStatus.SEE_OTHER)
    return noted(request, answer, "signed_in", what=address, by=found.name)


@router.get("/sign-in/once")
def once(request: Request, key: str = "") -> Response:
    """Signs in who opens the one-time link on the machine itself."""
    site = site_of(request)
    if site.settings.accounts is None and site.once.use(key):
        _begin(request, Person(site.settings.local_user, "local"))
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        return noted(request, answer, "signed_in", by=site.settings.local_user)
    if not person_of(request):
        flash(request, USED, good=False)
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Ends the session."""
    site_of(request).sessions.end(request.session.get(SESSION))
    _forget(request)
    return noted(request, RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER), "signed_out")


@router.post("/settings")
def remember(
    request: Request,
    lang: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Remembers language and colours in the browser."""
    if lang in ("zh", "en"):
        request.session["lang"] = lang
    if theme in THEMES:
        request.session["theme"] = theme
    return RedirectResponse(own_path(to), HTTPStatus.SEE_OTHER)


def _begin(request: Request, person: Person) -> None:
    """Begins a session with a cookie that nobody knew before the sign-in."""
    site = site_of(request)
    site.sessions.end(request.session.get(SESSION))
    _forget(request)
    request.session[SESSION] = site.sessions.begin(person, site.now())


def _forget(request: Request) -> None:
    """Empties the cookie, but for language and colours."""
    kept = {name: value for name, value in request.session.items() if name in ("lang", "theme")}
    request.session.clear()
    request.session.update(kept)


def own_path(address: str) -> str:
    """The address, if it is a path of this server; else that of the overview."""
    parts = urlsplit(address) if address.isprintable() and "\\" not in address else None
    is_own = parts is not None and not parts.scheme and not parts.netloc and address.startswith("/")
    return address if is_own and not address.startswith("//") else "/"
