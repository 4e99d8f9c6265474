"""The figures of a report as frozen dataclasses. Pure, no database."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import accumulate
from math import sqrt
from operator import attrgetter
from typing import Final, Self

from counter_listener.domain import Z_95, Agreement, Estimate, Event, Interval, Review, Verdict, wilson_interval
from counter_listener.record.manner_figures import MannerData

FEW: Final = 30
"""A share of fewer cases is marked as uncertain in the report (the usual rule of thumb for n)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A counter, and where it belongs; what is not set is None."""

    name: str
    branch: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report covers."""

    since: datetime | None = None
    """With a time zone; None is the beginning."""
    until: datetime | None = None
    """With a time zone, exclusive; None is the end."""
    counters: tuple[str, ...] = ()
    """Only these counters; empty is all."""
    branch: str | None = None
    region: str | None = None
    only: tuple[str, ...] | None = None
    """What the reader may see at all: these counters; None is all, and empty is nothing."""
    phrases: str | None = None
    """Only what was judged by the phrase set of this name."""

    def before(self) -> Self | None:
        """The period of the same length directly before; None if this one has no beginning or no end."""
        if self.since is None or self.until is None:
            return None
        return replace(self, since=self.since - (self.until - self.since), until=self.since)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a number of cases."""

    part: int
    of: int

    @property
    def value(self) -> float | None:
        """0-1; None without cases."""
        return self.part / self.of if self.of else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % Wilson interval; None without cases."""
        return wilson_interval(self.part, self.of) if self.of else None

    @property
    def few(self) -> bool:
        """Whether there are too few cases for a reliable share."""
        return self.of < FEW


@dataclass(frozen=True, slots=True)
class VisitTotals:
    """Totals of closed visits, without those that were no service. They are sums only, so that totals can be added."""

    visits: int = 0
    scored: int = 0
    """Visits with a score."""
    passed: int = 0
    points: float = 0.0
    """Sum of all scores."""
    squares: float = 0.0
    """Sum of the squares of all scores."""
    heard: int = 0
    """Owed phrases that were heard; the next two count those that were not heard and those that are unknown."""
    not_heard: int = 0
    unknown: int = 0
    forbidden: int = 0
    """Offences."""
    offending: int = 0
    """Visits with an offence."""
    kept: int = 0
    """Rules that were followed."""
    broken: int = 0
    doubtful: int = 0
    """Offences and broken rules that are uncertain."""
    lost_audio: int = 0
    """Visits that lost audio, or in which too little was understood."""
    not_understood: int = 0
    """Visits in which too little was understood."""

    @property
    def pass_share(self) -> Share:
        """Visits that pass, of those with a score."""
        return Share(self.passed, self.scored)

    @property
    def heard_share(self) -> Share:
        """Owed phrases heard, of those that could be judged."""
        return Share(self.heard, self.heard + self.not_heard)

    @property
    def kept_share(self) -> Share:
        """Rules followed, of the times that they applied and could be judged."""
        return Share(self.kept, self.kept + self.broken)

    @property
    def mean(self) -> float | None:
        """The mean score, 0-100; None without scores."""
        return self.points / self.scored if self.scored else None

    @property
    def mean_interval(self) -> Interval | None:
        """The 95 % interval of the mean score, by the normal distribution; None for fewer than two scores."""
        if self.scored < 2 or self.mean is None:  # noqa: PLR2004 - one score has no variance
            return None
        variance = max(0.0, self.squares - self.scored * self.mean**2) / (self.scored - 1)
        half_width = Z_95 * sqrt(variance / self.scored)
        return (max(0.0, self.mean - half_width), min(100.0, self.mean + half_width))


_VALUES: Final = attrgetter(*(field.name for field in fields(VisitTotals)))


