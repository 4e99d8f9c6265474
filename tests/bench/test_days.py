"""The made-up days of a counter: who was served is found, and talk beside the service is no visit."""

from __future__ import annotations

import tomllib

import days
import pytest
from support.bundled import matcher

DAYS = tomllib.loads(days.DAYS.read_text(encoding="utf-8"))["day"]


@pytest.mark.parametrize("day", DAYS, ids=lambda day: str(DAYS.index(day)))
def test_every_visit_is_found_once_and_at_most_one_other_part_a_day_counts(day: days.Table) -> None:
    count = days.count_day(day, matcher())
    assert (count.found, count.missed, count.divided) == (count.visits, [], [])
    assert len(count.false) <= 1


def test_talk_that_counts_and_visits_that_do_not_are_told_apart() -> None:
    day = {
        "part": [
            {"kind": "staff", "after": 5, "said": ["您好，请问您办理什么业务", "哈哈你学得真像"]},
            {"kind": "visit", "after": 200, "said": ["随便看看有没有什么新的活动"]},
            {
                "kind": "visit",
                "after": 200,
                "said": ["您好", 5, "请收好您的证件", "请慢走", 30, "您好", "请您在这里签字"],
            },
        ]
    }
    count = days.count_day(day, matcher())
    assert count.false == ["staff: 您好，请问您办理什么业务"]
    assert count.missed == ["随便看看有没有什么新的活动"]
    assert count.divided == ["您好"]
