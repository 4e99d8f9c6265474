"""Precision, recall and F1 of detections against labels, with intervals. Pure."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, isnan, nan
from typing import Final, Self

from counter_listener.domain import Interval

SLACK: Final = 0.5
"""Seconds between a detection and its label: people set the times of labels by ear, the recogniser sets word times."""
STEP: Final = 0.5
"""Points between the thresholds of a curve."""
DRAWS: Final = 1_000
"""Resamples of a bootstrap interval."""
SEED: Final = 20_260_101
"""The seed of the bootstrap: the same files have the same interval."""


@dataclass(frozen=True, slots=True)
class LabelledPhrase:
    """A phrase or an offence that was said in a file."""

    id: str
    start: float
    """Seconds into the file."""
    end: float
    """Seconds into the file."""
    optional: bool = False
    """Whether it may be found but need not be, as 谢谢 inside 谢谢您的光临."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A phrase or an offence that a method found in a file."""

    id: str
    start: float
    """Seconds into the file."""
    end: float
    """Seconds into the file."""
    score: float = 100.0
    """0-100; compared with the threshold."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Labels, hits and false alarms of one phrase or of all."""

    owed: int = 0
    """Labels that are not optional."""
    hits: int = 0
    false_alarms: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.owed + other.owed, self.hits + other.hits, self.false_alarms + other.false_alarms)

    @property
    def misses(self) -> int:
        return self.owed - self.hits

    @property
    def precision(self) -> float:
        """Of what was found, the share that was said; NaN if nothing was found."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Of what was said, the share that was found; NaN if nothing was said."""
        return _share(self.hits, self.owed)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; NaN if nothing was said and nothing found."""
        return _share(2 * self.hits, self.owed + self.hits + self.false_alarms)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else nan


def count(phrases: Iterable[LabelledPhrase], found: Iterable[Detection], slack: float = SLACK) -> dict[str, Counts]:
    """The counts of one file, by id.

    A detection is right if it overlaps a label of its id, with a tolerance of `slack` seconds. Each label is hit at
    most once, and as many labels as possible are hit. A further detection on a label is neither a hit nor a false
    alarm, and neither is one on an optional label. Every other detection is a false alarm.
    """
    labels: dict[str, list[LabelledPhrase]] = defaultdict(list)
    detections: dict[str, list[Detection]] = defaultdict(list)
    for label in phrases:
        labels[label.id].append(label)
    for detection in found:
        detections[detection.id].append(detection)
    return {id_: _count_id(labels[id_], detections[id_], slack) for id_ in sorted(labels.keys() | detections.keys())}


def _count_id(labels: Sequence[LabelledPhrase], found: Sequence[Detection], slack: float) -> Counts:
    owed = [label for label in labels if not label.optional]
    false_alarms = sum(not any(overlap(label, detection, slack) for label in labels) for detection in found)
    return Counts(len(owed), _matching_size(owed, found, slack), false_alarms)


def overlap(a: LabelledPhrase | Detection, b: LabelledPhrase | Detection, slack: float = SLACK) -> bool:
    """Whether two spans overlap in time, with a tolerance of `slack` seconds."""
    return a.start < b.end + slack and b.start < a.end + slack


def _matching_size(labels: Sequence[LabelledPhrase], found: Sequence[Detection], slack: float) -> int:
    """The size of a maximum matching of overlapping labels and detections, by augmenting paths (there are few)."""
    matched: dict[int, int] = {}

    def augment(label: int, visited: set[int]) -> bool:
        for index, detection in enumerate(found):
            if index not in visited and overlap(labels[label], detection, slack):
                visited.add(index)
                if index not in matched or augment(matched[index], visited):
                    matched[index] = label
                    return True
        return False

    return sum(augment(label, set()) for label in range(len(labels)))


@dataclass(frozen=True, slots=True)
class MethodScore:
    """The counts of one method at one threshold."""

    name: str
    threshold: float
    """The lowest score of a detection that counts, 0-100."""
    files: tuple[Mapping[str, Counts], ...]
    """Counts by id, in the order of the files."""

    @property
    def counts(self) -> Counts:
        """Of all ids in all files."""
        return total(total(file.values()) for file in self.files)


LabelledFile = tuple[Sequence[LabelledPhrase], Sequence[Detection]]
"""The labels of a file, and all detections in it, with scores of any height."""


def score_method(name: str, files: Sequence[LabelledFile], threshold: float = 0.0) -> MethodScore:
    """The score of a method at one threshold."""
    counts = (count(phrases, (hit for hit in found if hit.score >= threshold)) for phrases, found in files)
    return MethodScore(name, threshold, tuple(counts))


def threshold_curve(name: str, files: Sequence[LabelledFile]) -> list[MethodScore]:
    """The scores of a method at all thresholds that change what it finds, in steps of `STEP`, from low to high."""
    scores = {floor(hit.score / STEP) * STEP for _, found in files for hit in found} or {100.0}
    return [score_method(name, files, threshold) for threshold in sorted(scores)]


def best_threshold(methods: Iterable[MethodScore]) -> MethodScore:
    """The score with the highest F1; of equal ones, that with the highest threshold."""

    def rank(method: MethodScore) -> tuple[float, float]:
        f1 = method.counts.f1
        return (0.0 if isnan(f1) else f1, method.threshold)

    return max(methods, key=rank)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    return sum(counts, Counts())


def by_id(files: Iterable[Mapping[str, Counts]]) -> dict[str, Counts]:
    """The counts of many files, added up for each id."""
    sums: dict[str, Counts] = defaultdict(Counts)
    for file in files:
        for id_, counts in file.items():
            sums[id_] += counts
    return dict(sorted(sums.items()))


def f1_interval(files: Sequence[Counts]) -> Interval | None:
    """The 95 % interval of F1 over files; None for fewer than two files."""
    return f1_intervals([{"": counts} for counts in files]).get("")


def f1_intervals(files: Sequence[Mapping[str, Counts]]) -> dict[str, Interval]:
    """The 95 % interval of F1 of each id, all from the same draws; an id without F1 in any draw has no interval.

    The percentile bootstrap (B. Efron, Bootstrap methods, Annals of Statistics 7, 1979). Whole files are drawn, with
    replacement, because what one file contains is not independent.
    """
    if len(files) < 2:  # noqa: PLR2004 - one file does not show how files differ
        return {}
    rng = random.Random(SEED)  # noqa: S311 - statistics, not secrets
    counts_of: dict[str, list[tuple[int, Counts]]] = defaultdict(list)
    for number, file in enumerate(files):
        for id_, counts in file.items():
            counts_of[id_].append((number, counts))
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(DRAWS):
        times = [0] * len(files)
        for number in rng.choices(range(len(files)), k=len(files)):
            times[number] += 1
        for id_, parts in counts_of.items():
            hits = sum(times[number] * counts.hits for number, counts in parts)
            others = sum(times[number] * (counts.owed + counts.false_alarms) for number, counts in parts)
            if hits + others:
                drawn[id_].append(2 * hits / (hits + others))
    return {id_: _percentiles(sorted(values)) for id_, values in drawn.items()}


def _percentiles(ranked: Sequence[float]) -> Interval:
    """The percentiles 2.5 and 97.5."""
    last = len(ranked) - 1
    return ranked[round(0.025 * last)], ranked[round(0.975 * last)]
