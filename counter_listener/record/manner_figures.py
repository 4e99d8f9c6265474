"""How clerks speak over many visits: the figures of each, counted so that groups of visits can be added. Pure."""

from __future__ import annotations

from collections import Counter
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
    """Visits that differ in nothing but their figures of LISTED."""

    counter: str | None
    month: str | None
    visits: int
    counted: tuple[float | None, ...]
    """In the order of COUNTED."""
    listed: tuple[list[float], ...]
    """In the order of LISTED, each of the visits in which the figure could be told."""
    over: tuple[str, ...]


def count_groups(groups: Iterable[MannerGroup]) -> MannerOverview:
    """What the page shows of these visits."""
    growing: dict[tuple[str | None, str | None], _Growing] = {}
    for group in groups:
        growing.setdefault((group.counter, group.month), _Growing()).add_group(group)
    done = {key: counts.done() for key, counts in growing.items()}
    total = sum_manner(MannerCounts(counts.visits, over=counts.over) for counts in done.values())
    months = sorted({month for _, month in done if month is not None})
    return MannerOverview(
        total.visits,
        total.over,
        {name: _summary(counts for key, counts in done.items() if key[0] == name) for name in {key[0] for key in done}},
        {month: _summary(counts for key, counts in done.items() if key[1] == month) for month in months},
    )


def _summary(groups: Iterable[MannerCounts]) -> MannerSummary:
    counts = sum_manner(groups)
    medians = {name: counts.median(name) for name in LISTED}
    return MannerSummary(counts.visits, medians, {name: counts.some(name) for name in COUNTED})


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

    def add_group(self, group: MannerGroup) -> None:
        self.visits += group.visits
        self.over.update(dict.fromkeys(group.over, group.visits))
        for name, values in zip(LISTED, group.listed, strict=True):
            self.values[name].update(values)
        for name, value in zip(COUNTED, group.counted, strict=True):
            if value is not None:
                self.values[name][value] += group.visits

    def done(self) -> MannerCounts:
        return MannerCounts(self.visits, self.values, self.over)
