"""Reviews: a person upholds or overturns a verdict, notes something, or enters what the machine cannot hear.

A review is a row of its own. Nobody overwrites anybody: who has not seen the newest word on a verdict is told so.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from counter_listener.domain import (
    REASONS,
    Event,
    PhraseSet,
    Review,
    ReviewAction,
    ReviewConflict,
    ReviewError,
    Verdict,
)
from counter_listener.judging import (
    VERDICTS_OF,
    effective_verdicts,
    observable,
    score_after,
    subject,
    worsens,
)
from counter_listener.record.history import PhraseSets, VisitHistory, reviewable_history, set_of
from counter_listener.record.people import (
    Subject,
    checked_account,
    checked_note,
    person_row,
    subject_of,
)
from counter_listener.record.rows import Columns, Row

if TYPE_CHECKING:
    from counter_listener.record.store import Record

NEW: Final = 2**62
"""The number of a review that is not yet written: later than all."""
MAX_SECONDS: Final = 1e8
"""Three years: no stream is longer."""


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What a person says of a visit, or of one verdict in it."""

    visit: str
    action: ReviewAction
    by: str
    """Account."""
    after: int
    """Number of the last row about this visit that the person has seen."""
    event: str | None = None
    """Uid of the event; None for the whole visit, and for something that the machine has no event of."""
    verdict: Verdict | None = None
    """To overturn or to observe: the verdict that holds."""
    phrase: str | None = None
    """To observe: the id of an observation, an offence or a rule of the phrase set."""
    at: float = 0.0
    """To observe an offence or a broken rule: seconds into the stream at which it was said."""
    reason: str | None = None
    """To overturn: an id of domain.REASONS."""
    note: str = ""
    scored: bool | None = None
    """Whether it counts in the score. None: it does, unless it is a fault found on the way of an appeal about
    something else."""


def review(record: "Record", request: ReviewRequest, now: datetime, sets: PhraseSets = ()) -> Row:
    """Writes a review; it is on the disk when this returns. `sets` are the phrase sets at hand, for the score after it.

    Raises ReviewConflict if somebody reviewed the same since, ReviewError if it makes no sense, RecordError, and
    ValueError for a time without a zone.
    """

    def make(connection: sa.Connection) -> list[Columns]:
        return [review_row(reviewable_history(connection, request.visit), request, now, sets)]

    (row,) = record.append_rows(make, now)
    return row


def review_row(history: VisitHistory, request: ReviewRequest, now: datetime, sets: PhraseSets) -> Columns:
    """The row of a review of this visit. Raises ReviewConflict, ReviewError."""
    by, note = checked_account(request.by), checked_note(request.note)
    phrases, approximate = set_of(history.origin, sets)
    event = _event_of(history, request)
    verdict = _verdict_of(request, event, phrases)
    blind = history.is_blind_for(by) and request.action != "note"
    new = Review(
        seq=NEW,
        uid="",
        event=request.event,
        action=request.action,
        verdict=verdict,
        by=by,
        phrase=event.phrase if event else request.phrase,
        at=event.at if event else request.at,
        blind=blind,
    )
    _refuse_conflict(history, new, request.after)
    was = _verdict_before(history, new)
    if request.action == "note" and note is None:
        raise ReviewError("an empty note says nothing; write one")
    new = replace(new, scored=_is_scored(history, request, was, verdict))
    detail: dict[str, object] = {
        "event": request.event,
        "title": _title_of(new, event, phrases),
        "action": request.action,
        "was": was,
        "reason": _reason_of(request),
        "note": note,
        "by": by,
        "after": request.after,
        "blind": True if blind else None,
        "scored": None if new.scored else False,
        "approximate": True if approximate else None,
    }
    score = None
    if phrases is None:
        detail["unscored"] = True
    elif not blind:
        after = score_after(history.events, [*history.reviews, new], phrases)
        score, detail["grade"], detail["passed"] = after.score, after.grade, after.passed
    return person_row("review", detail, now, history.origin, _columns(new, event, phrases, score))


