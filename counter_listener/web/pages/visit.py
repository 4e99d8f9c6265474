"""One visit: what was heard and what was not, with the sound of each moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from counter_listener.domain import (
    N_,
    OUTCOMES,
    REASONS,
    SEVERITIES,
    VERDICTS,
    AudioError,
    PhraseSet,
    ReviewError,
    Sentence,
    visit_word,
)
from counter_listener.judging import FEATURES, effective_verdicts, figures_from, manner_lines, voice_words
from counter_listener.record import (
    LIVE,
    FoundVisit,
    VisitHistory,
    appeals_of,
    deadline,
    found_visit,
    neighbours,
    set_of,
    visit_history,
)
from counter_listener.web.clips import HEARD_LIVE, Asking, asking, shown_clips
from counter_listener.web.context import may_see, noted, sight_of, signed_in, site_of
from counter_listener.web.near import explanations
from counter_listener.web.pages.visits import file_name
from counter_listener.web.people_view import people_view, standing_for, verdict_title
from counter_listener.web.rendering import render, texts_of
from counter_listener.web.sets import phrase_sets, titles
from counter_listener.web.sound import PEAKS_PER_SECOND
from counter_listener.web.visit_view import Item, visit_view

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit that the reader may see."""

    found: FoundVisit | None
    """None for a visit whose verdicts are history."""
    history: VisitHistory
    path: str | None
    source: str
    phrases: PhraseSet | None
    approximate: bool
    """Whether the phrase set is another version of the one that judged it."""
    before: str | None
    after: str | None
    asking: Asking | None
    """Whether its counter can be asked for clips."""

    @property
    def began(self) -> datetime | None:
        """When it was opened; None if that is unknown."""
        return datetime.fromisoformat(self.found.began) if self.found and self.found.began else None


def look_up(request: Request, visit: str) -> Seen:
    """A closed visit of a counter that the reader may see. Raises HTTPException: it is not told which visits exist."""
    with site_of(request).records.reading() as record:
        try:
            history = record.query(partial(visit_history, visit=visit))
        except ReviewError:
            raise HTTPException(HTTPStatus.NOT_FOUND) from None
        close = history.close
        if close is None or not may_see(request, close.counter):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        found = record.query(partial(found_visit, visit=visit))
        before, after = (
            record.query(partial(neighbours, seq=found.seq, only=sight_of(request))) if found else (None, None)
        )
        asked = asking(record, visit)
    phrases, approximate = set_of(history.origin, phrase_sets())
    return Seen(found, history, found.path if found else None, close.source, phrases, approximate, before, after, asked)


@router.get("/visits/{visit}")
def visit_page(request: Request, visit: str) -> Response:
    """The page of a visit."""
    return noted(request, show_visit(request, visit), "seen", visit)


def show_visit(request: Request, visit: str, told: str = "", told_about: str = "", status: int = 200) -> Response:
    """The page of a visit as it is now. `told` is what was wrong with what was sent, in the reader's language."""
    seen, site = look_up(request, visit), site_of(request)
    account = signed_in(request).name
    alone = seen.history.is_alone_with_it(account)
    appeals = [] if alone else appeals_of(seen.history)
    until = deadline(seen.history, site.settings.appeals)
    people = people_view(seen.history, account, seen.phrases, titles(), appeals, until)
    verdicts_now = effective_verdicts(seen.history.events, standing_for(seen.history, account))
    view = visit_view(seen.history.events, verdicts_now, seen.phrases, titles())
    clips = shown_clips(site.settings, visit, seen.history.events, titles(), site.now())
    close = seen.history.close
    detail = next(event.detail for event in reversed(seen.history.events.values()) if event.kind == "visit_closed")
    return render(
        request,
        "visit.html",
        status,
        seen=seen,
        found=seen.found.before_reviews() if seen.found and alone else seen.found,
        people=replace(people, told=told, told_about=told_about),
        reasons=REASONS,
        titled=verdict_title,
        view=view,
        close=close,
        detail=detail,
        id=visit,
        file=file_name(seen.path),
        silent=HEARD_LIVE if clips and seen.source == LIVE else site.sounds.why_silent(seen.source, seen.path),
        clips=clips,
        asking=seen.asking,
        say=partial(_say, request),
        reason=partial(_reason, request),
        told=partial(_told, request),
        verdicts=VERDICTS,
        severities=SEVERITIES,
        outcomes=OUTCOMES,
        word=_word(request, detail, seen.found),
        manner=manner_lines(figures_from(detail.get("manner")), seen.phrases, texts_of(request)._),
        voice=voice_words(figures_from(detail.get("manner")), texts_of(request)._),
        pass_mark=seen.phrases.score.pass_mark if seen.phrases else None,
        now=site.now(),
    )


@router.get("/visits/{visit}/audio")
def audio(request: Request, visit: str) -> Response:
    """The recording, in ranges. Which file it is, the record says and never the address."""
    path, source = _playable_path(request, visit)
    try:
        made = site_of(request).sounds.playable(source, path)
    except AudioError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    answer = FileResponse(made.path, media_type=made.media_type, headers={"Cache-Control": "private, max-age=600"})
    return noted(request, answer, "heard", visit)


@router.get("/visits/{visit}/peaks.json")
def peaks(request: Request, visit: str) -> Response:
    """The waveform."""
    path, source = _playable_path(request, visit)
    try:
        values = site_of(request).sounds.peaks(source, path)
    except AudioError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    return JSONResponse({"per_second": PEAKS_PER_SECOND, "values": values})


@router.get("/visits/{visit}/near")
def near(request: Request, visit: str) -> Response:
    """The closest words to what was not heard, and why they were not enough: a part of the page."""
    path, _ = _playable_path(request, visit)
    seen = look_up(request, visit)
    found = explanations(path, seen.history, seen.phrases)
    return render(request, "visit_near.html", found=found, verdicts=VERDICTS, feature=partial(_feature, request))


def _word(request: Request, detail: Mapping[str, object], found: FoundVisit | None) -> str:
    """What the visit is called; empty where reviews have changed the score to which that word belongs."""
    if found is not None and found.reviewed is not None and found.score_after != found.score:
        return ""
    return visit_word(str(detail.get("grade") or ""), detail.get("outcome"), texts_of(request)._)


def _told(request: Request, item: Item) -> str:
    """What people call the verdict."""
    is_kept = item.event.kind == "rule" and item.verdict_now == "heard"
    return texts_of(request)._(N_("kept") if is_kept else VERDICTS[item.verdict_now])


def _feature(request: Request, name: str) -> str:
    return texts_of(request)._(FEATURES.get(name, "")) or name


def _playable_path(request: Request, visit: str) -> tuple[Path, str]:
    seen = look_up(request, visit)
    if seen.path is None or site_of(request).sounds.why_silent(seen.source, seen.path) is not None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Path(seen.path), seen.source


def _say(request: Request, text: Sentence | str | None) -> str:
    told = texts_of(request)
    return text.translated(told._) if isinstance(text, Sentence) else told._(text or "")


def _reason(request: Request, reason: object) -> str:
    """A reason that the judge wrote, in the language of the reader."""
    return texts_of(request)._(str(reason or ""))
