"""What many recordings came to, kept as numbers only, however many there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from counter_listener.batch.check import CheckResult
from counter_listener.domain import Event


@dataclass
class Tally:
    """Running totals over results."""

    checked: int = 0
    failed: int = 0
    """Inputs that could not be read."""
    incomplete: int = 0
    """Inputs of which a part could not be read."""
    seconds: float = 0.0
    """Length of all that was read."""
    visits: int = 0
    passed: int = 0
    scored: int = 0
    """Visits whose score could be told."""
    points: float = 0.0
    """Sum of all scores."""
    lowest: float | None = None
    """The lowest score of a visit."""
    missed: Counter[str] = field(default_factory=Counter)
    """How often each owed phrase was not heard, by title."""
    verdicts: Counter[str] = field(default_factory=Counter)

    def add(self, result: CheckResult) -> None:
        """Counts one result in."""
        self.failed += result.error is not None
        self.checked += result.error is None
        self.incomplete += bool(result.losses)
        self.seconds += result.seconds
        for event in result.events:
            self.verdicts[event.verdict or ""] += 1
            if event.verdict == "not_heard":
                self.missed[str(event.detail["title"])] += 1
            elif event.kind == "visit_closed":
                self._add_visit(event)

    def _add_visit(self, closed: Event) -> None:
        self.visits += 1
        if closed.score is not None:
            self.scored += 1
            self.passed += bool(closed.detail["passed"])
            self.points += closed.score
            self.lowest = closed.score if self.lowest is None else min(self.lowest, closed.score)
