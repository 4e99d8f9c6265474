"""Phones: each unit in its four positions in a word, their HMM, and their numbers in the files of a model.

Kaldi finds word boundaries by position-dependent phones (`data/local/lang` of its recipes;
http://kaldi-asr.org/doc/data_prep.html): the four phones of a unit sound alike and share one pdf. Each phone has one
emitting state with a loop, so Kaldi's "transition ids" can be computed (hmm/transition-model.h: numbered from 1 by
phone, HMM state and arc; the loop is the first arc of the state).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from models.build.lexicon import units

POSITIONS: Final = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}
"""Suffix of a phone, and the name of the position in `word_boundary.int`."""
NON_WORD: Final = "nonword"
SILENCE_PHONE: Final = 1
LOOP_PROBABILITY: Final = 0.5
"""Probability of staying in a phone for one more output frame; otherwise the phone is left."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone. Its id is its number in the files of a model, from 1; its pdf is the index of its unit in units()."""

    id: int
    name: str
    unit: str
    pdf: int
    position: str
    """As in `word_boundary.int`: nonword, begin, internal, end or singleton."""


def phones() -> tuple[Phone, ...]:
    """All phones in order of id: silence, then four for each other unit."""
    silence, *others = units()
    fields = [(silence, silence, 0, NON_WORD)]
    fields += [
        (f"{unit}_{suffix}", unit, pdf, position)
        for pdf, unit in enumerate(others, start=1)
        for suffix, position in POSITIONS.items()
    ]
    return tuple(Phone(number, *phone) for number, phone in enumerate(fields, start=1))


def pdfs() -> tuple[int, ...]:
    """The pdf of each phone, in order of id."""
    return tuple(phone.pdf for phone in phones())


def loop(phone: int) -> int:
    """The transition id of staying in a phone for one more frame."""
    return 2 * phone - 1


def forward(phone: int) -> int:
    """The transition id of leaving a phone. It consumes a frame too: the last one, or with `reorder` the first one."""
    return 2 * phone


def unused_transition() -> int:
    """A transition id that no phone has: `disambig_tid.int` must not be empty, but this graph needs no such symbols."""
    return 2 * len(phones()) + 1


def word_phones(pronunciation: Sequence[str]) -> tuple[int, ...]:
    """The phone ids of a word, from its units."""
    numbers = _numbers()
    last = len(pronunciation) - 1
    if not last:
        return (numbers[f"{pronunciation[0]}_S"],)
    return tuple(
        numbers[f"{unit}_{'B' if index == 0 else 'E' if index == last else 'I'}"]
        for index, unit in enumerate(pronunciation)
    )


@cache
def _numbers() -> dict[str, int]:
    return {phone.name: phone.id for phone in phones()}


def phone_table() -> str:
    """The content of `graph/phones.txt`."""
    return "<eps> 0\n" + "".join(f"{phone.name} {phone.id}\n" for phone in phones())


def boundary_table() -> str:
    """The content of `graph/phones/word_boundary.int`."""
    return "".join(f"{phone.id} {phone.position}\n" for phone in phones())
