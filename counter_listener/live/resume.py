"""The state of a counter, rebuilt from the record after a listener has died, so that listening continues."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from counter_listener.domain import Event, Gap, PhraseSet
from counter_listener.judging import CounterState, Visit, advance, finish_stream, initial_state
from counter_listener.record import Row

AWAY = "nobody listened any more: the program ended without closing the visit"


def rebuild_state(events: Iterable[Event], phrases: PhraseSet, at: float = 0.0) -> CounterState:
    """The state after the recorded events of the last visit, which may still be open.

    `at` is how far the listener had listened, in seconds into the stream. What the record does not hold is lost: speech
    without a phrase, speech too short for a visit, and hits that a customer may have said. So the visit has lost audio
    and has not been quiet until `at`: whatever closes it then, what was not heard in it is unknown.
    """
    state = replace(initial_state(phrases), now=at)
    for event in events:
        now = max(state.now, event.at)
        state = replace(_apply(state, event), last_event=max(state.last_event, event.at), now=now)
    visit = state.visit and replace(state.visit, gap=True, speech_end=max(state.visit.speech_end, state.now))
    return replace(state, visit=visit, gap_end=state.now)


def close_open_visit(events: Sequence[Event], phrases: PhraseSet) -> tuple[Event, ...]:
    """The events that close a visit which a listener left open when it died; none if it is closed."""
    state = rebuild_state(events, phrases)
    if state.visit is None:
        return ()
    state, closing = advance(state, Gap(state.now, phrases.visit.idle, AWAY))
    return closing if state.visit is None else (*closing, *finish_stream(state)[1])


def stream_start(rows: Sequence[Row]) -> datetime | None:
    """Wall time of second 0 of the stream, by its newest row."""
    row = rows[-1]
    return datetime.fromisoformat(row.wall).astimezone(UTC) - timedelta(seconds=row.at) if row.wall else None


def _apply(state: CounterState, event: Event) -> CounterState:
    visit = state.visit
    if event.kind == "visit_opened":
        number = event.visit or state.visit_count + 1
        visit = Visit(number, opened=event.at, speech_end=event.at, speech=True)
        return replace(state, visit_count=number, visit=visit)
    if event.kind == "visit_closed":
        return replace(state, visit_count=max(state.visit_count, event.visit or 0), visit=None)
    if event.kind == "gap":
        end = event.at + _seconds(event.detail.get("seconds"))
        visit = visit and replace(visit, gap=True, speech_end=max(visit.speech_end, end))
        return replace(state, visit=visit, gap_end=end)
    if visit is None:
        return state
    visit = _with_finding(visit, event, state.phrases)
    if event.verdict == "heard" and event.phrase in state.closers:
        visit = replace(visit, farewell="clear", since_farewell=0)
    return replace(state, visit=replace(visit, speech_end=max(visit.speech_end, event.at)))


def _with_finding(visit: Visit, event: Event, phrases: PhraseSet) -> Visit:
    owner, detail, verdict = event.phrase or "", event.detail, event.verdict or ""
    if event.kind == "phrase" and verdict == "heard":
        if detail.get("scenario"):
            return replace(visit, scenarios={**visit.scenarios, owner: event.at})
        if not detail.get("courtesy_word") and not detail.get("required"):
            visit = _counted(visit, "recommended")
        return replace(visit, heard={**visit.heard, owner: _seconds(detail.get("late"))})
    if event.kind in ("forbidden", "rule"):
        accused = verdict in ("forbidden", "broken")
        points = sum(lost for severity, lost in phrases.score.penalty.items() if severity == detail.get("severity"))
        name = {"heard": "kept", "unknown": "doubtful"}.get(verdict, verdict)
        return replace(_counted(visit, name), penalty=visit.penalty + points * accused)
    return visit


def _counted(visit: Visit, name: str) -> Visit:
    return replace(visit, tally={**visit.tally, name: visit.tally.get(name, 0) + 1})


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
