"""Reviews: a person's word on a verdict, on the page of a visit or in a queue that a keyboard drives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Annotated, Final, Literal, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from counter_listener.domain import (
    N_,
    REASONS,
    VERDICTS,
    PhraseSet,
    ReviewConflict,
    ReviewError,
    Sentence,
    Verdict,
)
from counter_listener.judging import effective_verdicts, observable
from counter_listener.record import (
    FAULTS,
    Assignment,
    FoundVisit,
    ReviewRequest,
    VisitFilter,
    assignments,
    found_visit,
    known_counters,
    review,
    visits_before,
)
from counter_listener.web.context import may_see, noted, sight_of, signed_in, site_of
from counter_listener.web.forms import QueueWords, Words
from counter_listener.web.pages.visit import Seen, look_up, show_visit
from counter_listener.web.people_view import People, people_view, standing_for, undecided, verdict_title
from counter_listener.web.rendering import path_part, render, texts_of
from counter_listener.web.sets import phrase_sets, titles
from counter_listener.web.visit_view import Item, VisitView, visit_view

router = APIRouter()
Source = Literal["mine", "all"]
SOURCES: Final[dict[Source, str]] = {"mine": N_("assigned to me"), "all": N_("every fault")}
WHOLE: Final = "end"
"""In a place in the queue: the question about the visit as a whole, behind those about its verdicts."""
LONGEST: Final = 200
"""Letters of a field that are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the queue the address asks for."""

    source: Source
    counter: str = ""
    verdict: str = ""
    after: str = ""
    """The place behind which the queue goes on."""
    item: str = ""
    """The place that is shown, whether there is already a word on it or not."""

    def fields(self) -> dict[str, str]:
        """As in the address."""
        return {name: value for name, value in asdict(self).items() if value and name != "item"}

    def wanted(self) -> VisitFilter:
        """The visits of the queue of all."""
        return VisitFilter(
            counters=(self.counter,) if self.counter else (),
            verdict=self.verdict if self.verdict in FAULTS else None,
            outcome="service",
            undecided=True,
        )


@dataclass(frozen=True, slots=True)
class Card:
    """A question of the queue."""

    visit: str
    item: Item | None
    """None asks about the visit as a whole."""
    seen: Seen
    view: VisitView
    people: People
    silent: Sentence | str | None
    """Why there is no sound."""

    @property
    def cursor(self) -> str:
        """Its place in the queue."""
        return place_of(self.visit, self.item.uid if self.item else "")


def place_of(visit: str, event: str) -> str:
    """The place of a question in the queue: the visit, and the number of the event in its stream."""
    return f"{visit}/{event.rpartition(':')[2] or WHOLE}"


@router.post("/visits/{visit}/reviews")
def add_review(
    request: Request,
    visit: str,
    words: Annotated[Words, Depends()],
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Writes a review, and shows the visit as it is then."""
    wrong, status = give_word(request, visit, words)
    if wrong or hx_request:
        return show_visit(request, visit, wrong, words.event, status)
    number = words.event.rpartition(":")[2]
    place = f"#verdict-{path_part(number)}" if number else "#people"
    return RedirectResponse(f"/visits/{path_part(visit)}{place}", HTTPStatus.SEE_OTHER)


def give_word(request: Request, visit: str, words: Words) -> tuple[str, int]:
    """Writes what a form says; what is wrong with it, in the reader's language, and the status of the answer."""
    site, told = site_of(request), texts_of(request)
    seen = look_up(request, visit)
    try:
        asked = _request(visit, words, signed_in(request).name, seen.phrases)
        with site.records.writing() as record:
            review(record, asked, site.now(), phrase_sets())
    except ReviewConflict as error:
        return error.translated(told._), HTTPStatus.CONFLICT
    except ReviewError as error:
        return error.translated(told._), HTTPStatus.UNPROCESSABLE_ENTITY
    return "", HTTPStatus.OK


def _request(visit: str, words: Words, by: str, phrases: PhraseSet | None) -> ReviewRequest:
    """The request that a form makes. Raises ReviewError."""
    scored = True if words.scored else None
    plain = ReviewRequest(visit, "note", by, words.after, words.event or None, note=words.note, scored=scored)
    if words.decision == "missed" and phrases is not None:
        kind = observable(phrases).get(words.observe, ("phrase", ()))[0]
        verdict: Verdict = "broken" if kind == "rule" else "forbidden"
        return replace(plain, action="observe", phrase=words.observe, verdict=verdict, at=seconds_of(words.at))
    if words.decision in ("uphold", "note"):
        return replace(plain, action=cast("Literal['uphold', 'note']", words.decision))
    verdict = cast("Verdict", words.decision)
    if words.observe:
        return replace(plain, action="observe", phrase=words.observe, verdict=verdict)
    return replace(plain, action="overturn", verdict=verdict, reason=words.reason or None)


def seconds_of(text: str) -> float:
    """Seconds from `1:05` or `65`. Raises ReviewError."""
    parts = text.strip().replace("：", ":").split(":")
    try:
        return sum(float(part) * 60.0**power for power, part in enumerate(reversed(parts)))
    except (ValueError, OverflowError):
        raise ReviewError("{given!r} is no time in the recording; write it as 1:05", given=text[:LONGEST]) from None


@router.get("/review")
def queue(request: Request, hx_request: Annotated[str | None, Header()] = None) -> Response:
    """The queue: one question after another."""
    mine = _mine(request)
    given = {name: value.strip()[:LONGEST] for name, value in request.query_params.items()}
    return _queue(request, _asked(given, mine), mine, part=hx_request is not None)


