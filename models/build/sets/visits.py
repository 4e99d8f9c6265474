"""What is said in the visits of a test set: which wordings, which talk, in which order. Pure, and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from models.build.sets.labels import SLOT, Kind, Line, plain, tables

OPENING: Final = ("hello",)
NEED: Final = ("ask-need",)
CLOSING: Final = ("hand-back", "goodbye")
"""What every visit owes, by where it stands."""
SERVED: Final = 5
"""Further phrases a visit, dealt from all of them in turn."""
PAUSES: Final = {True: (0.25, 0.8), False: (0.5, 1.3)}
"""Seconds before a line, least and most: where the same person goes on, and where another answers."""

Talk = Mapping[str, Mapping[str, Sequence[str]]]
"""talk.toml"""


def visits(phrases: Mapping[str, Any], talk: Talk, count: int, seed: str) -> Iterator[tuple[Line, ...]]:
    """The lines of so many visits: greeting, need, service, farewell; talk of both sides and one offence between.

    Every phrase of the set comes in turn before one comes again, and so do the offences and the sentences of talk.toml.
    Talk stands around the offence, since courtesy beside it would excuse it.
    """
    rng = random.Random(seed)  # noqa: S311 - a draw, no secret
    said = {table["id"]: table["say"] for table in tables(phrases) if table["say"]}
    offences = {table["id"] for table in phrases.get("forbidden", ())}
    fixed = {*OPENING, *NEED, *CLOSING}
    served = _dealt([one for one in said if one not in fixed and one not in offences], rng)
    forbidden = _dealt([one for one in said if one in offences], rng)
    chat = {(side, kind): _dealt(talk[kind][side], rng) for side in ("clerk", "customer") for kind in ("known", "new")}
    fill = {slot: _dealt(values, rng) for slot, values in talk["slots"].items()}

    def wording(owner: str) -> Line:
        text = rng.choice(said[owner])
        return Line("clerk", plain(SLOT.sub(lambda slot: next(fill[slot[1]]), text)), "phrase", owner)

    def talked(side: str, kind: Kind) -> Line:
        return Line("customer" if side == "customer" else "clerk", next(chat[side, kind]), kind)

    for _ in range(count):
        offence = [
            talked("customer", "known"),
            talked("customer", "new"),
            wording(next(forbidden)),
            talked("clerk", "new"),
        ]
        middle = [[wording(next(served))] for _ in range(SERVED)] + [[talked("clerk", "known")], offence]
        rng.shuffle(middle)
        opening = [wording(OPENING[0]), wording(NEED[0]), talked("customer", rng.choice(("known", "new")))]
        closing = [wording(CLOSING[0]), talked("customer", rng.choice(("known", "new"))), wording(CLOSING[1])]
        yield (*opening, *chain.from_iterable(middle), *closing)


def _dealt(cards: Sequence[str], rng: random.Random) -> Iterator[str]:
    """The cards in a random order, again and again, each time in another."""
    while True:
        yield from rng.sample(list(cards), len(cards))


def pauses(lines: Sequence[Line], rng: random.Random) -> list[float]:
    """Seconds before each line."""
    sides = [None, *(line.speaker for line in lines)]
    return [
        rng.uniform(0.6, 1.0) if before is None else rng.uniform(*PAUSES[before == line.speaker])
        for before, line in zip(sides, lines, strict=False)
    ]
