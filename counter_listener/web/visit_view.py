"""A visit for its page: what was looked for, what was heard, when to play it, in the order of the service. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from counter_listener.domain import Event, PhraseSet, Verdict
from counter_listener.judging import due_window

BEFORE: Final = 2.0
"""Seconds that are played before the words."""
AFTER: Final = 3.0
ACCUSING: Final = ("forbidden", "rule")


@dataclass(frozen=True, slots=True)
class Item:
    """One verdict of the machine."""

    uid: str
    event: Event
    title: str
    verdict_now: Verdict
    """After the reviews."""
    start: float
    """Seconds into the recording: where the words are, or from when on they were due."""
    end: float
    play_from: float
    play_to: float | None
    """Where playing stops; None goes on."""
    is_window: bool
    """Whether start and end are the time in which it was due."""

    @property
    def verdict(self) -> Verdict:
        """Of the machine."""
        return self.event.verdict or "unknown"

    def detail(self, name: str) -> Any:  # noqa: ANN401 - a value of JSON
        """A field of the event; None if it has none."""
        return self.event.detail.get(name)


@dataclass(frozen=True, slots=True)
class Group:
    """The verdicts of a stage, or those on rules and offences."""

    id: str
    title: str
    items: list[Item]


@dataclass(frozen=True, slots=True)
class GapView:
    """Sound that is missing or was not understood."""

    start: float
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class VisitView:
    """What the page shows of a visit."""

    groups: list[Group]
    words: list[Item]
    """Courtesy words that were heard."""
    gaps: list[GapView]
    start: float
    end: float

    def has_misses(self) -> bool:
        """Whether something was not heard, or costs points."""
        return any(item.verdict in ("not_heard", "unknown", "forbidden", "broken") for item in self.items())

    def items(self) -> Iterator[Item]:
        """All verdicts."""
        for group in self.groups:
            yield from group.items


def visit_view(
    events: Mapping[str, Event], verdicts: Mapping[str, Verdict], phrases: PhraseSet | None, titles: Mapping[str, str]
) -> VisitView:
    """The view of a closed visit. `events` and `verdicts` are by uid, `phrases` the set that judged it, if at hand."""
    listed = list(events.values())
    close = next((event for event in reversed(listed) if event.kind == "visit_closed"), None)
    opened = _number(close and close.detail.get("opened"), min((event.at for event in listed), default=0.0))
    length = _number(close and close.detail.get("seconds"), 0.0)
    closed = opened + length if length else max((event.at for event in listed), default=opened)
    items = [
        _item(uid, event, verdicts.get(uid, event.verdict), listed, phrases, (opened, closed), titles)
        for uid, event in events.items()
        if event.verdict is not None
    ]
    gaps = [_gap(event) for event in listed if event.kind == "gap"]
    words = [item for item in items if item.detail("courtesy_word")]
    return VisitView(list(_groups(items, phrases, titles)), words, gaps, opened, closed)


def _item(  # noqa: PLR0913 - what a verdict depends on
    uid: str,
    event: Event,
    verdict: Verdict | None,
    events: Sequence[Event],
    phrases: PhraseSet | None,
    limits: tuple[float, float],
    titles: Mapping[str, str],
) -> Item:
    title = str(event.detail.get("title") or titles.get(event.phrase or "", event.phrase or ""))
    said = event.detail.get("said_at")
    if event.heard is None and event.kind == "phrase":
        due = due_window(phrases, events, event, *limits)
        return Item(
            uid, event, title, verdict or "unknown", due.start, due.end, due.start, due.end + 1.0, is_window=True
        )
    at = _number(said, event.at)
    end = _number(event.detail.get("end"), at + 1.0)
    begin = max(0.0, at - BEFORE)
    return Item(uid, event, title, verdict or "unknown", at, end, begin, end + AFTER, is_window=False)


def _groups(items: Iterable[Item], phrases: PhraseSet | None, titles: Mapping[str, str]) -> Iterator[Group]:
    """What costs most first: offences and broken rules; then the stages in the order of the phrase set; rules kept."""
    shown = [item for item in items if not item.detail("courtesy_word")]
    ruled = sorted((item for item in shown if item.event.kind in ACCUSING), key=lambda item: item.start)
    kept = [item for item in ruled if item.event.kind == "rule" and item.verdict == "heard"]
    if accused := [item for item in ruled if item not in kept]:
        yield Group("accused", "", accused)
    order = [stage.id for stage, _ in phrases.stages()] if phrases else []
    found = dict.fromkeys([*order, *(item.event.stage or "" for item in shown)])
    ranks = {phrase.id: rank for rank, (phrase, _) in enumerate(phrases.phrases())} if phrases else {}
    for stage in found:
        own = [item for item in shown if item.event.kind == "phrase" and (item.event.stage or "") == stage]
        if own:
            own.sort(key=lambda item: (not item.detail("required"), ranks.get(item.event.phrase or "", 0)))
            yield Group(stage or "other", titles.get(stage, stage), own)
    if kept:
        yield Group("kept", "", kept)


def _gap(event: Event) -> GapView:
    return GapView(event.at, _number(event.detail.get("seconds"), 0.0), str(event.detail.get("reason", "")))


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
