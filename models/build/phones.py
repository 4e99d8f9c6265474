"""Phones: each unit in its four places in a word, their HMM, and the numbers that the model's files count them by.

Kaldi tells where words begin and end by phones that know their place in the word (`data/local/lang` of its recipes;
http://kaldi-asr.org/doc/data_prep.html, "position-dependent phones"): the four copies of a unit sound alike and share
one pdf. Every phone is one emitting state with a loop, so that Kaldi's "transition ids" are plain arithmetic
(hmm/transition-model.h: numbered from 1 by phone, HMM state and arc; the loop is the state's first arc).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from models.build.lexicon import units

PLACES: Final = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}
"""Place in the word to what `word_boundary.int` calls it."""
NO_WORD: Final = "nonword"
SILENCE_PHONE: Final = 1
LOOP_PROBABILITY: Final = 0.5
"""Of staying in a phone for one more output frame; what remains is that of going on."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone: its id in the model's files counts from 1, its pdf is the place of its unit in `lexicon.units()`."""

    id: int
    name: str
    unit: str
    pdf: int
    kind: str
    """As `word_boundary.int` has it: nonword, begin, internal, end or singleton."""


def phones(of: Sequence[str] | None = None) -> tuple[Phone, ...]:
    """All phones in the order of their ids: silence, then four for each further unit (by default `units()`)."""
    first, *rest = units() if of is None else of
    placed = [
        (f"{unit}_{place}", unit, pdf, kind) for pdf, unit in enumerate(rest, start=1) for place, kind in PLACES.items()
    ]
    return tuple(Phone(number, *fields) for number, fields in enumerate([(first, first, 0, NO_WORD), *placed], start=1))


def pdfs() -> tuple[int, ...]:
    """The pdf of each phone, in the order of their ids."""
    return tuple(phone.pdf for phone in phones())


def loop(phone: int) -> int:
    """The transition id of staying in a phone for one more frame."""
    return 2 * phone - 1


def forward(phone: int) -> int:
    """The transition id of leaving a phone, which consumes a frame as well: its last, or with `reorder` its first."""
    return 2 * phone


def unused_transition() -> int:
    """A transition id that no phone has: `disambig_tid.int` may not be empty, and this graph disambiguates nothing."""
    return 2 * len(phones()) + 1


def in_word(pronunciation: Sequence[str]) -> tuple[int, ...]:
    """The phone ids of a word, from its units."""
    numbers = _numbers()
    last = len(pronunciation) - 1
    if not last:
        return (numbers[f"{pronunciation[0]}_S"],)
    return tuple(
        numbers[f"{unit}_{'B' if at == 0 else 'E' if at == last else 'I'}"] for at, unit in enumerate(pronunciation)
    )


@cache
def _numbers() -> dict[str, int]:
    return {phone.name: phone.id for phone in phones()}


def phones_table() -> str:
    """The text of `graph/phones.txt`."""
    return "<eps> 0\n" + "".join(f"{phone.name} {phone.id}\n" for phone in phones())


def boundary_table() -> str:
    """The text of `graph/phones/word_boundary.int`."""
    return "".join(f"{phone.id} {phone.kind}\n" for phone in phones())
