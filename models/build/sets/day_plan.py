"""What is said on the whole day, by whom and when: the words are data (whole_day.toml), the rest is drawn. Pure."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from models.build.held_out import NATURAL_TEST_VOICES

Who = Literal["clerk", "customer", "second", "colleague"]
Shift = Literal["morning", "afternoon"]

WORDS: Final = Path(__file__).with_name("whole_day.toml")
VOICES: Final = NATURAL_TEST_VOICES[:2]
CLERKS: Final[dict[Shift, str]] = {"morning": VOICES[0], "afternoon": VOICES[1]}
"""A natural voice of the tests for each shift: no model is trained on them."""
OTHERS: Final = (
    "zf_xiaobei+af_river@0.537",
    "zm_yunjian+bm_fable@0.613",
    "zf_xiaoxiao+bf_lily@0.577",
    "zm_yunxia+am_onyx@0.633",
    "zf_xiaobei+zf_xiaoxiao@0.487",
    "zm_yunjian+zm_yunxia@0.467",
    "zf_xiaoxiao+af_nova@0.713",
    "zm_yunxia+am_liam@0.563",
)
"""Everybody else, with the other shift's clerk: mixtures with a share of three digits, which no training has."""
SPEEDS: Final = (0.95, 1.35)
"""Least and highest speed of a voice, constant in a script."""
PAUSE: Final = 0.7
"""Seconds between two lines where the words say nothing."""
IN_A_ROW: Final = 0.3
"""Share of parts that follow at once."""
AT_ONCE: Final = (8.0, 20.0)
"""Seconds before a part that follows at once."""
LEAST_GAP: Final = 30.0
"""Seconds before another part, at least."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is said in a part of the day."""

    kind: str
    """`visit`, or what is beside: `staff`, `phone`, `door`."""
    name: str
    shift: Shift
    said: tuple[tuple[float, Who, str, tuple[str, ...]], ...]
    """The pause before a line, who says it, the words, and the ids of what that is; ! marks an offence."""


def read_scripts(words: Path = WORDS) -> list[Script]:
    """The scripts, in the order of the file."""
    table = tomllib.loads(words.read_text(encoding="utf-8"))
    visits = [_script({"kind": "visit", **one}) for one in table["visit"]]
    return [*visits, *(_script({"name": one["kind"], **one}) for one in table["beside"])]


def _script(table: dict[str, Any]) -> Script:
    lines, pause = [], 0.0
    for said in table["said"]:
        if isinstance(said, list):
            lines.append((pause, said[0], said[1], tuple(said[2:])))
            pause = PAUSE
        else:
            pause = float(said)
    return Script(table["kind"], table["name"], table["shift"], tuple(lines))


def cast(script: Script, number: int) -> dict[Who, tuple[str, float]]:
    """Who speaks in script `number`, with the voice and how fast."""
    rng = random.Random(f"whole day {number}")  # noqa: S311 - reproducible draws, not secrets
    clerk = CLERKS[script.shift]
    free = [*OTHERS, *(voice for voice in VOICES if voice != clerk)]
    voices = [clerk, *rng.sample(free, 3)]
    people: tuple[Who, ...] = ("clerk", "customer", "second", "colleague")
    return {who: (voice, round(rng.uniform(*SPEEDS), 2)) for who, voice in zip(people, voices, strict=True)}


def order(scripts: Sequence[Script], count: int, rng: random.Random) -> list[int]:
    """The numbers of `count` scripts: the morning's, then the afternoon's, each script about as often."""
    numbers: list[int] = []
    for shift in CLERKS:
        mine = [number for number, script in enumerate(scripts) if script.shift == shift]
        drawn: list[int] = []
        while len(drawn) < count / 2:
            drawn += rng.sample(mine, len(mine))
        numbers += drawn[: round(count / 2)]
    return numbers


def gaps(lengths: Sequence[float], hours: float, rng: random.Random) -> list[float]:
    """Seconds before each part, so that the day has these hours."""
    at_once = [rng.random() < IN_A_ROW for _ in lengths]
    drawn = [rng.uniform(*AT_ONCE) if one else LEAST_GAP for one in at_once]
    left = hours * 3600 - sum(lengths) - sum(drawn) - LEAST_GAP
    weights = [0.0 if one else rng.expovariate(1.0) for one in at_once]
    share = max(0.0, left) / (sum(weights) or 1.0)
    return [gap + weight * share for gap, weight in zip(drawn, weights, strict=True)]
