"""Counters send their rows here, with tokens of their own; a code makes each of them known, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from counter_listener.record import (
    Counter,
    answer_values,
    clips_wanted,
    enrol,
    read_batch,
    receipt_of,
    receive,
    signed_offer,
    signed_retention,
)
from counter_listener.web.api.access import GuardedRoute, TooManyError
from counter_listener.web.context import Site, site_of
from counter_listener.web.rendering import texts_of
from counter_listener.web.versions import file_digest

if TYPE_CHECKING:
    from counter_listener.record import Record

router = APIRouter(route_class=GuardedRoute)
Values = Annotated[dict[str, Any], Body()]


@router.post("/enrol", include_in_schema=False)
def enrol_counter(request: Request, values: Values) -> JSONResponse:
    """The token of the counter that a code was made for; the code is used up."""
    site, address = site_of(request), request.client.host if request.client else ""
    if not site.settings.receive:
        return JSONResponse({"error": "serve --receive"}, HTTPStatus.NOT_FOUND)
    if site.codes.add(address, site.now()):
        raise TooManyError
    code = str(values.get("code", ""))
    with site.records.writing() as record:
        counter, secret = record.change(lambda connection, _: enrol(connection, code, site.now()), site.now())
        key = record.key.public if record.key else None
    return JSONResponse({"counter": counter.name, "token": secret, "key": key, "branch": counter.branch})


@router.post("/handed", include_in_schema=False)
def hand_out(request: Request, values: Values) -> JSONResponse:
    """The text of a phrase set that is in force here."""
    for path in in_force(site_of(request)):
        if path.stem == values.get("name") and file_digest(path) == values.get("sha256"):
            return JSONResponse({"text": path.read_bytes().decode()})
    raise HTTPException(HTTPStatus.NOT_FOUND)


def in_force(site: Site) -> list[Path]:
    """The files of the sets that were put in force on the pages."""
    return sorted(site.versions.folder.glob("*.toml"))


def offers(site: Site, record: Record) -> list[dict[str, object]]:
    """The phrase sets that are handed out: those in force here, each from the next time of day that was set."""
    made = []
    for path in in_force(site) if record.key else ():
        put = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        since = put.replace(hour=site.settings.phrases_at.hour, minute=site.settings.phrases_at.minute, second=0)
        since = since.replace(microsecond=0) + (timedelta(days=1) if since <= put else timedelta())
        made.append(signed_offer(record, path.stem, file_digest(path), since))
    return made


@router.post("/receive", include_in_schema=False)
def receive_rows(request: Request, values: Values) -> JSONResponse:
    """Takes rows of a record, and answers up to where they are here, with a receipt."""
    site, now = site_of(request), site_of(request).now()
    counter: Counter = request.state.counter
    batch = read_batch(values)
    with site.records.writing() as record:
        answer = receive(record, batch, counter, now)
        receipt, handed = receipt_of(record, batch, answer, now), offers(site, record)
        wanted = record.query(lambda connection: clips_wanted(connection, counter))
        retention = signed_retention(record, counter)
    told = {
        **answer_values(answer),
        "receipt": receipt.as_dict() if receipt else None,
        "now": now.isoformat(),
        "phrases": handed,
        "clips": wanted,
        "retention": retention,
    }
    if answer.fault is not None:
        told["error"] = answer.fault.translated(texts_of(request)._)
    return JSONResponse(told, HTTPStatus.OK if answer.state == "ok" else HTTPStatus.CONFLICT)
