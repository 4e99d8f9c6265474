"""Counters send their rows here, with tokens of their own; a code makes each of them known, once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import JSONResponse

from counter_listener.record import Counter, answer_values, enrol, read_batch, receipt_of, receive
from counter_listener.web.api.access import GuardedRoute, TooManyError
from counter_listener.web.context import site_of
from counter_listener.web.rendering import texts_of

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


@router.post("/receive", include_in_schema=False)
def receive_rows(request: Request, values: Values) -> JSONResponse:
    """Takes rows of a record, and answers up to where they are here, with a receipt."""
    site, now = site_of(request), site_of(request).now()
    counter: Counter = request.state.counter
    batch = read_batch(values)
    with site.records.writing() as record:
        answer = receive(record, batch, counter, now)
        receipt = receipt_of(record, batch, answer, now)
    told = {
        **answer_values(answer),
        "receipt": receipt.as_dict() if receipt else None,
        "now": now.isoformat(),
    }
    if answer.fault is not None:
        told["error"] = answer.fault.translated(texts_of(request)._)
    return JSONResponse(told, HTTPStatus.OK if answer.state == "ok" else HTTPStatus.CONFLICT)
