"""The system: whether the record is sound and signed, space, models, counters heard last, users, purges."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import N_
from counter_listener.record import counters_heard, fingerprint, record_state
from counter_listener.web.context import site_of
from counter_listener.web.rendering import flash, render, texts_of

router = APIRouter()
SILENT: Final = timedelta(days=3)
"""A counter that was not heard for this long is marked."""
LITTLE: Final = 2_000_000_000
"""Bytes of free space under which it is marked."""


@router.get("/system")
def system(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    with site.records.reading() as record:
        state, heard, path = record.query(record_state), record.query(counters_heard), record.path
    now = site.now()
    space = shutil.disk_usage(path.parent)
    return render(
        request,
        "system.html",
        state=state,
        signed=datetime.fromisoformat(state.head.signed) if state.head else None,
        key=fingerprint(state.head.key) if state.head else None,
        path=str(path),
        size=path.stat().st_size / 1e6,
        free=space.free / 1e9,
        is_little=space.free < LITTLE,
        counters=[(counter, at, now - at > SILENT) for counter, at in heard],
        persons=site.sessions.persons(now),
        accounts=site.settings.accounts.all() if site.settings.accounts else [],
        checks=site.checks,
        fault=_fault(request),
        purges=[(purge, datetime.fromisoformat(purge.before)) for purge in state.purges if purge.before],
        now=now,
    )


@router.post("/system/verify")
def verify(request: Request) -> Response:
    """Begins to verify the record."""
    site = site_of(request)
    if site.checks.begin(site.records, site.settings.clock):
        flash(request, N_("The record is being verified; load the page again after a while."))
    return RedirectResponse("/system", HTTPStatus.SEE_OTHER)


def _fault(request: Request) -> str | None:
    """What the last verification found, in the language of the reader; None if all is well."""
    last, told = site_of(request).checks.last, texts_of(request)
    if last is None:
        return None
    if last.failed is not None:
        return last.failed.translated(told._)
    broken = last.found.broken if last.found else None
    return broken.wrong.translated(told._) if broken is not None else None
