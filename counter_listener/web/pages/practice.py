"""Practice: a customer's line is shown and spoken, the clerk answers, and sees what was heard and what was missing.

Nothing of it is in the record. How often a line was answered rightly is in the file of the accounts, for who practised
alone; what was said is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Header
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from counter_listener.domain import N_, CounterListenerError, PhraseSet
from counter_listener.record import Practice, Practised, accounts_file, record_file, record_state
from counter_listener.web.context import Site, signed_in, site_of
from counter_listener.web.dialogues import Dialogue, dialogues
from counter_listener.web.practice import Answer, judge_answer, prepare
from counter_listener.web.rendering import flash, render, texts_of
from counter_listener.web.sets import file_of, phrase_sets
from counter_listener.web.spoken import MOST_SECONDS, Spoken, hear, may_record

router = APIRouter()
LONGEST = 200
"""Letters of an answer."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A dialogue, and how many of its lines were answered rightly."""

    dialogue: Dialogue
    right: int
    tried: int


@router.get("/practice")
def practice(request: Request) -> Response:
    """The dialogues."""
    done = practice_of(site_of(request)).of(owner(request))
    phrases, _ = set_in_use(site_of(request))
    return render(
        request,
        "practice.html",
        listed=[_listed(each, done) for each in dialogues(phrases.language)],
        phrases=phrases,
        language=html_language(phrases),
        has_progress=bool(done),
    )


def _listed(dialogue: Dialogue, done: Mapping[tuple[str, int], Practised]) -> Listed:
    own = [done[dialogue.id, number] for number in range(1, len(dialogue.turn) + 1) if (dialogue.id, number) in done]
    return Listed(dialogue, sum(each.right > 0 for each in own), len(own))


@router.post("/practice/forget")
def forget(request: Request) -> Response:
    """Erases what the reader practised."""
    practice_of(site_of(request)).forget(owner(request))
    flash(request, N_("Your progress is erased."))
    return RedirectResponse("/practice", HTTPStatus.SEE_OTHER)


@router.post("/practice/spoken")
def spoken_answer(request: Request, samples: Spoken) -> JSONResponse:
    """What was said into the microphone; the page sends it on as an answer."""
    return JSONResponse(hear(request, samples).as_json())


@router.get("/practice/{dialogue}")
def conversation(request: Request, dialogue: str, turn: int = 1) -> Response:
    """A line of a dialogue."""
    site = site_of(request)
    answer = may_record(_show(request, _find(request, dialogue, turn), turn))
    _, file = set_in_use(site)
    answer.background = BackgroundTask(_prepare, site, file)
    return answer


@router.post("/practice/{dialogue}/answer")
def give_answer(
    request: Request,
    dialogue: str,
    turn: Annotated[int, Form()] = 1,
    text: Annotated[str, Form()] = "",
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Says what is in an answer."""
    site, told = site_of(request), texts_of(request)
    found = _find(request, dialogue, turn)
    text = "".join(letter for letter in text if letter.isprintable()).strip()
    if not 0 < len(text) <= LONGEST:
        wrong = told._(N_("Write or say what you would answer, in at most {count} letters.")).format(count=LONGEST)
        return _show(request, found, turn, told=wrong, part=hx_request is not None)
    _, file = set_in_use(site)
    try:
        answer = site.worker.run(judge_answer, file, found.turn[turn - 1], text)
    except CounterListenerError as error:
        wrong = error.translated(told._)
        return _show(request, found, turn, told=wrong, text=text, part=hx_request is not None)
    practice_of(site).add(owner(request), found.id, turn, right=answer.is_right, now=site.now())
    return _show(request, found, turn, answer=answer, text=text, part=hx_request is not None)


def _show(  # noqa: PLR0913 - what the page shows
    request: Request,
    dialogue: Dialogue,
    turn: int,
    *,
    answer: Answer | None = None,
    told: str = "",
    text: str = "",
    part: bool = False,
) -> Response:
    page = render(
        request,
        "practice_result.html" if part else "practice_dialogue.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if told else HTTPStatus.OK,
        dialogue=dialogue,
        language=html_language(set_in_use(site_of(request))[0]),
        turn=turn,
        line=dialogue.turn[turn - 1],
        answer=answer,
        told=told,
        text=text,
        most_letters=LONGEST,
        most_seconds=MOST_SECONDS,
    )
    return may_record(page)


def _find(request: Request, name: str, turn: int) -> Dialogue:
    """The dialogue with a line of this number. Raises HTTPException."""
    phrases, _ = set_in_use(site_of(request))
    found = next((each for each in dialogues(phrases.language) if each.id == name), None)
    if found is None or not 1 <= turn <= len(found.turn):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return found


def _prepare(site: Site, file: Path) -> None:
    """Loads the phrase set while the line is read; what is wrong with it is told with the answer."""
    try:
        site.worker.run(prepare, file)
    except CounterListenerError:
        return


def set_in_use(site: Site) -> tuple[PhraseSet, Path]:
    """The phrase set in force that judged the newest visits, and its file; if none of them did, the first one."""
    with site.records.reading() as record:
        used = [phrases for _, phrases in record.query(record_state).models]
    in_force = [site.versions.in_force(name).path for name in site.versions.names()]
    known = {file: phrases for phrases, _ in phrase_sets() if (file := file_of(phrases)) is not None}
    found = [(known[file], file) for file in (*in_force, *known) if file in known]
    by_name = {phrases.name: (phrases, file) for phrases, file in reversed(found)}
    return next((by_name[name] for name in used if name in by_name), found[0])


def html_language(phrases: PhraseSet) -> str:
    """The language of the dialogues, for screen readers and fonts."""
    return "zh-CN" if phrases.language == "zh" else phrases.language


def practice_of(site: Site) -> Practice:
    """What people practised, in the file of the accounts beside the record."""
    kept = site.settings.accounts or site.settings.tokens
    return Practice(kept.path if kept else accounts_file(record_file(site.settings.store)))


def owner(request: Request) -> str:
    """Under which name it is kept what the reader practised: no account has the empty one."""
    person = signed_in(request)
    return "" if person.role == "local" else person.name
