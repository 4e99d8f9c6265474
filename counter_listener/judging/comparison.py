"""Which verdicts would change if kept transcripts were judged by another phrase set. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from counter_listener.domain import Event

Key = tuple[str, str]
"""Kind and id of what a verdict is on."""


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A verdict that would change."""

    visit: int
    """Number of the visit as it is recorded, or as it would be told apart where it is not there."""
    at: float
    """Seconds into the recording at which that visit was opened."""
    kind: str
    phrase: str
    title: str
    before: str | None
    """The verdict recorded; None where there is none."""
    after: str | None
    heard: str | None
    """The words of the hit, masked, of the verdict that has any."""


@dataclass(frozen=True, slots=True)
class Span:
    """A visit with what was said of it."""

    number: int
    start: float
    end: float
    events: tuple[Event, ...]


def verdict_changes(before: Iterable[Event], after: Iterable[Event]) -> Iterator[VerdictChange]:
    """The verdicts on a recording that differ, visit by visit; visits are the same where they overlap most."""
    old, new = spans(before), spans(after)
    pairs = paired(old, new)
    for one, other in pairs:
        yield from _flips(one, other)


def paired(old: Sequence[Span], new: Sequence[Span]) -> list[tuple[Span | None, Span | None]]:
    """Each visit beside the one that overlaps it most, each used once; alone where there is none. In order of time."""
    shared = sorted(
        ((overlap(one, other), a, b) for a, one in enumerate(old) for b, other in enumerate(new)),
        key=lambda found: (-found[0], found[1], found[2]),
    )
    mine: dict[int, int] = {}
    taken: set[int] = set()
    for seconds, a, b in shared:
        if seconds > 0 and a not in mine and b not in taken:
            mine[a] = b
            taken.add(b)
    pairs: list[tuple[Span | None, Span | None]] = [
        (one, new[mine[a]] if a in mine else None) for a, one in enumerate(old)
    ]
    pairs += [(None, other) for b, other in enumerate(new) if b not in taken]
    return sorted(pairs, key=lambda pair: (pair[0] or pair[1] or Span(0, 0.0, 0.0, ())).start)


def overlap(one: Span, other: Span) -> float:
    """Seconds that two visits share."""
    return min(one.end, other.end) - max(one.start, other.start)


def spans(events: Iterable[Event]) -> list[Span]:
    """The visits of a recording."""
    visits: dict[int, list[Event]] = {}
    for event in events:
        if event.visit is not None:
            visits.setdefault(event.visit, []).append(event)
    return [
        Span(number, told[0].at, max(told[-1].at, told[0].at + 1e-3), tuple(told)) for number, told in visits.items()
    ]


def _flips(one: Span | None, other: Span | None) -> Iterator[VerdictChange]:
    visit = one or other
    if visit is None:
        return
    old, new = (verdicts(span.events) if span else {} for span in (one, other))
    for key in dict.fromkeys((*old, *new)):
        mine, theirs = old.get(key, []), new.get(key, [])
        if [event.verdict for event in mine] == [event.verdict for event in theirs]:
            continue
        for before, after in _aligned(mine, theirs):
            if (before and before.verdict) != (after and after.verdict):
                told = after or before
                title = str(told.detail.get("title", key[1])) if told else key[1]
                heard = (after and after.heard) or (before and before.heard)
                yield VerdictChange(
                    visit.number,
                    visit.start,
                    *key,
                    title=title,
                    before=before.verdict if before else None,
                    after=after.verdict if after else None,
                    heard=heard or None,
                )


def _aligned(old: Sequence[Event], new: Sequence[Event]) -> Iterator[tuple[Event | None, Event | None]]:
    """Verdicts on the same thing side by side: those of the same words first, then what is left in order of time."""
    left = list(new)
    alone = []
    for event in old:
        twin = next((other for other in left if other.at == event.at), None)
        if twin is None:
            alone.append(event)
        else:
            left.remove(twin)
            yield event, twin
    for number in range(max(len(alone), len(left))):
        yield (alone[number] if number < len(alone) else None), (left[number] if number < len(left) else None)


def verdicts(events: Iterable[Event]) -> Mapping[Key, list[Event]]:
    """The verdicts of a visit, by what they are on, each in order of time."""
    told: dict[Key, list[Event]] = {}
    for event in events:
        if event.verdict and event.phrase:
            told.setdefault((event.kind, event.phrase), []).append(event)
    return told
