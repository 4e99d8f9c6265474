"""What another phrase set would make of a visit of which only the recorded hits are left, not the words. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from counter_listener.domain import Event, Phrase, PhraseSet, Stage, Verdict
from counter_listener.judging.manner import figures_from, manner_events

StillHeard = Callable[[Event], bool]
"""Whether the words of a hit are found as the same phrase by the other set."""


@dataclass(frozen=True, slots=True)
class OtherSet:
    """The other phrase set, and what is known of the one before."""

    phrases: PhraseSet
    known: Collection[str]
    """Ids of the phrases that were looked for before: what is not among them nobody can tell."""
    still_heard: StillHeard


def judge_hits(events: Mapping[str, Event], other: OtherSet) -> dict[str, Event]:
    """The events of a visit, by uid, as the other set would have made them from the same hits."""
    owed = {phrase.id: (phrase, stage) for phrase, stage in _owed(events, other.phrases)}
    asked = {*(phrase.id for phrase, _ in other.phrases.phrases()), *(word.id for word in other.phrases.word)}
    severities = {offence.id: offence.severity for offence in other.phrases.forbidden}
    severities |= {rule.id: rule.severity for rule in other.phrases.rule}
    made: dict[str, Event] = {}
    for uid, event in events.items():
        if event.kind == "rule" and event.detail.get("figure"):
            continue  # made anew from the figures
        if event.verdict is None or event.detail.get("scenario"):
            made[uid] = event
        elif event.kind == "phrase":
            new = _phrase(event, owed, asked, other)
            made |= {} if new is None else {uid: new}
        elif event.phrase in severities and other.still_heard(event):
            made[uid] = replace(event, detail={**event.detail, "severity": severities[event.phrase]})
    there = {event.phrase for event in made.values() if event.kind == "phrase"}
    close = next((event for event in events.values() if event.kind == "visit_closed"), None)
    for phrase, stage in owed.values():
        if phrase.id not in there and close is not None:
            made[f"new:{phrase.id}"] = _missed(close, phrase, stage, other)
    if close is not None and close.detail.get("outcome") in ("complete", "incomplete"):
        figures = figures_from(close.detail.get("manner"))
        ruled = manner_events(figures, other.phrases, close.visit, close.at)
        made |= {f"new:{event.phrase}": event for event in ruled}
    return made


def _owed(events: Mapping[str, Event], phrases: PhraseSet) -> Iterator[tuple[Phrase, Stage]]:
    """The phrases that the set requires in this visit."""
    begun = {event.phrase for event in events.values() if event.detail.get("scenario")}
    for stage, scenario in phrases.stages():
        if scenario is None or scenario.id in begun:
            yield from ((phrase, stage) for phrase in stage.phrase if phrase.required)


def _phrase(
    event: Event, owed: Mapping[str, tuple[Phrase, Stage]], asked: Collection[str], other: OtherSet
) -> Event | None:
    """The event of a phrase; None if the set does not ask for it, or asks and does not miss it."""
    name = event.phrase or ""
    if name not in asked:
        return None
    required = name in owed
    if event.verdict == "heard" and other.still_heard(event):
        return replace(event, detail={**event.detail, "required": required})
    if not required:
        return None
    verdict: Verdict | None = "not_heard" if event.verdict == "heard" else event.verdict
    return replace(event, verdict=verdict, detail={**event.detail, "required": True})


def _missed(close: Event, phrase: Phrase, stage: Stage, other: OtherSet) -> Event:
    """The verdict on a phrase that is required only now and of which there is no hit."""
    detail = {"title": phrase.name, "required": True}
    verdict: Verdict = "not_heard" if phrase.id in other.known else "unknown"
    return replace(
        close,
        kind="phrase",
        stage=stage.id,
        step=phrase.step,
        phrase=phrase.id,
        verdict=verdict,
        score=None,
        detail=detail,
    )
