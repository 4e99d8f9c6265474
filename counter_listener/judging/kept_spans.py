"""Which seconds of a visit are kept as clips: those around verdicts in question, joined where they overlap. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from counter_listener.domain import ClipKeep, Event, PhraseSet
from counter_listener.judging.due import due_window

LONGEST_WINDOW: Final = 30.0
"""Seconds that are kept of the time in which a phrase was due that was not heard."""


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """A stretch of the stream, in seconds, and what it is kept for."""

    start: float
    end: float
    verdicts: tuple[str, ...]
    """The uids of the events."""


def clip_spans(
    events: Mapping[str, Event], phrases: PhraseSet, keep: ClipKeep, before: float, after: float
) -> list[ClipSpan]:
    """The stretches to keep of a closed visit, in order; none of a visit that was no service.

    `events` are by uid; `before` and `after` are the seconds to keep around each verdict.
    """
    close = next((event for event in events.values() if event.kind == "visit_closed"), None)
    if keep == "none" or close is None or close.detail.get("outcome") == "no_service":
        return []
    opened = _number(close.detail.get("opened"), close.at)
    limits = opened, opened + _number(close.detail.get("seconds"), 0.0)
    spans = []
    for uid, event in events.items():
        if is_kept(event, keep) and (moment := _moment(event, events.values(), phrases, limits)):
            spans.append(ClipSpan(max(0.0, moment[0] - before), moment[1] + after, (uid,)))
    return list(_joined(sorted(spans, key=lambda span: span.start)))


def is_kept(event: Event, keep: ClipKeep) -> bool:
    """Whether a clip is kept of an event."""
    if event.verdict is None or keep == "none":
        return False
    if keep == "offences":
        return event.kind in ("forbidden", "rule") and event.verdict != "heard"
    return keep == "all" or event.verdict != "heard"


def _moment(
    event: Event, events: Iterable[Event], phrases: PhraseSet, limits: tuple[float, float]
) -> tuple[float, float] | None:
    """When the words were said or, where none were, when they were due; None for what was due at no time."""
    said = _number(event.detail.get("said_at"), event.at)
    if event.heard is not None or event.kind != "phrase" or "said_at" in event.detail:
        return said, max(said, _number(event.detail.get("end"), said + 1.0))
    if not event.detail.get("required"):
        return None
    due = due_window(phrases, events, event, *limits)
    is_last = bool(phrases.stage) and event.stage == phrases.stage[-1].id
    start = max(due.start, due.end - LONGEST_WINDOW) if is_last else due.start
    return start, min(due.end, start + LONGEST_WINDOW)


def _joined(spans: Iterable[ClipSpan]) -> Iterator[ClipSpan]:
    """The same stretches, those that touch as one."""
    last: ClipSpan | None = None
    for span in spans:
        if last is not None and span.start <= last.end:
            last = replace(last, end=max(last.end, span.end), verdicts=last.verdicts + span.verdicts)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
