"""How well phrases are found: what was said against what was found, with intervals. Imports no outside library."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor, fsum, isnan, lgamma, log, nan, sqrt
from typing import Final

from counter_listener.domain import Interval

SLACK: Final = 0.5
"""Seconds by which a finding may stand beside what was said: labels are made by ear, word times by a recogniser."""
STEP: Final = 0.5
"""Points between the thresholds of a curve."""
DRAWS: Final = 1_000
"""Resamples of a bootstrap interval."""
SEED: Final = 20_260_101
"""Of the bootstrap: the same labels give the same interval."""


@dataclass(frozen=True, slots=True)
class LabelledPhrase:
    """A phrase or an offence that was said somewhere in a file."""

    id: str
    start: float
    """Seconds into the file."""
    end: float
    """Seconds into the file."""
    optional: bool = False
    """Whether it may be found but need not be, as 谢谢 inside 谢谢您的光临."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A phrase or an offence that a matcher found somewhere in a file."""

    id: str
    start: float
    """Seconds into the file."""
    end: float
    """Seconds into the file."""
    score: float = 100.0
    """How surely, 0-100; what a threshold is compared with."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often one phrase, or all of them, was owed, hit and found where it was not said."""

    owed: int = 0
    hits: int = 0
    false_alarms: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.owed + other.owed, self.hits + other.hits, self.false_alarms + other.false_alarms)

    @property
    def misses(self) -> int:
        return self.owed - self.hits

    @property
    def precision(self) -> float:
        """Of what was found, the share that was said; NaN where nothing was found."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Of what was said, the share that was found; NaN where nothing was said."""
        return _share(self.hits, self.owed)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; NaN where nothing was said and nothing found."""
        return _share(2 * self.hits, self.owed + self.hits + self.false_alarms)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else nan


def count(said: Iterable[LabelledPhrase], found: Iterable[Detection], slack: float = SLACK) -> dict[str, Counts]:
    """Counts by id for one file.

    A finding is right when something of its id was said at a time that it overlaps, give or take `slack` seconds.
    Each saying is hit once at most, as many as can be; a further finding on it counts neither way, and so does one
    on what is optional. Any other finding is a false alarm.
    """
    told: dict[str, list[LabelledPhrase]] = defaultdict(list)
    heard: dict[str, list[Detection]] = defaultdict(list)
    for one in said:
        told[one.id].append(one)
    for hit in found:
        heard[hit.id].append(hit)
    return {name: _count_one(told[name], heard[name], slack) for name in sorted(told.keys() | heard.keys())}


def _count_one(said: Sequence[LabelledPhrase], found: Sequence[Detection], slack: float) -> Counts:
    owed = [one for one in said if not one.optional]
    wrong = sum(not any(overlap(one, hit, slack) for one in said) for hit in found)
    return Counts(len(owed), _paired(owed, found, slack), wrong)


def overlap(one: LabelledPhrase | Detection, other: LabelledPhrase | Detection, slack: float = SLACK) -> bool:
    """Whether two of them overlap in time, give or take `slack` seconds."""
    return one.start < other.end + slack and other.start < one.end + slack


def _paired(owed: Sequence[LabelledPhrase], found: Sequence[Detection], slack: float) -> int:
    """The most sayings that can be given a finding of their own (augmenting paths, as there are few of each)."""
    taken: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for index, hit in enumerate(found):
            if index not in tried and overlap(owed[number], hit, slack):
                tried.add(index)
                if index not in taken or place(taken[index], tried):
                    taken[index] = number
                    return True
        return False

    return sum(place(number, set()) for number in range(len(owed)))


@dataclass(frozen=True, slots=True)
class MethodScore:
    """One way of finding phrases, at one threshold, scored file by file."""

    name: str
    threshold: float
    """Least score of what counts as found, 0-100."""
    files: tuple[Mapping[str, Counts], ...]
    """Counts by id, in the order of the files."""

    @property
    def counts(self) -> Counts:
        """Of all ids in all files."""
        return total(total(file.values()) for file in self.files)


File = tuple[Sequence[LabelledPhrase], Sequence[Detection]]
"""What was said in a file, and all that was found in it, however unsurely."""


def score_method(name: str, files: Sequence[File], threshold: float = 0.0, slack: float = SLACK) -> MethodScore:
    """A method at one threshold."""
    kept = (count(said, (hit for hit in found if hit.score >= threshold), slack) for said, found in files)
    return MethodScore(name, threshold, tuple(kept))


def curve(name: str, files: Sequence[File], slack: float = SLACK) -> list[MethodScore]:
    """A method at every threshold that changes what it finds, to `STEP` points, from low to high."""
    scores = {floor(hit.score / STEP) * STEP for _, found in files for hit in found} or {100.0}
    return [score_method(name, files, threshold, slack) for threshold in sorted(scores)]


def best(methods: Iterable[MethodScore]) -> MethodScore:
    """The one of the highest F1; of equals, the strictest."""
    return max(methods, key=lambda method: (_or_zero(method.counts.f1), method.threshold))


def _or_zero(share: float) -> float:
    return 0.0 if isnan(share) else share


def total(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    return sum(counts, Counts())


def by_id(files: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """The counts of many files, added up for each id."""
    summed: dict[str, Counts] = defaultdict(Counts)
    for file in files:
        for one, counts in file.items():
            summed[one] += counts
    return dict(sorted(summed.items()))


def rate_interval(events: int, tail: float = 0.025) -> Interval:
    """The 95 % interval of the mean of which so many events are one draw: divide by the hours for events an hour.

    F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936): exact, so 0 events have one too.
    """
    highest = events + 10 * sqrt(events + 1) + 10

    def edge(count: int, share: float) -> float:
        """The mean at which `count` events or fewer come with this probability."""
        low, high = 0.0, highest
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if _at_most(count, middle) > share else (low, middle)
        return high

    return (edge(events - 1, 1 - tail) if events else 0.0, edge(events, tail))


def _at_most(count: int, mean: float) -> float:
    """The probability of `count` events or fewer, by Poisson."""
    return fsum(exp(number * log(mean) - mean - lgamma(number + 1)) for number in range(count + 1)) if mean else 1.0


def f1_interval(files: Sequence[Counts], draws: int = DRAWS, seed: int = SEED) -> Interval | None:
    """The 95 % interval of F1 from drawing as many files anew, with replacement; None for fewer than two files.

    The percentile bootstrap (B. Efron, Bootstrap methods, Annals of Statistics 7, 1979) over files, since what one
    file holds hangs together.
    """
    return f1_intervals([{"": counts} for counts in files], draws, seed).get("")


def f1_intervals(files: Sequence[Mapping[str, Counts]], draws: int = DRAWS, seed: int = SEED) -> dict[str, Interval]:
    """The same for each id, all from the same draws; an id without a draw that has an F1 has no interval."""
    if len(files) < 2:  # noqa: PLR2004 - one file says nothing of how files differ
        return {}
    rng = random.Random(seed)  # noqa: S311 - statistics, not secrets
    held: dict[str, list[tuple[int, Counts]]] = defaultdict(list)
    for number, file in enumerate(files):
        for one, counts in file.items():
            held[one].append((number, counts))
    drawn: dict[str, list[float]] = {one: [] for one in held}
    for _ in range(draws):
        times = [0] * len(files)
        for number in rng.choices(range(len(files)), k=len(files)):
            times[number] += 1
        for one, parts in held.items():
            hits = sum(times[number] * counts.hits for number, counts in parts)
            rest = sum(times[number] * (counts.owed + counts.false_alarms) for number, counts in parts)
            if hits + rest:
                drawn[one].append(2 * hits / (hits + rest))
    return {one: _middle(sorted(values)) for one, values in drawn.items() if values}


def _middle(ranked: Sequence[float]) -> Interval:
    """The 2.5 % and the 97.5 % point."""
    last = len(ranked) - 1
    return ranked[round(0.025 * last)], ranked[round(0.975 * last)]