def _event_of(history: VisitHistory, request: ReviewRequest) -> Event | None:
    if request.event is None:
        return None
    event = history.events.get(request.event)
    if event is None or event.verdict is None:
        raise ReviewError("the visit {visit} has no verdict {uid!r}", visit=request.visit, uid=request.event)
    return event


def _verdict_of(request: ReviewRequest, event: Event | None, phrases: PhraseSet | None) -> Verdict | None:
    """The verdict after a review. Raises ReviewError if it cannot have this verdict."""
    if request.action in ("note", "uphold"):
        return event.verdict if event and request.action == "uphold" else None
    if request.action == "overturn":
        if event is None:
            raise ReviewError("only the verdict on an event can be overturned; name the event")
        possible, now = VERDICTS_OF.get(event.kind, ()), event.verdict
        if request.verdict not in possible or request.verdict == now:
            wanted = ", ".join(each for each in possible if each != now)
            raise ReviewError("this verdict can be overturned to: {wanted}", wanted=wanted)
        return request.verdict
    if event is not None or phrases is None:
        raise ReviewError("what is observed is not about an event, and needs the phrase set of the visit")
    if not 0 <= request.at < MAX_SECONDS:
        raise ReviewError("the second of something observed is a number from 0 on")
    known = observable(phrases)
    if request.phrase not in known:
        raise ReviewError("the phrase set has nothing to observe named {name!r}", name=request.phrase)
    if request.verdict not in (possible := known[request.phrase][1]):
        raise ReviewError("{name} can be: {wanted}", name=request.phrase, wanted=", ".join(possible))
    return request.verdict


def _reason_of(request: ReviewRequest) -> str | None:
    """The reason of a review. Raises ReviewError if an overturning has none, or one that is not in the list."""
    if request.reason not in REASONS and (request.reason or request.action == "overturn"):
        raise ReviewError("a verdict is overturned for one of these reasons: {names}", names=", ".join(REASONS))
    return request.reason


def _refuse_conflict(history: VisitHistory, new: Review, after: int) -> None:
    """Raises ReviewConflict if somebody decided the same since. Blind reviewers do not see each other."""
    if new.action == "note":
        return
    whole = new.event is None and new.action == "uphold"
    for each in history.reviews:
        seen_by_all = each.stands and not new.blind
        own = new.blind and each.by == new.by and each.action != "note"
        if each.seq > after and (seen_by_all or own) and (whole or subject(each) == subject(new)):
            raise ReviewConflict("{who} reviewed the same in the meantime; look at it again", who=each.by)


def _verdict_before(history: VisitHistory, new: Review) -> Verdict | None:
    """The verdict before a review: for a blind one that of the machine."""
    known = () if new.blind else history.reviews
    if new.event is not None:
        return effective_verdicts(history.events, known).get(new.event)
    before = [each for each in known if each.stands and subject(each) == subject(new)]
    return before[-1].verdict if before else None


def _is_scored(history: VisitHistory, request: ReviewRequest, was: Verdict | None, verdict: Verdict | None) -> bool:
    """Whether a review counts in the score: a fault that is found on the way of an appeal teaches only."""
    if request.scored is not None:
        return request.scored
    if request.action not in ("overturn", "observe") or not worsens(was, verdict):
        return True
    appealed = {detail.get("event") for _, detail in history.of_kind("appeal")}
    return not appealed or (request.event is not None and request.event in appealed)


def _title_of(new: Review, event: Event | None, phrases: PhraseSet | None) -> str | None:
    """The title of what is reviewed, as the event or the phrase set has it."""
    if event is not None:
        return str(event.detail.get("title") or event.phrase)
    observations = {entry.id: entry.title for entry in phrases.observe} if phrases else {}
    return ({**phrases.titles(), **observations} if phrases else {}).get(new.phrase or "")


def _columns(new: Review, event: Event | None, phrases: PhraseSet | None, score: float | None) -> Subject:
    if event is not None or new.phrase is None or phrases is None:
        return subject_of(event, new.verdict, score)
    entry = next((each for each in phrases.observe if each.id == new.phrase), None)
    stage, step = (entry.stage, entry.step) if entry else (None, None)
    return Subject(new.at, stage, step, new.phrase, new.verdict, score)
