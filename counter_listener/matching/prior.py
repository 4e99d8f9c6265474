"""What is likely to be said: others where a phrase was just heard, and what a scenario asks for only in one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import inf
from typing import Final

from counter_listener.domain import Findings, Hit, Prior
from counter_listener.matching.confusion import parameters

PRIOR_ORDER: Final[tuple[Prior, ...]] = ("nothing", "phrases", "scenario")


@dataclass(frozen=True, slots=True)
class RecentPhrases:
    """When the last phrase was heard, and the last one or trigger of a scenario, in seconds."""

    phrase: float = -inf
    scenario: float = -inf

    def expected(self, now: float) -> Prior:
        """What is likely at a moment."""
        since = now - parameters().likely_within
        return "scenario" if self.scenario >= since else "phrases" if self.phrase >= since else "nothing"

    def after(self, findings: Findings, of_scenarios: Collection[str]) -> RecentPhrases:
        """The same after more was found. A phrase counts that would be one where none is likely."""
        close = [hit for hit in findings.phrases if is_close(hit)]
        in_scenario = (*findings.triggers, *(hit for hit in close if hit.owner in of_scenarios))
        return RecentPhrases(
            max((self.phrase, *(hit.end for hit in close))), max((self.scenario, *(hit.end for hit in in_scenario)))
        )


def prior_within(findings: Findings, of_scenarios: Collection[str]) -> Prior:
    """What is likely beside what was found."""
    if findings.triggers or any(hit.owner in of_scenarios for hit in findings.phrases):
        return "scenario"
    return "phrases" if findings.phrases else "nothing"


def is_close(hit: Hit) -> bool:
    """Whether it would be one where phrases are not likely, too."""
    return hit.score >= 100 * (1 - parameters().lines["phrase"].share)