def sum_totals(totals: Iterable[VisitTotals]) -> VisitTotals:
    """The sum of totals."""
    columns = zip(*map(_VALUES, totals), strict=True)
    return VisitTotals(*(sum(column) for column in columns))


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """The number of each verdict on one phrase, courtesy word, offence, rule or scenario."""

    phrases: str
    """Name of the phrase set."""
    kind: str
    """phrase, forbidden or rule, as in docs/events.md."""
    stage: str | None
    step: str | None
    phrase: str
    verdicts: Counter[str]
    newest: int
    """`seq` of its newest event."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """The detail of its newest event."""

    @property
    def title(self) -> str:
        """Its title for people; its id if it has none."""
        return str(self.detail.get("title") or self.phrase)


@dataclass(frozen=True, slots=True)
class DurationStatistics:
    """Statistics of durations, in seconds."""

    n: int
    mean: float | None
    quartiles: tuple[float, float, float] | None
    """Lower quartile, median and upper quartile."""
    longest: float | None


def duration_statistics(counts: Sequence[tuple[int, int, float, float]]) -> DurationStatistics:
    """Statistics from a histogram in order of whole seconds.

    Each entry is a whole second, the number of durations that begin with it, their sum and the longest of them.
    """
    n = sum(count for _, count, _, _ in counts)
    if not n:
        return DurationStatistics(0, None, None, None)
    reached = list(accumulate(count for _, count, _, _ in counts))
    quarter, half, most = (float(counts[bisect_left(reached, n * part / 4)][0]) for part in (1, 2, 3))
    mean = sum(total for _, _, total, _ in counts) / n
    return DurationStatistics(n, mean, (quarter, half, most), max(longest for _, _, _, longest in counts))


@dataclass(frozen=True, slots=True)
class CounterCoverage:
    """How long a counter was listened to, and how much audio was lost."""

    counter: str | None
    seconds: float
    lost: float
    """Seconds."""
    gaps: int
    """Number of losses, those of unknown length included."""

    @property
    def share(self) -> float | None:
        """The share of the audio that was lost, 0-1; None if the counter was not listened to."""
        return min(1.0, self.lost / self.seconds) if self.seconds else None


@dataclass(frozen=True, slots=True)
class ScenarioTotals:
    """Totals of the visits in which a scenario began, such as a complaint."""

    scenario: str
    sums: VisitTotals
    missed: int
    """Visits in which a phrase that the scenario requires was not heard."""
    unknown: int
    """Visits in which none was missed but one is unknown."""


@dataclass(frozen=True, slots=True)
class VerdictTrust:
    """How often reviewers upheld one verdict of the machine on one phrase, offence or rule."""

    phrases: str
    """Name of the phrase set."""
    kind: str
    phrase: str
    title: str
    verdict: Verdict
    upheld: Share
    """Of the reviewed ones, whoever chose them."""
    sampled: Estimate | None
    """Estimated for all from the visits of samples; None if none of them is done."""


@dataclass(frozen=True, slots=True)
class MachineTrust:
    """What the reviews of a period say of the machine."""

    reviewed: int = 0
    """Visits with a review."""
    changed: int = 0
    """Of those, with a verdict that was overturned or something missed."""
    verdicts: Sequence[VerdictTrust] = ()
    overturned: Share = field(default_factory=lambda: Share(0, 0))
    """Verdicts that were overturned, of those reviewed."""
    overturned_sampled: Estimate | None = None
    """Estimated for all from samples."""
    missed: int = 0
    """Offences and broken rules that reviewers heard and the machine did not."""
    visits_missed: Estimate | None = None
    """Visits in which the machine missed one, estimated for all from samples."""
    sampled: int = 0
    """Visits of samples."""
    finished: int = 0
    """Of those, looked at to their end."""
    agreement: Agreement | None = None
    """Of two reviewers who did not see each other; None if nobody gave a second opinion."""


@dataclass(frozen=True, slots=True)
class ReviewedVisit:
    """What reviews made of a visit."""

    score: float | None
    grade: str | None
    passed: bool | None
    reviews: int
    """Number of words on it that decide something."""


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit that the report shows, with its evidence."""

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
    outcome: str | None
    """As in domain.Outcome; None if an earlier version recorded it."""
    recording: str | None
    """Path of the recording when it was checked; None for a visit that was heard live."""
    evidence: Sequence[Event]
    """In order of time; `at` is the time at which it was said, or at which the visit closed. What only a reviewer heard
    or saw has no verdict."""
    reviews: Sequence[Review | None] = ()
    """The word of a person on each piece of evidence, if there is one; empty if nobody reviewed the visit."""
    reviewed: ReviewedVisit | None = None
    manner: Mapping[str, float | None] = field(default_factory=dict)
    """How the clerk spoke, by figure."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that a report needs from the record."""

    scope: ReportScope
    sets: Sequence[tuple[str, str]]
    """Names and hashes of the phrase sets that judged the visits."""
    by_phrase_set: Mapping[str, VisitTotals]
    by_counter: Mapping[str | None, VisitTotals]
    by_quarter: Mapping[int | None, VisitTotals]
    """By the quarter of an hour in which visits were opened, counted from 1970 in UTC; None if that is unknown."""
    previous: VisitTotals | None
    """Totals of the period of the same length directly before."""
    verdict_counts: Sequence[VerdictCounts]
    scenarios: Sequence[ScenarioTotals]
    durations: DurationStatistics
    """Of visits."""
    pauses: DurationStatistics
    """Between visits."""
    coverage: Sequence[CounterCoverage]
    visits: Sequence[ShownVisit]
    no_service: Sequence[ShownVisit] = ()
    """What was told as no service, the newest first; in no other figure but the coverage."""
    no_service_by_counter: Mapping[str | None, int] = field(default_factory=dict)
    after_reviews: VisitTotals | None = None
    """The totals of all visits with the scores after their reviews; None if nobody reviewed one of them."""
    trust: MachineTrust = field(default_factory=MachineTrust)
    manner: MannerData | None = None
    """How the clerks spoke; None where nobody asked."""
    places: Sequence[Place] = ()
    """The branch and the region of each counter that was given one."""