@router.post("/review")
def give_in_queue(
    request: Request,
    words: Annotated[QueueWords, Depends()],
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Writes a word on a question of the queue, and asks the next one."""
    place = place_of(words.visit, words.event)
    given = {"source": words.source, "counter": words.counter, "verdict": words.verdict, "after": place}
    wrong, status = give_word(request, words.visit, words)
    mine = _mine(request)
    asked = _asked(given, mine)
    if wrong:
        return _queue(
            request, replace(asked, after="", item=place), mine, part=hx_request is not None, told=wrong, status=status
        )
    if hx_request is None:
        return RedirectResponse("/review?" + urlencode(asked.fields()), HTTPStatus.SEE_OTHER)
    told = texts_of(request)
    last = told._(N_("recorded: upheld") if words.decision == "uphold" else N_("recorded: overturned"))
    return _queue(request, asked, mine, part=True, last=last)


def _queue(  # noqa: PLR0913 - what a page shows
    request: Request,
    asked: Asked,
    mine: list[Assignment],
    *,
    part: bool,
    told: str = "",
    last: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    card = _find(request, asked, mine)
    with site_of(request).records.reading() as record:
        counters = [] if part else record.query(partial(known_counters, only=sight_of(request)))
    page = render(
        request,
        "review_card.html" if part else "review.html",
        status,
        card=card,
        asked=asked,
        sources=SOURCES,
        mine=len({each.visit for each in mine if not each.done}),
        counters=counters,
        faults={name: VERDICTS[name] for name in FAULTS},
        reasons=REASONS,
        titled=verdict_title,
        told=told,
        last=last,
        back="/review?" + urlencode({**asked.fields(), "after": "", "item": asked.after}),
        say=partial(_say, request),
    )
    return page if card is None else noted(request, page, "seen", card.visit)


def _say(request: Request, text: Sentence | str) -> str:
    told = texts_of(request)
    return text.translated(told._) if isinstance(text, Sentence) else told._(text)


def _mine(request: Request) -> list[Assignment]:
    """What was drawn for the reader, in the order of the draws."""
    with site_of(request).records.reading() as record:
        mine = record.query(partial(assignments, account=signed_in(request).name))
    return [each for each in mine if may_see(request, each.counter)]


def _asked(given: dict[str, str], mine: list[Assignment]) -> Asked:
    """What an address asks for: what is assigned to the reader, unless nothing is."""
    usual: Source = "mine" if any(not each.done for each in mine) else "all"
    source = cast("Source", given.get("source")) if given.get("source") in SOURCES else usual
    verdict = given.get("verdict", "")
    return Asked(
        source,
        given.get("counter", ""),
        verdict if verdict in FAULTS else "",
        given.get("after", ""),
        given.get("item", ""),
    )


def _find(request: Request, asked: Asked, mine: list[Assignment]) -> Card | None:
    """The question that is asked for, or the first one behind a place."""
    if asked.item:
        visit, _, number = asked.item.rpartition("/")
        return _card(request, visit, number)
    after, _, number = asked.after.rpartition("/")
    visits = _assigned(mine, after) if asked.source == "mine" else _all_after(request, asked, after)
    for visit in visits:
        if card := _next(request, visit, number if visit == after else "", whole=asked.source == "mine"):
            return card
    return None


def _assigned(mine: list[Assignment], after: str) -> Iterator[str]:
    """The visits that are not done, from that of a place on."""
    every = list(dict.fromkeys(each.visit for each in mine))
    first = every.index(after) if after in every else 0
    todo = {each.visit for each in mine if not each.done}
    return (visit for visit in every[first:] if visit in todo)


def _all_after(request: Request, asked: Asked, after: str) -> Iterator[str]:
    """The visits with something undecided, the newest first, from that of a place on."""
    records = site_of(request).records
    last: FoundVisit | None = None
    if after:
        with records.reading() as record:
            last = record.query(partial(found_visit, visit=after))
        if last is not None:
            yield after
    while True:
        with records.reading() as record:
            part = record.query(
                partial(visits_before, wanted=asked.wanted().limited_to(sight_of(request)), last=last, count=1)
            )
        if not part:
            return
        last = part[0]
        yield last.visit


def _next(request: Request, visit: str, after: str, *, whole: bool) -> Card | None:
    """The first question about a visit behind the event of this number; `whole` asks about the visit at the end."""
    try:
        opened = _open(request, visit)
    except HTTPException:  # a purge took it away
        return None
    seen, view, _people = opened
    account = signed_in(request).name
    if seen.found is None or after == WHOLE:
        return None
    known = standing_for(seen.history, account)
    left = undecided(view.items(), [each for each in known if each.by == account] if whole else known)
    order = [item.uid.rpartition(":")[2] for item in view.items()]
    behind = order.index(after) if after in order else -1
    for item in left:
        if order.index(item.uid.rpartition(":")[2]) > behind:
            return _made(request, visit, item, opened)
    return _made(request, visit, None, opened) if whole else None


def _card(request: Request, visit: str, number: str) -> Card:
    """The question at a place. Raises HTTPException."""
    opened = _open(request, visit)
    item = next((item for item in opened[1].items() if item.uid.rpartition(":")[2] == number), None)
    if item is None and number != WHOLE:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _made(request, visit, item, opened)


def _open(request: Request, visit: str) -> tuple[Seen, VisitView, People]:
    seen, account = look_up(request, visit), signed_in(request).name
    verdicts = effective_verdicts(seen.history.events, standing_for(seen.history, account))
    view = visit_view(seen.history.events, verdicts, seen.phrases, titles())
    return seen, view, people_view(seen.history, account, seen.phrases, titles(), (), None)


def _made(request: Request, visit: str, item: Item | None, opened: tuple[Seen, VisitView, People]) -> Card:
    seen, view, people = opened
    silent = site_of(request).sounds.why_silent(seen.source, seen.path)
    return Card(visit, item, seen, view, people, silent)
