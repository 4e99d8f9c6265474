"""How clerks speak over many visits: the figures of each, counted so that groups of visits can be added. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Quartiles = tuple[float, float, float]
"""Lower quartile, median and upper quartile."""
FIGURES: Final = ("level", "quiet", "rate", "interruptions", "silence", "waits")
"""The figures of a visit, as judging.Figures has them and as the detail of its close stores them under `manner`."""
MANNER_COLUMNS: Final = {name: f"manner_{name}" for name in FIGURES}
"""Their columns in the table `visits`."""
MANNER_OVER: Final = "manner_over"
"""The column of the ids of the limits that a visit is beyond."""
LISTED: Final = ("level", "rate", "silence")
"""Figures of which the page shows the median."""
COUNTED: Final = ("interruptions", "waits")
"""Figures of which it shows in how many visits they are above 0."""


@dataclass(frozen=True, slots=True)
class MannerCounts:
    """The figures of some visits. What could not be told of a visit counts nowhere."""

    visits: int = 0
    values: Mapping[str, Counter[float]] = field(default_factory=dict)
    """By figure: how many visits have each value."""
    over: Counter[str] = field(default_factory=Counter)
    """By id of a limit: visits beyond it."""

    def told(self, figure: str) -> int:
        """Visits in which a figure could be told."""
        return self._of(figure).total()

    def quartiles(self, figure: str) -> Quartiles | None:
        """The quartiles of a figure; None where no visit has one."""
        values = sorted(self._of(figure).items())
        if not values:
            return None
        low, middle, high = (_nth(values, self.told(figure) * part / 4) for part in (1, 2, 3))
        return low, middle, high

    def median(self, figure: str) -> float | None:
        """The median of a figure; None where no visit has one."""
        found = self.quartiles(figure)
        return found[1] if found else None

    def some(self, figure: str) -> tuple[int, int]:
        """In how many visits a figure is above 0, and in how many it could be told."""
        values = self._of(figure)
        return sum(count for value, count in values.items() if value > 0), values.total()

    def _of(self, figure: str) -> Counter[float]:
        return self.values.get(figure, Counter())


def _nth(values: Iterable[tuple[float, int]], rank: float) -> float:
    """The value that this many visits do not exceed."""
    passed, last = 0, 0.0
    for value, count in values:
        passed, last = passed + count, value
        if passed >= rank:
            break
    return last


@dataclass(frozen=True, slots=True)
class MannerData:
    """The figures of a period: of all its visits, by counter, and by the quarter of an hour in which they began."""

    total: MannerCounts = field(default_factory=MannerCounts)
    by_counter: Mapping[str | None, MannerCounts] = field(default_factory=dict)
    by_quarter: Mapping[int | None, MannerCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VisitManner:
    """The figures of one visit, to be counted."""

    counter: str | None
    quarter: int | None
    values: tuple[float | None, ...]
    """In the order of FIGURES."""
    over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MannerSummary:
    """What the page shows of some visits."""

    visits: int
    medians: Mapping[str, float | None]
    """Of LISTED; None where no visit has one."""
    shares: Mapping[str, tuple[int, int]]
    """Of COUNTED: in how many visits a figure is above 0, and in how many it could be told."""


@dataclass(frozen=True, slots=True)
class MannerOverview:
    """The figures of a period, as the page shows them."""

    visits: int
    over: Counter[str]
    """By id of a limit: visits beyond it."""
    by_counter: Mapping[str | None, MannerSummary]
    by_month: Mapping[str, MannerSummary]
    """In order, without visits of unknown time."""


@dataclass(frozen=True, slots=True)
class MannerGroup:
    """Visits of one counter in one month."""

    counter: str | None
    month: str | None
    """None for visits of unknown time."""
    visits: int
    shares: tuple[tuple[int, int], ...]
    """In the order of COUNTED: in how many of them the figure is above 0, and in how many it could be told."""
    listed: tuple[Counter[str], ...]
    """In the order of LISTED: how many of them have each value of a figure, as texts: to make numbers of all of them
    would take longer than to count them."""


def count_groups(groups: Iterable[MannerGroup], over: Counter[str]) -> MannerOverview:
    """What the page shows of these visits, and of those that are beyond a limit."""
    counters: dict[str | None, _Summing] = defaultdict(_Summing)
    months: dict[str | None, _Summing] = defaultdict(_Summing)
    for group in groups:
        counters[group.counter].add(group)
        months[group.month].add(group)
    named = sorted((month, summing) for month, summing in months.items() if month is not None)
    return MannerOverview(
        sum(summing.visits for summing in counters.values()),
        over,
        {name: summing.done() for name, summing in counters.items()},
        {month: summing.done() for month, summing in named},
    )


class _Summing:
    """A summary that is still being made."""

    def __init__(self) -> None:
        self.visits = 0
        self.shares = dict.fromkeys(COUNTED, (0, 0))
        self.texts: dict[str, Counter[str]] = {name: Counter() for name in LISTED}

    def add(self, group: MannerGroup) -> None:
        self.visits += group.visits
        for name, (above, told) in zip(COUNTED, group.shares, strict=True):
            self.shares[name] = self.shares[name][0] + above, self.shares[name][1] + told
        for name, texts in zip(LISTED, group.listed, strict=True):
            self.texts[name].update(texts)

    def done(self) -> MannerSummary:
        counts = MannerCounts(values={name: _numbers(texts) for name, texts in self.texts.items()})
        return MannerSummary(self.visits, {name: counts.median(name) for name in LISTED}, self.shares)


def _numbers(texts: Counter[str]) -> Counter[float]:
    """How often each number occurs; 0 and -0 are one."""
    numbers: dict[float, int] = {}
    for text, count in texts.items():
        number = float(text)
        numbers[number] = numbers.get(number, 0) + count
    return Counter(numbers)


def count_manner(visits: Iterable[VisitManner]) -> MannerData:
    """The figures of these visits."""
    counters: dict[str | None, _Growing] = {}
    quarters: dict[int | None, _Growing] = {}
    for visit in visits:
        counters.setdefault(visit.counter, _Growing()).add(visit)
        quarters.setdefault(visit.quarter, _Growing()).add(visit)
    by_counter = {name: growing.done() for name, growing in counters.items()}
    by_quarter = {quarter: growing.done() for quarter, growing in quarters.items()}
    return MannerData(sum_manner(by_counter.values()), by_counter, by_quarter)


def sum_manner(groups: Iterable[MannerCounts]) -> MannerCounts:
    """The figures of all these groups of visits together."""
    whole = _Growing()
    for group in groups:
        whole.visits += group.visits
        whole.over.update(group.over)
        for name, values in group.values.items():
            whole.values[name].update(values)
    return whole.done()


class _Growing:
    """Counts that are still being made."""

    def __init__(self) -> None:
        self.visits = 0
        self.values: dict[str, Counter[Any]] = {name: Counter() for name in FIGURES}
        self.over: Counter[str] = Counter()

    def add(self, visit: VisitManner) -> None:
        self.visits += 1
        self.over.update(set(visit.over))
        for name, value in zip(FIGURES, visit.values, strict=True):
            if value is not None:
                self.values[name][value] += 1

    def done(self) -> MannerCounts:
        return MannerCounts(self.visits, self.values, self.over)
