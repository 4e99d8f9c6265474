"""A day's record and what its screen showed against the truth: visits, owed phrases, offences, hints. Pure.

All times here are seconds into the day, by the clock of the counter.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

OWED: Final = ("hello", "ask-need", "hand-back", "goodbye")
NEAR: Final = 4.0
"""Seconds within which a verdict belongs to a line."""
LATE: Final = 2.0
"""Seconds after a phrase within which a hint of it may still be on the screen: the recogniser needs them."""
AFTERWARDS: Final = 20.0
"""Seconds after the last line in which a hint may still belong to a visit."""
EDGE: Final = 1.0
"""Seconds that two visits may overlap by and still be two."""
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TrueLine:
    """A line that was spoken; `said` are ids, with ! before what must not be said, ? after words of anybody's."""

    who: str
    said: tuple[str, ...]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class TruePart:
    """A visit, or something beside."""

    kind: str
    name: str
    lines: tuple[TrueLine, ...]

    @property
    def span(self) -> Span:
        return self.lines[0].start, self.lines[-1].end

    def said(self, owed: str) -> list[TrueLine]:
        """The lines in which a phrase was said."""
        return [line for line in self.lines if owed in {one.rstrip("?") for one in line.said}]


@dataclass(slots=True)
class JudgedVisit:
    """A visit in the record."""

    opened: float = 0.0
    ended: float = 0.0
    outcome: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)
    """By the id of a required phrase, and of one of a scenario."""
    accused: list[tuple[float, str, str]] = field(default_factory=list)
    """When, the id and the verdict of each offence, sure or not."""
    heard: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownHint:
    """A hint on the screen."""

    phrase: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class DayRun:
    """A run: the truth, the record, the screen, and when nobody could hear."""

    parts: Sequence[TruePart]
    visits: Sequence[JudgedVisit]
    hints: Sequence[ShownHint]
    outages: Sequence[Span]
    hours: float


