"""Tells visits apart and judges them: items in, events out, nothing else. Pure, and without outside libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from counter_listener.domain import (
    Event,
    Findings,
    Gap,
    Hit,
    MatchedItem,
    MatchedUtterance,
    PhraseSet,
    RuleHit,
    Speaker,
    Tick,
    Utterance,
    VisitToggle,
)
from counter_listener.judging.verdicts import (
    Visit,
    VisitUpdate,
    may_be_customer,
    on_hit,
    on_offence,
    on_rule,
    on_trigger,
    on_word,
    settle,
)

Reason = Literal["farewell", "new_greeting", "idle", "gap", "hand", "end"]
Kind = Literal["phrase", "word", "offence", "trigger", "rule"]
Found = Hit | RuleHit

ON: Final[Mapping[Kind, Callable[[Visit, Any, PhraseSet, Utterance], VisitUpdate]]] = {
    "phrase": on_hit,
    "word": on_word,
    "offence": on_offence,
    "trigger": on_trigger,
    "rule": on_rule,
}


@dataclass(frozen=True, slots=True)
class CounterState:
    """What a counter's judge remembers between items."""

    phrases: PhraseSet
    one_visit: bool = False
    """Whether the whole stream is one visit, whatever is said in it."""
    visits: int = 0
    """How many have been opened so far."""
    visit: Visit | None = None
    waiting: tuple[MatchedUtterance, ...] = ()
    """Speech too short so far to be a visit."""
    lost: float | None = None
    """Seconds into the stream at which the last gap ended."""
    now: float = 0.0
    """Seconds into the stream: how far it is known."""
    said: float = 0.0
    """Seconds into the stream of the last event: event times never go back."""
    openers: frozenset[str] = frozenset()
    closers: frozenset[str] = frozenset()


Step = tuple[CounterState, tuple[Event, ...]]


def initial_state(phrases: PhraseSet, *, one_visit: bool = False) -> CounterState:
    """A counter at which nothing has been heard yet."""
    return CounterState(
        phrases,
        one_visit,
        openers=members(phrases, phrases.visit.opens),
        closers=members(phrases, phrases.visit.closes),
    )


def judge(
    items: Iterable[MatchedItem], phrases: PhraseSet, *, one_visit: bool = False, counter: CounterState | None = None
) -> Iterator[Event]:
    """The events of a stream: `advance` over every item, and a close at its end.

    `counter` is what is known of a stream that goes on; a new one is begun where there is none.
    """
    counter = counter or initial_state(phrases, one_visit=one_visit)
    for item in items:
        counter, events = advance(counter, item)
        yield from map(rounded, events)
    yield from map(rounded, finish_stream(counter)[1])


def rounded(event: Event) -> Event:
    """The event with its time to the millisecond: sums of word times carry noise beyond that."""
    return replace(event, at=round(event.at, 3))


def advance(counter: CounterState, item: MatchedItem) -> Step:
    """The counter after one item, and the events that the item brought about."""
    match item:
        case Tick():
            counter, events = close_if_quiet(counter, item.settled)
            return counter if item.at <= counter.now else replace(counter, now=item.at), events
        case Gap():
            return _on_gap(counter, item)
        case VisitToggle():
            return _on_hand(counter, item.at)
        case MatchedUtterance():
            return _on_heard(counter, item)


def finish_stream(counter: CounterState) -> Step:
    """The counter after the stream has ended: an open visit is closed where the stream stops."""
    if counter.one_visit and counter.visit is None:
        counter, opened = _open_visit(counter, 0.0)
        counter, closed = close(counter, counter.now, "end")
        return counter, opened + closed
    return close(counter, counter.now, "end") if counter.visit else (counter, ())


