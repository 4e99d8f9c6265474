"""Separates visits and judges them: a state machine over the items of a stream. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from counter_listener.domain import (
    Event,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    PhraseSet,
    Tick,
    Utterance,
    VisitToggle,
)
from counter_listener.judging.counted import FindingKind, counted_findings, counts_from, in_order
from counter_listener.judging.manner import speech_of
from counter_listener.judging.understanding import NOT_UNDERSTOOD, Understanding, is_lost
from counter_listener.judging.verdicts import (
    Visit,
    VisitUpdate,
    gap_event,
    may_be_customer,
    on_offence,
    on_phrase,
    on_rule,
    on_trigger,
    on_word,
    settle,
)
from counter_listener.judging.voices import ShiftVoices, attribute

Reason = Literal["farewell", "new_greeting", "idle", "gap", "hand", "end"]

HANDLERS: Final[Mapping[FindingKind, Callable[[Visit, Hit, PhraseSet, Utterance], VisitUpdate]]] = {
    "phrase": on_phrase,
    "word": on_word,
    "offence": on_offence,
    "trigger": on_trigger,
    "rule": on_rule,
}


@dataclass(frozen=True, slots=True)
class CounterState:
    """What is known of a counter between two items of its stream. Times are seconds into the stream."""

    phrases: PhraseSet
    one_visit: bool = False
    """Whether the whole stream is one visit."""
    visit_count: int = 0
    """Number of visits opened so far."""
    visit: Visit | None = None
    """The open visit."""
    pending: tuple[MatchedUtterance, ...] = ()
    """Utterances outside a visit, together too short to open one."""
    gap_end: float | None = None
    """End of the last gap."""
    only_begun: bool = False
    """Whether that gap is only the beginning of the stream: before it nobody listened, for all that is known, and since
    then nothing was lost. A gap with a length before second 0 is that of a restart: somebody may have been served
    meanwhile, and a greeting may be the second one."""
    unclear_end: float | None = None
    """End of the last stretch of speech that was not understood."""
    now: float = 0.0
    """End of the part of the stream that is known."""
    last_event: float = 0.0
    """Time of the last event: event times never go back."""
    closed_at: float | None = None
    """When the last visit was closed; None before the first."""
    asides: frozenset[str] = frozenset()
    """Ids of what is said beside a service."""
    recalls: frozenset[str] = frozenset()
    """Ids of what calls the last customer back."""
    voices: ShiftVoices = field(default_factory=ShiftVoices)
    """Who spoke in this shift."""
    openers: frozenset[str] = frozenset()
    closers: frozenset[str] = frozenset()


Step = tuple[CounterState, tuple[Event, ...]]


def initial_state(phrases: PhraseSet, *, one_visit: bool = False) -> CounterState:
    """The state before the first item of a stream."""
    stages = {stage.id: [phrase.id for phrase in stage.phrase] for stage, _ in phrases.stages()}
    openers, closers = (
        frozenset(phrase for name in names for phrase in stages.get(name, [name]))
        for names in (phrases.visit.opens, phrases.visit.closes)
    )
    asides = frozenset(aside.id for aside in phrases.aside)
    recalls = frozenset(aside.id for aside in phrases.aside if aside.recalls)
    return CounterState(phrases, one_visit, asides=asides, recalls=recalls, openers=openers, closers=closers)


def judge(
    items: Iterable[MatchedItem], phrases: PhraseSet, *, one_visit: bool = False, state: CounterState | None = None
) -> Iterator[Event]:
    """The events of a stream, with times in milliseconds: `advance` for every item, then `finish_stream`.

    `state` is the state from which a stream continues; without it a new stream begins.
    """
    state = state or initial_state(phrases, one_visit=one_visit)
    for item in items:
        state, events = advance(state, item)
        yield from map(_rounded, events)
    yield from map(_rounded, finish_stream(state)[1])


def _rounded(event: Event) -> Event:
    return replace(event, at=round(event.at, 3))  # sums of word times are not exact beyond milliseconds


def advance(state: CounterState, item: MatchedItem) -> Step:
    """The state after one item, and the events that the item caused."""
    match item:
        case Tick():
            state, events = _close_if_quiet(state, item.settled)
            return state if item.at <= state.now else replace(state, now=item.at), events
        case Gap():
            return _on_gap(state, item)
        case VisitToggle():
            return _on_toggle(state, item.at)
        case MatchedUtterance():
            return _on_utterance(state, item)


def finish_stream(state: CounterState) -> Step:
    """The state after the end of the stream, where an open visit is closed."""
    events: tuple[Event, ...] = ()
    if state.one_visit and state.visit is None:
        state, events = _open_visit(state, 0.0)
    if state.visit is None:
        return state, events
    state, closed = close_visit(state, state.now, "end")
    return state, events + closed


def _on_gap(state: CounterState, gap: Gap) -> Step:
    state, events = _close_if_quiet(state, gap.start)
    end = gap.start + gap.seconds
    at = max(gap.start, state.last_event)
    detail = {"seconds": round(gap.seconds, 3), "reason": gap.reason, **({"beside": True} if gap.beside else {})}
    events += (Event("gap", at, visit=state.visit.number if state.visit else None, detail=detail),)
    known = gap.start if gap.beside else end  # what was heard beside a gap is still to come
    visit = state.visit and replace(
        state.visit,
        gap=True,
        speech_end=max(state.visit.speech_end, known),
        lost=(*state.visit.lost, (gap.start, end)),
    )
    state = replace(
        state,
        visit=visit,
        gap_end=max(state.gap_end or 0.0, end),
        only_begun=end <= 0.0 and not gap.seconds and state.gap_end is None and not gap.beside,
        now=max(state.now, known),
        last_event=at,
    )
    if visit and not gap.beside and gap.seconds >= state.phrases.visit.idle and not state.one_visit:
        state, closed = close_visit(state, gap.start, "gap")
        events += closed
    return state, events


def _on_toggle(state: CounterState, at: float) -> Step:
    state, events = _close_if_quiet(state, at)
    state = replace(state, now=max(state.now, at))
    if state.visit:
        state, closed = close_visit(state, at, "hand")
        return state, events + closed
    state, (opened,) = _open_visit(replace(state, pending=()), at, stated=True)
    return state, (*events, replace(opened, detail={"by_hand": True}))


def _on_utterance(state: CounterState, matched: MatchedUtterance) -> Step:
    start = matched.utterance.start
    state, events = _close_if_quiet(state, start)
    voices, matched = attribute(state.voices, matched, state.visit.number if state.visit else state.visit_count + 1)
    state = replace(state, now=max(state.now, matched.utterance.end), voices=voices)
    if is_lost(matched.utterance):
        state = replace(state, unclear_end=matched.utterance.end)
    if state.visit:
        state, found = _apply_utterance(state, matched)
        return state, events + found
    if _calls_back(state, matched):
        return replace(state, pending=()), events
    opens = _opens_visit(state, matched)  # then what was said before is not part of the visit
    expired = state.pending and start - state.pending[-1].utterance.end >= state.phrases.visit.idle
    state = replace(state, pending=(matched,) if opens or expired else (*state.pending, matched))
    if not opens and not _is_enough_speech(state):
        return state, events
    pending = state.pending
    whole = _begins_with_greeting(state, pending[0])
    state, opened = _open_visit(replace(state, pending=()), pending[0].utterance.start, whole=whole)
    events += opened
    for utterance in pending:
        state, found = _apply_utterance(state, utterance)
        events += found
    return state, events


def _opens_visit(state: CounterState, matched: MatchedUtterance) -> bool:
    """Whether an utterance alone opens a visit: it holds a phrase, an offence, a request or a trigger.

    A farewell and a wording that customers use too do not count: somebody may be leaving.
    """
    return any(
        kind != "word" and hit.owner not in state.closers | state.asides and not may_be_customer(hit, matched.utterance)
        for kind, hit in counted_findings(matched)
    )


def _calls_back(state: CounterState, matched: MatchedUtterance) -> bool:
    """Whether an utterance calls back the customer of the visit that has just closed."""
    recent = state.closed_at is not None and matched.utterance.start - state.closed_at < state.phrases.visit.idle
    return recent and not state.one_visit and any(hit.owner in state.recalls for hit in matched.findings.phrases)


def _begins_with_greeting(state: CounterState, matched: MatchedUtterance) -> bool:
    """Whether the first thing found in an utterance is a greeting: then a visit is heard from its first word."""
    first = next((hit.owner for kind, hit in counted_findings(matched) if kind != "word"), None)
    return first in state.openers


def _is_enough_speech(state: CounterState) -> bool:
    """Whether the pending speech is long enough to be a visit. Utterances with a farewell or thanks do not count."""
    speech = (matched.units for matched in state.pending if not matched.findings.phrases)
    return state.one_visit or sum(speech) >= state.phrases.visit.opening_syllables


def _apply_utterance(state: CounterState, matched: MatchedUtterance) -> Step:
    """The state after an utterance within a visit. A greeting in it may close the visit and open the next one."""
    events: tuple[Event, ...] = ()
    called_back = any(hit.owner in state.recalls for hit in matched.findings.phrases)
    for kind, hit in in_order(matched.findings):
        if kind == "phrase" and not called_back and _starts_next_visit(state, hit.owner):
            state, closed = close_visit(state, hit.start, "new_greeting")
            state, opened = _open_visit(state, hit.start, whole=True)
            events += closed + opened
        if counts_from(kind, matched.utterance.speaker):
            state, found = _apply_hit(state, kind, hit, matched.utterance)
            events += found
        if hit.owner in state.closers:
            visit = _open_visit_of(state)
            clear = not hit.shared or visit.farewell == "clear"
            visit = replace(visit, farewell="clear" if clear else "shared", since_farewell=0)
            state = replace(state, visit=visit)
    visit = _open_visit_of(state)
    ended = any(hit.owner in state.closers for hit in matched.findings.phrases)
    since_farewell = 0 if ended else visit.since_farewell + matched.units
    speech_end = max(visit.speech_end, matched.utterance.end)
    lost = is_lost(matched.utterance)
    if lost:
        at = max(matched.utterance.start, state.last_event)
        gap = gap_event(visit, at, Understanding().plus(matched), NOT_UNDERSTOOD)
        state, events = replace(state, last_event=at), (*events, gap)
    visit = replace(
        visit,
        speech=True,
        speech_end=speech_end,
        since_farewell=since_farewell,
        customer=visit.customer or matched.utterance.speaker == "customer",
        understanding=visit.understanding.plus(matched),
        said=(*visit.said, speech_of(matched)),
        not_understood=visit.not_understood or lost,
    )
    return replace(state, visit=visit), events


def _starts_next_visit(state: CounterState, phrase: str) -> bool:
    """Whether a phrase is a greeting after a farewell. Talk after a shared farewell keeps the visit open."""
    visit = _open_visit_of(state)
    if state.one_visit or phrase not in state.openers or visit.farewell is None:
        return False
    return visit.farewell == "clear" or visit.since_farewell <= state.phrases.visit.opening_syllables


def _apply_hit(state: CounterState, kind: FindingKind, hit: Hit, utterance: Utterance) -> Step:
    visit, event = HANDLERS[kind](_open_visit_of(state), hit, state.phrases, utterance)
    if event is None:
        return replace(state, visit=visit), ()
    event = replace(event, at=max(event.at, state.last_event))
    return replace(state, visit=visit, last_event=event.at), (event,)


def _open_visit(state: CounterState, at: float, *, stated: bool = False, whole: bool = False) -> Step:
    """Opens a visit. If it is whole, heard from its first word, it did not begin before anybody listened."""
    at = max(at, state.last_event)
    gap, unclear = (
        end is not None and (state.one_visit or at - end < state.phrases.visit.idle)
        for end in (state.gap_end, state.unclear_end)
    )
    visit = Visit(
        state.visit_count + 1,
        opened=at,
        speech_end=at,
        gap=gap and not (whole and state.only_begun),
        not_understood=unclear,
        stated=stated or state.one_visit,
    )
    state = replace(state, visit=visit, visit_count=visit.number, last_event=at)
    return state, (Event("visit_opened", at, visit=visit.number),)


def _close_if_quiet(state: CounterState, settled: float) -> Step:
    """Closes the open visit if it has been quiet for long enough before `settled` (seconds into the stream)."""
    visit, limits = state.visit, state.phrases.visit
    if visit is None or state.one_visit:
        return state, ()
    ended = visit.farewell is not None and visit.since_farewell <= limits.opening_syllables
    reason: Reason = "farewell" if ended and limits.quiet <= limits.idle else "idle"
    due = visit.speech_end + (limits.quiet if reason == "farewell" else limits.idle)
    return close_visit(state, due, reason) if settled >= due else (state, ())


def close_visit(state: CounterState, at: float, reason: Reason) -> Step:
    """Closes the open visit: every owed phrase that has no verdict yet gets one."""
    at = max(at, state.last_event)
    events = settle(_open_visit_of(state), state.phrases, at, reason)
    state = replace(state, visit=None, closed_at=at, last_event=at, pending=())
    if state.only_begun:  # the next visit begins after this one, which was heard
        state = replace(state, gap_end=None, only_begun=False)
    return state, events


def _open_visit_of(state: CounterState) -> Visit:
    if state.visit is None:
        raise ValueError("no visit is open")
    return state.visit
