"""The numbers a branch runs on, as frozen dataclasses. This module imports no outside library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from math import sqrt
from operator import attrgetter
from typing import Final

from counter_listener.domain import Z_95, Interval, wilson_interval

FEW: Final = 30
"""Of whatever is counted: below it a share says little, and the report says so (the usual rule of thumb for n)."""


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report is about."""

    since: datetime | None = None
    """Aware; None is from the beginning."""
    until: datetime | None = None
    """Aware, itself outside; None is to the end."""
    counters: tuple[str, ...] = ()
    """Only these; none named is all."""
    phrases: str | None = None
    """Only what was judged by the phrase set of this name."""

    def before(self) -> ReportScope | None:
        """The period of the same length right before; None where this one has no beginning or no end."""
        if self.since is None or self.until is None:
            return None
        return ReportScope(self.since - (self.until - self.since), self.since, self.counters, self.phrases)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    part: int
    of: int

    @property
    def value(self) -> float | None:
        """0-1; None of nothing."""
        return self.part / self.of if self.of else None

    @property
    def interval(self) -> Interval | None:
        """95 %, by Wilson; None of nothing."""
        return wilson_interval(self.part, self.of) if self.of else None

    @property
    def few(self) -> bool:
        """Whether there is too little to say much."""
        return self.of < FEW


@dataclass(frozen=True, slots=True)
class VisitTotals:
    """What closed visits come to; sums only, so that they can be added up in any order."""

    visits: int = 0
    scored: int = 0
    """Visits whose score could be told."""
    passed: int = 0
    points: float = 0.0
    """Sum of all scores."""
    squares: float = 0.0
    """Sum of their squares."""
    heard: int = 0
    """Owed phrases that were heard; so on for the next two."""
    not_heard: int = 0
    unknown: int = 0
    forbidden: int = 0
    """Offences."""
    offending: int = 0
    """Visits with an offence."""
    kept: int = 0
    """Rules kept."""
    broken: int = 0
    doubtful: int = 0
    """Offences and broken rules that nobody can be sure of."""
    lost_audio: int = 0
    """Visits that lost audio."""

    @property
    def passing(self) -> Share:
        """Visits that pass, of those whose score could be told."""
        return Share(self.passed, self.scored)

    @property
    def hearing(self) -> Share:
        """Owed phrases heard, of those that could be judged."""
        return Share(self.heard, self.heard + self.not_heard)

    @property
    def keeping(self) -> Share:
        """Rules kept, of the times that they applied and could be judged."""
        return Share(self.kept, self.kept + self.broken)

    @property
    def mean(self) -> float | None:
        """The mean score, 0-100; None where no score could be told."""
        return self.points / self.scored if self.scored else None

    @property
    def mean_interval(self) -> Interval | None:
        """95 % of the mean score, by the normal distribution; None for fewer than two scores."""
        if self.scored < 2 or self.mean is None:  # noqa: PLR2004 - one score has no spread
            return None
        spread = max(0.0, self.squares - self.scored * self.mean**2) / (self.scored - 1)
        reach = Z_95 * sqrt(spread / self.scored)
        return (max(0.0, self.mean - reach), min(100.0, self.mean + reach))


_CELLS: Final = attrgetter(*(one.name for one in fields(VisitTotals)))


def sum_totals(sums: Iterable[VisitTotals]) -> VisitTotals:
    """All of them together."""
    columns = zip(*map(_CELLS, sums), strict=True)
    return VisitTotals(*(sum(column) for column in columns))


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """How often each verdict was told of one phrase, courtesy word, offence, rule or scenario."""

    phrases: str
    """The phrase set's name."""
    kind: str
    """phrase, forbidden or rule, as in docs/EVENTS.md."""
    stage: str | None
    step: str | None
    phrase: str
    verdicts: Mapping[str, int]
    newest: int
    """`seq` of its newest event."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """Of its newest event."""

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.detail.get("title") or self.phrase)

    def count(self, verdict: str) -> int:
        """How often this verdict was told."""
        return self.verdicts.get(verdict, 0)


@dataclass(frozen=True, slots=True)
class DurationStatistics:
    """Lengths of time, in seconds."""

    n: int
    mean: float | None
    quartiles: tuple[float, float, float] | None
    """A quarter, half and three quarters of them are no longer than these."""
    longest: float | None


def duration_statistics(counts: Sequence[tuple[int, int, float, float]]) -> DurationStatistics:
    """From whole seconds in order, with how many lengths begin with that second, their sum and the longest of them."""
    n = sum(count for _, count, _, _ in counts)
    if not n:
        return DurationStatistics(0, None, None, None)
    quarter, half, most = (_at(counts, n * part / 4) for part in (1, 2, 3))
    return DurationStatistics(
        n, sum(one[2] for one in counts) / n, (quarter, half, most), max(one[3] for one in counts)
    )


def _at(counts: Sequence[tuple[int, int, float, float]], place: float) -> float:
    for second, count, _, _ in counts:
        place -= count
        if place <= 0:
            return float(second)
    return float(counts[-1][0])


@dataclass(frozen=True, slots=True)
class CounterCoverage:
    """How long a counter was listened to, and how much of that never reached us."""

    counter: str | None
    seconds: float
    lost: float
    """Seconds."""
    gaps: int
    """How many losses, those of unknown length included."""

    @property
    def share(self) -> float | None:
        """Lost, of all; None where nothing was listened to."""
        return min(1.0, self.lost / self.seconds) if self.seconds else None


@dataclass(frozen=True, slots=True)
class ScenarioTotals:
    """What came of the visits in which a scenario began, such as a complaint."""

    scenario: str
    sums: VisitTotals
    missed: int
    """Visits in which something owed to the scenario was not heard."""
    unknown: int
    """Visits in which nothing was missed but something could not be told."""


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event of a visit that is shown."""

    at: float
    """Seconds into the recording at which it was said, or at which the visit closed."""
    said: bool
    """Whether `at` is where the words are."""
    kind: str
    stage: str | None
    phrase: str
    title: str
    verdict: str
    closeness: float | None
    """How close in sound, 0-100."""
    heard: str | None
    reason: str | None
    late: float | None
    """Seconds after it was due."""


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit with its evidence."""

    visit: str
    counter: str | None
    wall: datetime | None
    """When it was opened."""
    score: float | None
    grade: str | None
    passed: bool | None
    opened: float
    """Seconds into the recording."""
    seconds: float
    lost_audio: bool
    recording: str | None
    """Where the recording lay when it was checked; None for what was heard live."""
    evidence: Sequence[ShownEvent]


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the record was asked for one report."""

    scope: ReportScope
    sets: Sequence[tuple[str, str]]
    """Names and hashes of the phrase sets that visits were judged by."""
    judged: Mapping[str, VisitTotals]
    """By the name of the phrase set."""
    counters: Mapping[str | None, VisitTotals]
    quarters: Mapping[int | None, VisitTotals]
    """By the quarter of an hour in which they were opened, counted from 1970 in UTC; None where that is unknown."""
    before: VisitTotals | None
    """The period of the same length right before."""
    told: Sequence[VerdictCounts]
    scenarios: Sequence[ScenarioTotals]
    lengths: DurationStatistics
    between: DurationStatistics
    listening: Sequence[CounterCoverage]
    visits: Sequence[ShownVisit]