def _on_gap(counter: CounterState, gap: Gap) -> Step:
    counter, events = close_if_quiet(counter, gap.start)
    over = gap.start + gap.seconds
    at = max(gap.start, counter.said)
    told = Event(
        "gap",
        at,
        visit=counter.visit.number if counter.visit else None,
        detail={"seconds": round(gap.seconds, 3), "reason": gap.reason},
    )
    visit = counter.visit and replace(counter.visit, gap=True, speech_end=max(counter.visit.speech_end, over))
    counter = replace(counter, visit=visit, lost=over, now=max(counter.now, over), said=at)
    if visit and gap.seconds >= counter.phrases.visit.idle and not counter.one_visit:
        counter, closed = close(counter, gap.start, "gap")
        return counter, (*events, told, *closed)
    return counter, (*events, told)


def _on_hand(counter: CounterState, at: float) -> Step:
    counter, events = close_if_quiet(counter, at)
    counter = replace(counter, now=max(counter.now, at))
    if counter.visit:
        counter, more = close(counter, at, "hand")
        return counter, events + more
    counter, (opened,) = _open_visit(replace(counter, waiting=()), at)
    return counter, (*events, replace(opened, detail={"by_hand": True}))


def _on_heard(counter: CounterState, heard: MatchedUtterance) -> Step:
    counter, events = close_if_quiet(counter, heard.utterance.start)
    counter = replace(counter, now=max(counter.now, heard.utterance.end))
    if counter.visit:
        counter, more = apply_utterance(counter, heard)
        return counter, events + more
    opening = opens_visit(counter, heard)
    before = () if opening else still_waiting(counter, heard.utterance.start)
    counter = replace(counter, waiting=(*before, heard))
    if not opening and not is_enough_speech(counter):
        return counter, events
    counter, opened = _open_visit(counter, counter.waiting[0].utterance.start)
    events += opened
    waiting, counter = counter.waiting, replace(counter, waiting=())
    for one in waiting:
        counter, more = apply_utterance(counter, one)
        events += more
    return counter, events


def still_waiting(counter: CounterState, at: float) -> tuple[MatchedUtterance, ...]:
    """The speech waiting to become a visit, forgotten after `idle` seconds without more."""
    fresh = counter.waiting and at - counter.waiting[-1].utterance.end < counter.phrases.visit.idle
    return counter.waiting if fresh else ()


def opens_visit(counter: CounterState, heard: MatchedUtterance) -> bool:
    """Whether an utterance alone opens a visit: it holds a phrase, an offence, a request or a trigger.

    A farewell, and what customers say as well, may come from somebody who is leaving.
    """
    for kind, found in counted_findings(heard):
        hit = found.hit if isinstance(found, RuleHit) else found
        if kind != "word" and hit.owner not in counter.closers and not may_be_customer(hit, heard.utterance):
            return True
    return False


def is_enough_speech(counter: CounterState) -> bool:
    """Whether so much was said that it must be a visit; goodbyes and thanks do not count."""
    speech = (heard.units for heard in counter.waiting if not heard.findings.phrases)
    return counter.one_visit or sum(speech) >= counter.phrases.visit.opening_syllables


def apply_utterance(counter: CounterState, heard: MatchedUtterance) -> Step:
    """The open visit after an utterance, which may also end it and begin the next."""
    events: tuple[Event, ...] = ()
    speaker = heard.utterance.speaker
    for kind, found in in_order(heard.findings):
        if kind == "phrase" and begins_anew(counter, found.owner):
            counter, more = _begin_anew(counter, found.start)
            events += more
        if counts_from(kind, speaker):
            counter, more = apply_finding(counter, kind, found, heard.utterance)
            events += more
        if isinstance(found, Hit) and found.owner in counter.closers:
            counter = _with_farewell(counter, found)
    return replace(counter, visit=_after_speech(counter, heard)), events


def _begin_anew(counter: CounterState, at: float) -> Step:
    counter, closed = close(counter, at, "new_greeting")
    counter, opened = _open_visit(counter, at)
    return counter, closed + opened


def _after_speech(counter: CounterState, heard: MatchedUtterance) -> Visit:
    visit = _visit_of(counter)
    goodbye = any(hit.owner in counter.closers for hit in heard.findings.phrases)
    since = 0 if goodbye else visit.since_farewell + heard.units
    return replace(visit, speech=True, speech_end=max(visit.speech_end, heard.utterance.end), since_farewell=since)


