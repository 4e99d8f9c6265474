"""The words of the trade, as frozen dataclasses. This module imports no outside library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

SAMPLE_RATE: Final = 16_000
"""Hertz; what every recogniser is fed."""
BLOCK_SAMPLES: Final = 3_200
"""Samples a block (0.2 s). libvosk looks for the end of an utterance once per block, so one size, everywhere."""
SAMPLE_BYTES: Final = 2
"""Bytes a sample: signed 16-bit little-endian, mono."""

Kind = Literal["visit_opened", "phrase", "forbidden", "rule", "visit_closed", "gap", "error"]
Verdict = Literal["heard", "not_heard", "unknown", "forbidden", "broken"]
Speaker = Literal["clerk", "customer", "unknown"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word, recognised."""

    text: str
    start: float
    """Seconds into the stream."""
    end: float
    """Seconds into the stream."""
    confidence: float = 1.0
    """How sure the recogniser is of it, 0-1; 1 where it does not say."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of speech, recognised."""

    start: float
    """Seconds into the stream."""
    end: float
    """Seconds into the stream."""
    words: tuple[Word, ...]
    speaker: Speaker = "unknown"
    near_gap: bool = False
    """Whether audio was lost right before it or at its end."""

    @property
    def text(self) -> str:
        """The words, separated by spaces."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that never reached us."""

    start: float
    """Seconds into the stream."""
    seconds: float
    """How much was lost; 0 where nobody can say."""
    reason: str
    """One sentence for people."""


@dataclass(frozen=True, slots=True)
class VisitToggle:
    """Somebody opened a visit by hand, or closed the open one."""

    at: float
    """Seconds into the stream."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passing, counted in samples."""

    at: float
    """Seconds into the stream: how far it has been listened to."""
    settled: float
    """Seconds into the stream: no utterance still to come starts before this."""


StreamItem = Utterance | Gap | VisitToggle | Tick
"""What the matcher is given."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A wording found in an utterance."""

    owner: str
    """Id of the phrase, courtesy word, forbidden phrase, rule or scenario that the wording belongs to."""
    wording: str
    """As the phrase set writes it."""
    heard: str
    """As the recogniser wrote it; what fills a slot is shown as an ellipsis."""
    start: float
    """Seconds into the stream."""
    end: float
    """Seconds into the stream."""
    score: float
    """How close in sound, 0-100."""
    shared: bool = False
    """Whether customers say this wording as well."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only record."""

    kind: Kind
    at: float
    """Seconds into the stream."""
    visit: int | None = None
    """Number of the visit within its stream, from 1; None for what belongs to no visit."""
    stage: str | None = None
    step: str | None = None
    phrase: str | None = None
    """Id of the phrase, courtesy word, forbidden phrase, rule or scenario."""
    verdict: Verdict | None = None
    score: float | None = None
    """Of a hit: closeness in sound, 0-100. Of a closed visit: its score, 0-100, None if nothing could be judged."""
    heard: str | None = None
    """The words of the hit, masked; never more."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """What only this kind has: see docs/EVENTS.md."""