def overlap(one: Span, other: Span) -> float:
    """Seconds that both have in common."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def counted(visits: Iterable[JudgedVisit]) -> list[JudgedVisit]:
    """The visits that count."""
    return [visit for visit in visits if visit.outcome != "no_service"]


def visits_of(part: TruePart, visits: Iterable[JudgedVisit]) -> list[JudgedVisit]:
    """The judged visits that hold something of a part."""
    return [one for one in visits if overlap(part.span, (one.opened, one.ended)) > EDGE]


def touched(part: TruePart, outages: Iterable[Span]) -> bool:
    """Whether nobody could hear for a while in a part, or right before it, when a visit may have been open."""
    first, last = part.span
    return any(overlap((first - NEAR, last + NEAR), outage) > 0 for outage in outages)


def visit_figures(run: DayRun) -> Iterator[tuple[str, str]]:
    """What became of visits and of what was beside them."""
    judged = counted(run.visits)
    parts = [part for part in run.parts if part.kind == "visit"]
    numbers = [len(visits_of(part, judged)) for part in parts]
    holds = [sum(overlap(part.span, (one.opened, one.ended)) > EDGE for part in parts) for one in judged]
    yield (
        "visits: found, missed, divided",
        f"{sum(map(bool, numbers))} of {len(parts)}, {numbers.count(0)}, {sum(n > 1 for n in numbers)}",
    )
    cut = [any(overlap((one.opened, one.ended), each) > 0 for each in run.outages) for one in judged]
    both = [is_cut for n, is_cut in zip(holds, cut, strict=True) if n > 1]
    yield "visits of the record that hold two customers (across lost sound)", f"{len(both)} ({sum(both)})"
    outcomes = Counter(one.outcome.replace("_", " ") for one in run.visits)
    yield "outcomes of the record's visits", ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
    beside = [part for part in run.parts if part.kind != "visit"]
    false: Counter[str] = Counter()
    for one, number in zip(judged, holds, strict=True):
        if not number:
            near = [part.kind for part in beside if overlap(part.span, (one.opened, one.ended)) > 0]
            false[near[0] if near else "noise"] += 1
    told = ", ".join(f"{kind} {number}" for kind, number in false.items()) or "none"
    kinds = Counter(part.kind for part in beside)
    among = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    yield f"false visits, of {among or 'nothing beside'}", told
    back = [n for part, n in zip(parts, numbers, strict=True) if len(part.said("goodbye")) > 1]
    yield "customers called back who are one visit", f"{back.count(1)} of {len(back)}"


def verdict_of(part: TruePart, owed: str, visits: Iterable[JudgedVisit]) -> str:
    """The verdict on an owed phrase: the best of those of all visits that hold the part; empty if there is none."""
    found = {one.verdicts.get(owed, "") for one in visits_of(part, visits)}
    return next((verdict for verdict in ("heard", "unknown", "not_heard") if verdict in found), "")


def owed_counts(run: DayRun, *, in_outages: bool, owed: Sequence[str] = OWED) -> Counter[tuple[str, bool, str]]:
    """How often a phrase that was said, or not, got which verdict."""
    counts: Counter[tuple[str, bool, str]] = Counter()
    judged = counted(run.visits)
    for part in run.parts:
        if part.kind == "visit" and touched(part, run.outages) == in_outages:
            for phrase in owed:
                counts[phrase, bool(part.said(phrase)), verdict_of(part, phrase, judged)] += 1
    return counts


def owed_figures(run: DayRun) -> Iterator[tuple[str, str]]:
    """Owed phrases in visits that were heard throughout, and in the others."""
    whole, cut = owed_counts(run, in_outages=False), owed_counts(run, in_outages=True)
    for name, phrases in (*((one, (one,)) for one in OWED), ("all four", OWED)):
        said, unsaid = _verdicts(whole, phrases, said=True), _verdicts(whole, phrases, said=False)
        rest = ", ".join(str(said[verdict]) for verdict in ("unknown", "not_heard", ""))
        yield (
            f"{name}: said and heard (unknown, not heard, no visit); not said and heard",
            f"{said['heard']} of {said.total()} ({rest}); {unsaid['heard']} of {unsaid.total()}",
        )
    said, unsaid = _verdicts(whole, OWED, said=True), _verdicts(whole, OWED, said=False)
    heard = said["heard"] + unsaid["heard"]
    yield "recall; precision of owed phrases", f"{_share(said['heard'], said.total())}; {_share(said['heard'], heard)}"
    both = _verdicts(cut, OWED, said=True) + _verdicts(cut, OWED, said=False)
    yield "visits that were cut by a kill or a lost microphone", str(both.total() // len(OWED))
    yield (
        "of their owed phrases: heard, unknown, **not heard** (an accusation)",
        f"{both['heard']}, {both['unknown']}, **{both['not_heard']}**, of which said {_said_cut(cut)}",
    )
    steps = ("complaint-listen", "complaint-sympathise", "complaint-apologise", "complaint-solve", "complaint-thank")
    counts = _verdicts(owed_counts(run, in_outages=False, owed=steps), steps, said=True)
    yield "steps of a complaint: said and heard", f"{counts['heard']} of {counts.total()}"


def _verdicts(counts: Counter[tuple[str, bool, str]], phrases: Sequence[str], *, said: bool) -> Counter[str]:
    found: Counter[str] = Counter()
    for (phrase, was_said, verdict), number in counts.items():
        if phrase in phrases and was_said == said:
            found[verdict] += number
    return found


def _said_cut(cut: Counter[tuple[str, bool, str]]) -> int:
    return _verdicts(cut, OWED, said=True)["not_heard"]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "none"


def offence_figures(run: DayRun) -> Iterator[tuple[str, str]]:
    """Offences that were said and found, and accusations of what was not said."""
    lines = [(line, one[1:]) for part in run.parts for line in part.lines for one in line.said if one.startswith("!")]
    heard = [(line, name) for line, name in lines if not _in(line, run.outages)]
    accused = [each for one in run.visits for each in one.accused]
    sure = [each for each in accused if each[2] != "unknown"]
    exact = sum(any(_at(at, line) and name == one for at, one, _ in sure) for line, name in heard)
    other = sum(any(_at(at, line) for at, _, _ in sure) for line, _ in heard)
    doubtful = sum(
        any(_at(at, line) for at, _, verdict in accused if verdict == "unknown")
        and not any(_at(at, line) for at, _, _ in sure)
        for line, _ in heard
    )
    yield (
        "offences: found as what they are, found at all, only doubtful",
        f"{exact}, {other}, {doubtful} of {len(heard)}",
    )
    false = Counter(one for at, one, _ in sure if not any(_at(at, line) for line, _ in lines))
    told = ", ".join(f"{name} {number}" for name, number in false.most_common())
    rate = false.total() / run.hours
    yield "false accusations", f"{false.total()}, {rate:.2f} an hour ({told or 'none'})"
    vague = sum(verdict == "unknown" and not any(_at(at, line) for line, _ in lines) for at, _, verdict in accused)
    yield "doubtful offences where none was said", str(vague)


def _at(at: float, line: TrueLine) -> bool:
    return line.start - NEAR <= at <= line.end + NEAR


def _in(line: TrueLine, outages: Iterable[Span]) -> bool:
    return any(overlap((line.start, line.end), outage) > 0 for outage in outages)


def hint_kind(hint: ShownHint, run: DayRun) -> str:
    """What a hint is: `due`, `early` (said while it was shown), `said already`, `outside` of visits."""
    begun = [one for one in run.parts if one.kind == "visit" and one.span[0] <= hint.start <= one.span[1] + AFTERWARDS]
    part = max(begun, key=lambda one: one.span[0], default=None)
    if part is None:
        return "outside"
    lines = part.said(hint.phrase)
    if any(line.end < hint.start - LATE for line in lines):
        return "said already"
    return "early" if lines else "due"


def hint_figures(run: DayRun) -> Iterator[tuple[str, str]]:
    """Hints: how many, whether they were right, and when they came."""
    kinds = [(hint_kind(hint, run), hint) for hint in run.hints]
    counts = Counter(kind for kind, _ in kinds)
    yield "hints shown; seconds on the screen", f"{len(run.hints)}; {_quantiles([h.end - h.start for h in run.hints])}"
    yield (
        "due and never said; said while it was shown or just before; said already; outside of a service",
        f"{counts['due']}; {counts['early']}; {counts['said already']}; {counts['outside']}",
    )
    false = Counter(hint.phrase for kind, hint in kinds if kind in ("said already", "outside"))
    told = ", ".join(f"{name} {number}" for name, number in false.most_common())
    yield "false hints an hour (said already, or outside)", f"{false.total() / run.hours:.2f} ({told or 'none'})"
    for phrase in OWED:
        yield f"{phrase}: hinted, of those never said; when", _moments(run, phrase)


def _moments(run: DayRun, phrase: str) -> str:
    """How many of those who did not say a phrase were hinted at it, and when: after the first line, before the last."""
    after, before, unsaid = [], [], 0
    for part in run.parts:
        if part.kind != "visit" or part.said(phrase) or touched(part, run.outages):
            continue
        unsaid += 1
        first, last = part.span
        shown = [hint.start for hint in run.hints if hint.phrase == phrase and first <= hint.start <= last + AFTERWARDS]
        if shown:
            after.append(shown[0] - first)
            before.append(last - shown[0])
    text = f"{len(after)} of {unsaid}"
    if after:
        text += f"; {statistics.median(after):.0f} s after the first line,"
        text += f" {statistics.median(before):.0f} s before the end of the last (medians)"
    return text


def _quantiles(values: Sequence[float]) -> str:
    if not values:
        return "none"
    ranked = sorted(values)
    return f"median {statistics.median(ranked):.1f}, 95th percentile {ranked[int(0.95 * (len(ranked) - 1))]:.1f}"


def figures(run: DayRun) -> list[tuple[str, str]]:
    """All figures, each with what it is."""
    return [*visit_figures(run), *owed_figures(run), *offence_figures(run), *hint_figures(run)]


def true_parts(truth: dict[str, Any], until: float) -> list[TruePart]:
    """The parts of a day that were over at `until`."""
    parts = (
        TruePart(
            part["kind"],
            part["name"],
            tuple(TrueLine(one["who"], tuple(one["said"]), one["start"], one["end"]) for one in part["lines"]),
        )
        for part in truth["parts"]
    )
    return [part for part in parts if part.span[1] < until]
