"""What people said of a visit, and what somebody may still say of it, for the pages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from counter_listener.domain import (
    N_,
    REVIEW_ACTIONS,
    VERDICTS,
    Event,
    PhraseSet,
    Review,
    Verdict,
)
from counter_listener.judging import VERDICTS_OF, WHOLE_VISIT, observable, observed, standing_reviews, subject
from counter_listener.record import FAULTS, MARKED, Appeal, VisitHistory
from counter_listener.web.visit_view import Item

OWN_TITLES: Final[Mapping[tuple[str, Verdict], str]] = {
    ("rule", "heard"): N_("kept"),
    ("rule", "not_heard"): N_("did not apply"),
    ("forbidden", "not_heard"): N_("no offence"),
    ("observe", "heard"): N_("so it was"),
    ("observe", "not_heard"): N_("not so"),
    ("observe", "unknown"): N_("cannot be seen"),
}
"""What some verdicts are called beside what they are about."""
STATES: Final = {
    "open": N_("open"),
    "upheld": N_("the verdict holds"),
    "overturned": N_("the verdict was overturned"),
    "withdrawn": N_("withdrawn"),
}


def verdict_title(kind: str, verdict: Verdict | None) -> str:
    """What people call a verdict on something of a kind: a text of the catalogue."""
    return OWN_TITLES.get((kind, verdict), VERDICTS.get(verdict, verdict)) if verdict else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A verdict that a person can give by one key."""

    key: str
    value: str
    """`uphold`, or the verdict that shall hold."""
    title: str
    """A text of the catalogue."""


def choices_of(event: Event) -> list[Choice]:
    """What a person can say of a verdict of the machine: first that it holds, then each of the others."""
    others = [each for each in VERDICTS_OF.get(event.kind, ()) if each != event.verdict]
    given = [("uphold", verdict_title(event.kind, event.verdict))]
    given += [(each, verdict_title(event.kind, each)) for each in others]
    return [Choice(str(number), value, title) for number, (value, title) in enumerate(given, 1)]


@dataclass(frozen=True, slots=True)
class Observation:
    """Something for the eye, and what somebody entered."""

    id: str
    title: str
    word: Review | None
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the history of a visit."""

    at: datetime
    by: str
    what: str
    """What it is about; empty for the whole visit."""
    did: str
    """A text of the catalogue."""
    was: str = ""
    verdict: str = ""
    reason: str = ""
    note: str = ""
    blind: bool = False
    taught: bool = False
    """Whether it only teaches, and does not count in the score."""


@dataclass(frozen=True, slots=True)
class People:
    """What people said of a visit, as far as the reader may know it."""

    last: int
    """Number of the newest row that the reader sees."""
    words: Mapping[str, Review]
    """By uid of an event: the word that stands."""
    whole: Review | None
    """Who looked at it to its end."""
    observations: list[Observation]
    missable: list[tuple[str, str, str]]
    """Kind, id and title of each offence and rule."""
    appeals: Mapping[str, Appeal]
    """By uid of an event: the newest appeal."""
    history: list[Told]
    blind: bool
    """Whether the reader gives a second opinion."""
    until: datetime | None = None
    """Until when its verdicts can be disputed."""
    told: str = ""
    """What was wrong with what the reader sent, in the reader's language."""
    told_about: str = ""
    """Uid of the event that it was about; empty for the visit."""
    choices: Mapping[str, list[Choice]] = field(default_factory=dict)


def visible_reviews(history: VisitHistory, account: str) -> list[Review]:
    """The reviews that a person may know: second opinions are given without sight of the first, and the reverse."""
    if history.is_alone_with_it(account):
        return [each for each in history.reviews if each.by == account]
    drawn = any(detail.get("for") == account for _, detail in history.of_kind("sample"))
    return [each for each in history.reviews if each.by == account or not (each.blind and drawn)]


def standing_for(history: VisitHistory, account: str) -> list[Review]:
    """The reviews that decide the verdicts as this person sees them: an own second opinion counts until it is given."""
    known = visible_reviews(history, account)
    if not history.is_alone_with_it(account):
        return known
    return [
        Review(
            each.seq, each.uid, each.event, each.action, each.verdict, each.by, each.phrase, each.at, reason=each.reason
        )
        for each in known
    ]


def people_view(  # noqa: PLR0913 - what the page of a visit knows
    history: VisitHistory,
    account: str,
    phrases: PhraseSet | None,
    titles: Mapping[str, str],
    appeals: Sequence[Appeal],
    until: datetime | None,
) -> People:
    """What people said of a visit, for the page."""
    known = standing_for(history, account)
    standing = standing_reviews(known)
    seen = {each.phrase: each for each in observed(known)}
    ask = observable(phrases) if phrases else {}
    events = history.events
    return People(
        last=history.last,
        words={uid: review for (uid, _, _), review in standing.items() if uid is not None},
        whole=standing.get(WHOLE_VISIT),
        observations=[
            Observation(entry.id, entry.title, seen.get(entry.id), _observing(ask[entry.id][1]))
            for entry in (phrases.observe if phrases else ())
        ],
        missable=[(kind, id_, titles.get(id_, id_)) for id_, (kind, _) in ask.items() if kind in ("forbidden", "rule")],
        appeals={each.event or "": each for each in appeals},
        history=sorted(
            [*_reviews_told(visible_reviews(history, account), events, titles), *_appeals_told(appeals, titles)],
            key=lambda line: line.at,
        ),
        blind=history.is_blind_for(account),
        until=until,
        choices={uid: choices_of(event) for uid, event in events.items() if event.verdict is not None},
    )


def _observing(verdicts: Iterable[Verdict]) -> list[Choice]:
    return [Choice("", each, verdict_title("observe", each)) for each in verdicts]


def _reviews_told(reviews: Iterable[Review], events: Mapping[str, Event], titles: Mapping[str, str]) -> Iterator[Told]:
    for each in reviews:
        event = events.get(each.event or "")
        kind = event.kind if event else {"forbidden": "forbidden", "broken": "rule"}.get(str(each.verdict), "observe")
        title = str(event.detail.get("title") or "") if event else ""
        yield Told(
            at=datetime.fromisoformat(each.recorded),
            by=each.by,
            what=title or titles.get(each.phrase or "", each.phrase or ""),
            did=N_("looked at it to the end")
            if subject(each) == WHOLE_VISIT and each.stands
            else REVIEW_ACTIONS[each.action],
            was=verdict_title(kind, each.was),
            verdict=verdict_title(kind, each.verdict),
            reason=each.reason or "",
            note=each.note,
            blind=each.blind,
            taught=not each.scored,
        )


def _appeals_told(appeals: Iterable[Appeal], titles: Mapping[str, str]) -> Iterator[Told]:
    for each in appeals:
        what = titles.get(each.phrase or "", each.phrase or "")
        did, note = (MARKED, "") if each.at_counter else (N_("disputed"), each.note)
        yield Told(datetime.fromisoformat(each.opened), each.by, what, did, note=note)
        if each.decided:
            yield Told(
                datetime.fromisoformat(each.decided), each.decided_by or "", what, STATES[each.state], note=each.answer
            )


def undecided(items: Iterable[Item], reviews: Iterable[Review]) -> list[Item]:
    """The faults of the machine that nobody has given a word on, in the order of the page."""
    standing = standing_reviews(reviews)
    if WHOLE_VISIT in standing:
        return []
    return [
        item
        for item in items
        if item.verdict in FAULTS
        and (item.event.kind != "phrase" or item.detail("required"))
        and (item.uid, None, 0.0) not in standing
    ]
