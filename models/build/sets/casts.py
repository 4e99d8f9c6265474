"""Who speaks on the days of the test sets: one clerk a day, and a customer in each visit. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.build.held_out import NATURAL_TEST_VOICES, voices_in

VISITS: Final = 5
"""Visits of a day."""
SPEEDS: Final = (0.95, 1.35)
"""Least and highest speed of a voice, constant in a visit."""
CLERKS: Final = (
    "zf_xiaoni",
    "zm_yunyang",
    "zf_xiaoyi+zf_xiaoxiao@0.7",
    "zm_yunxi+zm_yunjian@0.7",
)
"""Who are the clerks, in turn."""
CUSTOMERS: Final = (
    "zf_xiaoyi+bf_emma@0.7",
    "zm_yunxi+am_puck@0.7",
    "zf_xiaoni+af_bella@0.55",
    "zm_yunyang+am_adam@0.55",
    "bf_emma+zf_xiaobei@0.5",
    "am_puck+zm_yunxia@0.5",
    "zf_xiaoyi",
    "zm_yunxi",
    "zf_xiaoni+zf_xiaobei@0.6",
    "zm_yunyang+bm_george@0.6",
)
"""Women and men in turn; those who share a voice with the clerk of a day are left out of it."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who speaks in a visit of a day, and how fast."""

    clerk: tuple[str, float]
    customer: tuple[str, float]


def cast_day(day: int) -> list[Cast]:
    """The casts of the visits of a day: one clerk, and customers of her sex and of the other one in turn."""
    rng = random.Random(f"day {day}")  # noqa: S311 - reproducible draws, not secrets
    clerk = CLERKS[day % len(CLERKS)]
    taken = set(voices_in(clerk))
    free = [name for name in CUSTOMERS if taken.isdisjoint(voices_in(name))]
    same = rng.sample([name for name in free if sex(name) == sex(clerk)], 3)
    other = rng.sample([name for name in free if sex(name) != sex(clerk)], 2)
    customers = [same[0], other[0], same[1], other[1], same[2]]
    speed = round(rng.uniform(*SPEEDS), 2)
    return [Cast((clerk, speed), (name, round(rng.uniform(*SPEEDS), 2))) for name in customers]


def sex(speaker: str) -> str:
    """The second letter of the first voice: f or m."""
    return speaker[1]


def check_cast(casts: Sequence[Cast]) -> None:
    """Asserts that every voice is or contains one of the tests, so that no model is trained on it."""
    for cast in casts:
        for speaker, _ in (cast.clerk, cast.customer):
            assert not set(voices_in(speaker)).isdisjoint(NATURAL_TEST_VOICES), speaker  # noqa: S101
