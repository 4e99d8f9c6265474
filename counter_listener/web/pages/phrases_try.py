"""A sentence is tried with a phrase set, typed or spoken; and what a version would change in the last month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from counter_listener.domain import KINDS, N_, VERDICTS, CounterListenerError, Speaker, Utterance, sentence
from counter_listener.judging import FEATURES
from counter_listener.web.context import site_of
from counter_listener.web.pages.phrases import Sent, link, text_in, version_of
from counter_listener.web.rendering import flash, render, render_text, texts_of
from counter_listener.web.set_work import Tried, try_sentence
from counter_listener.web.spoken import Spoken, SpokenError, hear
from counter_listener.web.versions import Version

router = APIRouter()
MOST_LETTERS: Final = 200
"""Of a sentence that is typed."""
SPEAKERS: Final = {"clerk": N_("clerk"), "customer": N_("customer"), "unknown": N_("one microphone for both")}
FINDINGS: Final = {**KINDS, "offence": KINDS["forbidden"], "trigger": KINDS["scenario"]}
PATIENCE: Final = 120.0
"""Seconds: the phrase set has to be made ready the first time."""


@router.post("/phrases/try")
def try_typed(request: Request, form: Sent) -> Response:
    """What the newest version finds in a typed sentence: a part of the page."""
    version = version_of(request, text_in(form, "set"), text_in(form, "version"))
    said = " ".join(text_in(form, "said").split())[:MOST_LETTERS]
    try:
        tried = _tried(request, version, said, text_in(form, "speaker"))
    except CounterListenerError as error:
        return render(request, "phrases_tried.html", HTTPStatus.UNPROCESSABLE_ENTITY, **_failed(request, said, error))
    return render(request, "phrases_tried.html", **_shown(request, tried, said))


@router.post("/phrases/spoken")
def try_spoken(request: Request, samples: Spoken) -> JSONResponse:
    """What the newest version finds in what was said; `html` is the part of the page that shows it."""
    query = request.query_params
    version = version_of(request, query.get("set", ""), query.get("version", ""))
    heard = hear(request, samples)
    try:
        tried = _tried(request, version, heard.utterances, query.get("speaker", ""))
    except CounterListenerError as error:
        raise SpokenError(error.sentence) from error
    part = render_text(request, "phrases_tried.html", **_shown(request, tried, heard.text))
    return JSONResponse({**heard.as_json(), "html": part})


def _tried(request: Request, version: Version, said: str | Sequence[Utterance], speaker: str) -> Tried:
    who = cast("Speaker", speaker if speaker in SPEAKERS else "clerk")
    return site_of(request).worker.run(try_sentence, version.path, version.digest, said, who, patience=PATIENCE)


def _failed(request: Request, said: str, error: CounterListenerError) -> dict[str, Any]:
    return {**_shown(request, None, said), "failed": error.translated(texts_of(request)._)}


def _shown(request: Request, tried: Tried | None, said: str) -> dict[str, Any]:
    told = texts_of(request)
    return {
        "tried": tried,
        "said": said,
        "failed": "",
        "kinds": FINDINGS,
        "feature": lambda name: told._(FEATURES.get(name, "")) or name,
    }


@router.get("/phrases/changes")
def changes(request: Request) -> Response:
    """What the newest version would change in the visits of the last month."""
    site, query = site_of(request), request.query_params
    newest = version_of(request, query.get("set", ""))
    in_force = site.versions.in_force(newest.name)
    done = site.estimates.result(newest, in_force)
    running = site.estimates.is_running(newest, in_force)
    if running and request.headers.get("hx-request"):
        return Response(status_code=HTTPStatus.NO_CONTENT)  # the page asks again
    values: dict[str, Any] = {
        "newest": newest,
        "in_force": in_force,
        "running": running,
        "busy": site.estimates.is_busy(),
        "done": done,
        "found": done.found if done else None,
        "failed": done.failed.translated(texts_of(request)._) if done and done.failed else "",
        "verdicts": VERDICTS,
        "moment": datetime.fromisoformat,
        "link": link,
    }
    return render(request, "phrases_changes.html", **values)


@router.post("/phrases/changes")
def find_changes(request: Request, form: Sent) -> Response:
    """Begins to judge the visits of the last month with the newest version."""
    site = site_of(request)
    newest = version_of(request, text_in(form, "set"))
    in_force = site.versions.in_force(newest.name)
    store, clock = site.settings.store, site.settings.clock
    if newest.digest != in_force.digest and not site.estimates.begin(store, newest, in_force, clock):
        flash(request, sentence("Another version is being compared; try again in a minute."), good=False)
    return RedirectResponse(link("/phrases/changes", set=newest.name), HTTPStatus.SEE_OTHER)
