"""What was found in an utterance: hits, and what a rule asks about. This module imports no outside library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from counter_listener.domain.types import Gap, Hit, Tick, Utterance, VisitToggle

Role = Literal["phrase", "forbidden", "word", "trigger", "when", "need", "unless", "not_in"]


Prior = Literal["nothing", "phrases", "scenario"]
"""What is likely to be said: nothing that is owed, owed phrases, or those of a scenario as well."""


@dataclass(frozen=True, slots=True)
class RuleHit:
    """What a rule asks about, and whether the courtesy it needs stood beside it."""

    hit: Hit
    kept: bool

    @property
    def owner(self) -> str:
        """Id of the rule."""
        return self.hit.owner

    @property
    def start(self) -> float:
        """Seconds into the stream."""
        return self.hit.start


@dataclass(frozen=True, slots=True)
class RecentContext:
    """A context or a courtesy heard a moment ago, which may still excuse what comes."""

    role: Role
    owners: frozenset[str]
    """Ids of those that list it."""
    end: float
    """Seconds into the stream."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one utterance holds of a phrase set, each in order of time."""

    phrases: tuple[Hit, ...] = ()
    words: tuple[Hit, ...] = ()
    offences: tuple[Hit, ...] = ()
    triggers: tuple[Hit, ...] = ()
    rules: tuple[RuleHit, ...] = ()
    marks: tuple[RecentContext, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedUtterance:
    """An utterance with all that was found in it."""

    utterance: Utterance
    findings: Findings
    units: int
    """How much was said: syllables, or words in letters."""
    expected: Prior = "nothing"
    """What was likely to be said in it."""


MatchedItem = MatchedUtterance | Gap | VisitToggle | Tick
"""What the judge is told, in order of time."""
