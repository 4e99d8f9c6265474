"""What a counter's judge knew, rebuilt from the record after a death, so that listening goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from counter_listener.domain import Event, Gap, PhraseSet
from counter_listener.judging import CounterState, Visit, advance, finish_stream, initial_state

if TYPE_CHECKING:
    from counter_listener.record import Row

AWAY = "nobody listened any more: the program ended without closing the visit"


def rebuild_state(events: Iterable[Event], phrases: PhraseSet, at: float = 0.0) -> CounterState:
    """A counter after the recorded events of its last visit, which may still be open; `at` is how far it had listened,
    in seconds.

    What the record does not hold is lost: speech too short for a visit, and hits that a customer may have said. A gap
    must come next, so that nothing of it can accuse.
    """
    counter = replace(initial_state(phrases), now=at)
    for event in events:
        known = max(counter.now, event.at)
        counter = replace(_told(counter, event), said=max(counter.said, event.at), now=known)
    return counter


def close_open_visit(events: Sequence[Event], phrases: PhraseSet) -> tuple[Event, ...]:
    """The events that close a visit which a listener left open when it died; none where it is closed."""
    counter = rebuild_state(events, phrases)
    if counter.visit is None:
        return ()
    counter, told = advance(counter, Gap(counter.now, phrases.visit.idle, AWAY))
    return told if counter.visit is None else (*told, *finish_stream(counter)[1])


def stream_start(rows: Sequence[Row]) -> datetime | None:
    """Wall time of second 0 of the stream, by its newest row."""
    row = rows[-1]
    return datetime.fromisoformat(row.wall).astimezone(UTC) - timedelta(seconds=row.at) if row.wall else None


def _told(counter: CounterState, event: Event) -> CounterState:
    if event.kind == "visit_opened":
        number = event.visit or counter.visits + 1
        return replace(counter, visits=number, visit=Visit(number, opened=event.at, speech_end=event.at, speech=True))
    if event.kind == "visit_closed":
        return replace(counter, visits=max(counter.visits, event.visit or 0), visit=None)
    if event.kind == "gap":
        over = event.at + _seconds(event.detail.get("seconds"))
        visit = counter.visit and replace(counter.visit, gap=True, speech_end=max(counter.visit.speech_end, over))
        return replace(counter, visit=visit, lost=over, now=max(counter.now, over))
    if counter.visit is None:
        return counter
    visit = _with_finding(counter.visit, event, counter.phrases)
    if event.verdict == "heard" and event.phrase in counter.closers:
        visit = replace(visit, farewell="clear", since_farewell=0)
    return replace(counter, visit=replace(visit, speech_end=max(visit.speech_end, event.at)))


def _with_finding(visit: Visit, event: Event, phrases: PhraseSet) -> Visit:
    owner, detail = event.phrase or "", event.detail
    if event.kind == "phrase" and event.verdict == "heard":
        if detail.get("scenario"):
            return replace(visit, scenarios={**visit.scenarios, owner: event.at})
        if not detail.get("courtesy_word") and not detail.get("required"):
            visit = _counted(visit, "recommended")
        return replace(visit, heard={**visit.heard, owner: _seconds(detail.get("late"))})
    if event.kind in ("forbidden", "rule"):
        name = {"heard": "kept", "unknown": "doubtful"}.get(event.verdict or "", event.verdict or "")
        severity = str(detail.get("severity"))
        points = {str(one): lost for one, lost in phrases.score.penalty.items()}.get(severity, 0.0)
        accused = event.verdict in ("forbidden", "broken")
        return replace(_counted(visit, name), penalty=visit.penalty + points * accused)
    return visit


def _counted(visit: Visit, name: str) -> Visit:
    return replace(visit, tally={**visit.tally, name: visit.tally.get(name, 0) + 1})


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