def _with_farewell(counter: CounterState, hit: Hit) -> CounterState:
    visit = _visit_of(counter)
    clear = not hit.shared or visit.farewell == "clear"
    return replace(counter, visit=replace(visit, farewell="clear" if clear else "shared", since_farewell=0))


def begins_anew(counter: CounterState, phrase: str) -> bool:
    """Whether a greeting begins a new visit: a farewell came before, and nobody stayed after a vague one."""
    visit = _visit_of(counter)
    if counter.one_visit or phrase not in counter.openers or visit.farewell is None:
        return False
    return visit.farewell == "clear" or visit.since_farewell <= counter.phrases.visit.opening_syllables


def in_order(findings: Findings) -> list[tuple[Kind, Found]]:
    """Everything found, in order of time; of what begins together, phrases come first."""
    found: list[tuple[Kind, Found]] = [("phrase", hit) for hit in findings.phrases]
    found += [("word", hit) for hit in findings.words]
    found += [("offence", hit) for hit in findings.offences]
    found += [("trigger", hit) for hit in findings.triggers]
    found += [("rule", rule) for rule in findings.rules]
    return sorted(found, key=lambda one: one[1].start)


def apply_finding(counter: CounterState, kind: Kind, found: Found, utterance: Utterance) -> Step:
    """The counter and the events after one finding."""
    visit, event = ON[kind](_visit_of(counter), found, counter.phrases, utterance)
    if event is None:
        return counter if visit is counter.visit else replace(counter, visit=visit), ()
    event = event if event.at >= counter.said else replace(event, at=counter.said)
    return replace(counter, visit=visit, said=event.at), (event,)


def _open_visit(counter: CounterState, at: float) -> Step:
    at = max(at, counter.said)
    near = counter.one_visit or at - (counter.lost or 0.0) < counter.phrases.visit.idle
    visit = Visit(counter.visits + 1, opened=at, speech_end=at, gap=counter.lost is not None and near)
    counter = replace(counter, visit=visit, visits=visit.number, said=at)
    return counter, (Event("visit_opened", at, visit=visit.number),)


def close_if_quiet(counter: CounterState, settled: float) -> Step:
    """Closes the open visit where it has been quiet for long enough, as far as the stream is settled."""
    visit, limits = counter.visit, counter.phrases.visit
    if visit is None or counter.one_visit:
        return counter, ()
    fresh = visit.farewell is not None and visit.since_farewell <= limits.opening_syllables
    reason: Reason = "farewell" if fresh and limits.quiet <= limits.idle else "idle"
    due = visit.speech_end + (limits.quiet if reason == "farewell" else limits.idle)
    return close(counter, due, reason) if settled >= due else (counter, ())


def close(counter: CounterState, at: float, reason: Reason) -> Step:
    """Settles the open visit: every owed phrase not heard yet gets its verdict now."""
    at = max(at, counter.said)
    events = settle(_visit_of(counter), counter.phrases, at, reason)
    return replace(counter, visit=None, said=at, waiting=()), events


def _visit_of(counter: CounterState) -> Visit:
    if counter.visit is None:
        raise ValueError("no visit is open")
    return counter.visit


def counts_from(kind: Kind, speaker: Speaker) -> bool:
    """Whether this counts from this speaker: a customer owes nothing and offends nobody, a clerk begins no scenario."""
    return speaker == "unknown" or (kind == "trigger") == (speaker == "customer")


def counted_findings(heard: MatchedUtterance) -> Iterator[tuple[Kind, Found]]:
    """What was found in an utterance, as far as it counts from its speaker."""
    return ((kind, one) for kind, one in in_order(heard.findings) if counts_from(kind, heard.utterance.speaker))


def members(phrases: PhraseSet, names: Iterable[str]) -> frozenset[str]:
    """Ids of the phrases that these ids of stages or phrases stand for."""
    stages: Mapping[str, list[str]] = {stage.id: [p.id for p in stage.phrase] for stage, _ in phrases.stages()}
    return frozenset(one for name in names for one in stages.get(name, [name]))
