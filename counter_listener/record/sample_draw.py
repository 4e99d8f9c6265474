"""Which visits a sample holds, and who reviews them: a seeded draw with known chances. Pure, no database."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import Literal

Reason = Literal["offence", "unknown", "quota", "pass"]


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """What is to be looked at again by people."""

    name: str
    seed: int
    since: datetime
    until: datetime
    """Exclusive."""
    reviewers: tuple[str, ...]
    """Accounts."""
    by: str
    """Account that draws it."""
    counters: tuple[str, ...] = ()
    """Only these; empty is all."""
    only: tuple[str, ...] | None = None
    """What who draws it may see at all: these counters; None is all."""
    per_week: int = 5
    """Visits of each counter a week, of those that are not taken in full."""
    offences: bool = True
    """Whether every visit with an offence or a broken rule is taken."""
    unknown: bool = True
    """Whether every visit with a verdict that cannot be told is taken."""
    passes: float = 0.05
    """Chance of a passing visit that was not drawn otherwise, 0-1."""
    twice: float = 0.1
    """Share of the visits, 0-1, that a second reviewer gets without seeing the first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A closed visit that can be drawn."""

    visit: str
    counter: str | None
    week: str
    offence: bool
    unknown: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A visit that was drawn."""

    visit: str
    reason: Reason
    chance: float
    """With which it was drawn, over 0 and up to 1."""
    reviewer: str
    second: str | None = None
    """Who gives a second opinion without seeing the first."""


def draw_sample(candidates: Iterable[Candidate], plan: SamplePlan) -> list[Drawn]:
    """The visits that are drawn, each once, in order of ids. The same candidates and plan give the same draw."""
    rng = random.Random(f"{plan.seed}")  # noqa: S311 - a draw that can be repeated, no secret
    chosen: dict[str, tuple[Reason, float]] = {}
    rest: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for each in sorted(candidates, key=lambda candidate: candidate.visit):
        if plan.offences and each.offence:
            chosen[each.visit] = "offence", 1.0
        elif plan.unknown and each.unknown:
            chosen[each.visit] = "unknown", 1.0
        else:
            rest[each.counter or "", each.week].append(each)
    for _, stratum in sorted(rest.items()):
        chosen |= _draw_stratum(stratum, plan, rng)
    return _assigned(dict(sorted(chosen.items())), plan, rng)


def _draw_stratum(
    stratum: Sequence[Candidate], plan: SamplePlan, rng: random.Random
) -> dict[str, tuple[Reason, float]]:
    """The visits drawn of one counter in one week: its quota, then passing ones at random."""
    count = min(plan.per_week, len(stratum))
    quota = count / len(stratum)
    drawn = {each.visit for each in rng.sample(list(stratum), count)}
    chosen: dict[str, tuple[Reason, float]] = {}
    for each in stratum:
        lucky = rng.random() < plan.passes and each.passed
        if each.visit in drawn or lucky:
            chance = quota + (1 - quota) * plan.passes if each.passed else quota
            chosen[each.visit] = ("quota" if each.visit in drawn else "pass"), chance
    return chosen


def _assigned(chosen: dict[str, tuple[Reason, float]], plan: SamplePlan, rng: random.Random) -> list[Drawn]:
    """The reviewers take turns, in an order that nobody can foresee; a share of the visits gets a second one."""
    visits = list(chosen)
    rng.shuffle(visits)
    several = len(plan.reviewers) > 1
    double = set(visits[: round(plan.twice * len(visits))]) if several else set()
    rng.shuffle(visits)
    reviewer_of = dict(zip(visits, cycle(plan.reviewers), strict=False))
    following = dict(zip(plan.reviewers, plan.reviewers[1:] + plan.reviewers[:1], strict=True))
    return [
        Drawn(visit, *chosen[visit], reviewer_of[visit], following[reviewer_of[visit]] if visit in double else None)
        for visit in chosen
    ]
