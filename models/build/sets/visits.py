"""The scripts of the visits in a test set: which wordings, which other speech, in which order. Pure, and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from models.build.sets.labels import SLOT, Kind, Line, plain, tables

OPENING: Final = ("hello",)
NEED: Final = ("ask-need",)
CLOSING: Final = ("hand-back", "goodbye")
"""What every visit owes, by its position in the visit."""
SERVED: Final = 5
"""Number of further phrases in a visit; all phrases of the set are used in turn."""
PAUSES: Final = {True: (0.25, 0.8), False: (0.5, 1.3)}
"""Least and most seconds before a line: True where the same person continues, False where the other one answers."""

OtherSpeech = Mapping[str, Mapping[str, Sequence[str]]]
"""The content of other_speech.toml."""


def visits(phrases: Mapping[str, Any], speech: OtherSpeech, count: int, seed: str) -> Iterator[tuple[Line, ...]]:
    """The lines of `count` visits: greeting, need, service, farewell; between them other speech and one offence.

    All phrases of the set are used before one is used again; so are the offences and the sentences of the other speech.
    Other speech surrounds the offence, because a courtesy next to it would excuse it.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible draws, not secrets
    wordings = {table["id"]: table["say"] for table in tables(phrases) if table["say"]}
    offences = {table["id"] for table in phrases.get("forbidden", ())}
    fixed = {*OPENING, *NEED, *CLOSING}
    served = _shuffled([name for name in wordings if name not in fixed and name not in offences], rng)
    forbidden = _shuffled([name for name in wordings if name in offences], rng)
    sentences = {
        (side, kind): _shuffled(speech[kind][side], rng) for side in ("clerk", "customer") for kind in ("known", "new")
    }
    values = {slot: _shuffled(listed, rng) for slot, listed in speech["slots"].items()}

    def wording(owner: str) -> Line:
        text = rng.choice(wordings[owner])
        return Line("clerk", plain(SLOT.sub(lambda slot: next(values[slot[1]]), text)), "phrase", owner)

    def other(side: str, kind: Kind) -> Line:
        return Line("customer" if side == "customer" else "clerk", next(sentences[side, kind]), kind)

    for _ in range(count):
        offence = [
            other("customer", "known"),
            other("customer", "new"),
            wording(next(forbidden)),
            other("clerk", "new"),
        ]
        middle = [[wording(next(served))] for _ in range(SERVED)] + [[other("clerk", "known")], offence]
        rng.shuffle(middle)
        opening = [wording(OPENING[0]), wording(NEED[0]), other("customer", rng.choice(("known", "new")))]
        closing = [wording(CLOSING[0]), other("customer", rng.choice(("known", "new"))), wording(CLOSING[1])]
        yield (*opening, *chain.from_iterable(middle), *closing)


def _shuffled(items: Sequence[str], rng: random.Random) -> Iterator[str]:
    """The items in random order, repeated without end, each time in another order."""
    while True:
        yield from rng.sample(list(items), len(items))


def pauses(lines: Sequence[Line], rng: random.Random) -> list[float]:
    """Seconds before each line."""
    speakers = [None, *(line.speaker for line in lines)]
    return [
        rng.uniform(0.6, 1.0) if before is None else rng.uniform(*PAUSES[before == line.speaker])
        for before, line in zip(speakers, lines, strict=False)
    ]
