"""The system: whether the record is sound and signed, space, models, counters heard last, users, purges."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_, AccountError, ConfigError, sentence
from counter_listener.record import Accounts, Token, counters_heard, fingerprint, record_state
from counter_listener.web.context import noted, site_of
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()
SILENT: Final = timedelta(days=3)
"""A counter that was not heard for this long is marked."""
LITTLE: Final = 2_000_000_000
"""Bytes of free space under which it is marked."""


@router.get("/system")
def system(request: Request) -> Response:
    """The page."""
    return show_system(request)


def show_system(request: Request, told: str = "", secret: str = "", status: int = HTTPStatus.OK) -> Response:
    """The page. `told` is what was wrong with what the reader sent, `secret` a token that was just made."""
    site = site_of(request)
    with site.records.reading() as record:
        state, heard = record.query(record_state), record.query(counters_heard)
        path, name, size = record.path, record.name, record.size()
    now = site.now()
    free = shutil.disk_usage(path.parent).free if path.exists() else None  # the disk of a server is its own
    return render(
        request,
        "system.html",
        status,
        told=told,
        secret=secret,
        tokens=[shown_token(each) for each in site.settings.tokens.tokens()] if site.settings.tokens else None,
        token_accounts=[each.name for each in site.settings.tokens.all() if not each.disabled]
        if site.settings.tokens
        else [],
        state=state,
        signed=datetime.fromisoformat(state.head.signed) if state.head else None,
        key=fingerprint(state.head.key) if state.head else None,
        path=name,
        size=size / 1e6,
        free=None if free is None else free / 1e9,
        is_little=free is not None and free < LITTLE,
        counters=[(counter, at, now - at > SILENT) for counter, at in heard],
        persons=site.sessions.persons(now),
        accounts=site.settings.accounts.all() if site.settings.accounts else [],
        checks=site.checks,
        fault=_fault(request),
        purges=[(purge, datetime.fromisoformat(purge.before)) for purge in state.purges if purge.before],
        now=now,
        report=site.scheduled.state(now),
        **notify_state(request),
    )


def notify_state(request: Request) -> dict[str, object]:
    """How the messages stand, and what is wrong with their settings, if anything."""
    try:
        return {"notices": site_of(request).notices.state(), "notices_fault": ""}
    except ConfigError as error:
        return {"notices": None, "notices_fault": error.translated(texts_of(request)._)}


@router.post("/system/notify")
def test_notices(request: Request) -> Response:
    """Sends a test message to all who get messages."""
    site, told = site_of(request), texts_of(request)
    if not site.notices.asked:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        failed = site.notices.test()
    except ConfigError as error:
        return show_system(request, told=error.translated(told._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if failed:
        text = sentence(
            "The message was not taken by {count} of the addresses: {kinds}", count=len(failed), kinds=", ".join(failed)
        )
        flash(request, text, good=False)
    else:
        flash(request, N_("The message was taken by every address."))
    return RedirectResponse("/system#notices", HTTPStatus.SEE_OTHER)


@router.post("/system/verify")
def verify(request: Request) -> Response:
    """Begins to verify the record."""
    site = site_of(request)
    if site.checks.begin(site.records, site.settings.clock):
        flash(request, N_("The record is being verified; load the page again after a while."))
    return RedirectResponse("/system", HTTPStatus.SEE_OTHER)


@router.post("/system/tokens")
def add_token(request: Request, account: Annotated[str, Form()] = "", title: Annotated[str, Form()] = "") -> Response:
    """Makes a token for an account, and shows it this once."""
    site, told = site_of(request), texts_of(request)
    kept = tokens_of(request)
    try:
        made, secret = kept.add_token(account, title, site.now())
    except AccountError as error:
        return show_system(request, told=error.translated(told._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return noted(request, show_system(request, secret=secret), "changed", what=f"token {made.id} of {made.account}")


@router.post("/system/tokens/revoke")
def revoke_token(request: Request, number: Annotated[int, Form(ge=1)]) -> Response:
    """Revokes a token."""
    told = texts_of(request)
    try:
        ended = tokens_of(request).end_token(number, site_of(request).now())
    except AccountError as error:
        return show_system(request, told=error.translated(told._), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(request, N_("The token is revoked."))
    answer = RedirectResponse("/system#tokens", HTTPStatus.SEE_OTHER)
    return noted(request, answer, "changed", what=f"token {ended.id} of {ended.account}")


def tokens_of(request: Request) -> Accounts:
    """The accounts that have tokens. Raises HTTPException where there are none, as in a demo."""
    kept = site_of(request).settings.tokens
    if kept is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return kept


def shown_token(token: Token) -> tuple[Token, datetime | None, datetime | None]:
    """A token, when it was used last, and when it was revoked."""
    used, ended = (None if each is None else datetime.fromisoformat(each) for each in (token.used, token.ended))
    return token, used, ended


def _fault(request: Request) -> str | None:
    """What the last verification found, in the language of the reader; None if all is well."""
    last, told = site_of(request).checks.last, texts_of(request)
    if last is None:
        return None
    if last.failed is not None:
        return last.failed.translated(told._)
    broken = last.found.broken if last.found else None
    return broken.wrong.translated(told._) if broken is not None else None
