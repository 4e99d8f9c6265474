"""Which verdicts change when a stored transcript is judged by another phrase set. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from counter_listener.domain import Event


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A verdict that changes."""

    visit: int
    """Number of the visit in the record, or in the new events where the record does not have it."""
    at: float
    """Seconds into the recording at which that visit was opened."""
    kind: str
    phrase: str
    title: str
    before: str | None
    """The recorded verdict; None where there is none."""
    after: str | None
    heard: str | None
    """The masked words of the hit, of the new verdict or else of the recorded one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A visit in time, with its events. Times are seconds into the recording."""

    number: int
    start: float
    end: float
    events: tuple[Event, ...]


def verdict_changes(before: Iterable[Event], after: Iterable[Event]) -> Iterator[VerdictChange]:
    """The verdicts on a recording that differ, visit by visit. Visits that overlap most are compared."""
    for visit, old, new in paired_visits(before, after):
        yield from _changes(visit, old, new)


def paired_visits(before: Iterable[Event], after: Iterable[Event]) -> list[tuple[Span, Span | None, Span | None]]:
    """Each visit with itself before and after, or one of them. Visits that overlap most are the same."""
    return _paired(_spans(before), _spans(after))


def _spans(events: Iterable[Event]) -> list[Span]:
    visits: dict[int, list[Event]] = {}
    for event in events:
        if event.visit is not None:
            visits.setdefault(event.visit, []).append(event)
    return [
        Span(number, found[0].at, max(found[-1].at, found[0].at + 1e-3), tuple(found))
        for number, found in visits.items()
    ]


def _paired(old: Sequence[Span], new: Sequence[Span]) -> list[tuple[Span, Span | None, Span | None]]:
    """Each visit with the old and the new visit that overlap most, or with one of them. In order of time."""
    distances = sorted(
        (max(a.start, b.start) - min(a.end, b.end), i, j) for i, a in enumerate(old) for j, b in enumerate(new)
    )
    partner: dict[int, int] = {}
    for distance, i, j in distances:
        if distance < 0 and i not in partner and j not in partner.values():
            partner[i] = j
    pairs: list[tuple[Span, Span | None, Span | None]] = []
    pairs += [(a, a, new[partner[i]] if i in partner else None) for i, a in enumerate(old)]
    pairs += [(b, None, b) for j, b in enumerate(new) if j not in partner.values()]
    return sorted(pairs, key=lambda pair: pair[0].start)


def _changes(visit: Span, old: Span | None, new: Span | None) -> Iterator[VerdictChange]:
    recorded, judged = _by_subject(old), _by_subject(new)
    for kind, phrase in dict.fromkeys((*recorded, *judged)):
        for before, after in _aligned(recorded.get((kind, phrase), []), judged.get((kind, phrase), [])):
            if (before and before.verdict) != (after and after.verdict):
                shown = after or before
                yield VerdictChange(
                    visit.number,
                    visit.start,
                    kind,
                    phrase,
                    title=str(shown.detail.get("title", phrase)) if shown else phrase,
                    before=before.verdict if before else None,
                    after=after.verdict if after else None,
                    heard=(after and after.heard) or (before and before.heard) or None,
                )


def _by_subject(span: Span | None) -> dict[tuple[str, str], list[Event]]:
    """The verdicts of a visit by the kind and id of what they are on, each list in order of time."""
    verdicts: dict[tuple[str, str], list[Event]] = {}
    for event in span.events if span else ():
        if event.verdict and event.phrase:
            verdicts.setdefault((event.kind, event.phrase), []).append(event)
    return verdicts


def _aligned(old: Sequence[Event], new: Sequence[Event]) -> Iterator[tuple[Event | None, Event | None]]:
    """Verdicts on the same thing in pairs: those at the same time first, then the rest in order of time."""
    if [event.verdict for event in old] == [event.verdict for event in new]:
        return
    rest_new, rest_old = list(new), []
    for event in old:
        twin = next((other for other in rest_new if other.at == event.at), None)
        if twin is None:
            rest_old.append(event)
        else:
            rest_new.remove(twin)
            yield event, twin
    yield from zip_longest(rest_old, rest_new)
