"""What is said in the speech for the training: sentences of the counter and of every day, sampled afresh each time."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.build.language.templates import Templates
from models.build.language.texts import COUNTER, FOLDER, ORDINARY, SENTENCES, SLOTS, phrase_set_sentences
from models.build.language.vocabulary import is_chinese
from models.build.voices.phonemes import MARKS

PROJECT: Final = Path(__file__).resolve().parents[3]
COLLOQUIAL: Final = Path(__file__).with_name("colloquial.txt")
OPENING: Final = "opening"
ENDING: Final = "ending"
"""Slots of colloquial.txt: what is said before and after a sentence."""
SHARES: Final = {"templates": 0.38, "written": 0.10, "counter": 0.18, "colloquial": 0.08, "ordinary": 0.26}
"""Of the kinds of sentences, the fields of Texts."""
OPENED: Final = 0.18
ENDED: Final = 0.08
"""Shares of sentences with an opening and with an ending."""
SHORTEST: Final = 2
LONGEST: Final = 34
"""Characters of a sentence."""
ENOUGH: Final = 16
"""Sentences are joined, with a pause, until they have this many characters: a long text costs less per second."""
MEASURED: Final = (
    "bench/**/*.tsv", "bench/**/*.txt", "bench/**/*.toml", "models/build/sets/*.toml", "tests/fixtures/*.toml",
)  # fmt: skip
"""Files with sentences that measure a model. None of them is spoken, not even where a template spells it too."""
PART: Final = 8
"""Characters from which such a sentence must not be part of a longer one either."""
ENDS: Final = "。！？"
SPLIT: Final = re.compile(r"[\t\"',，、；：。！？…—\s{}\[\]()（）|]+")


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences by kind; a template is a list of its sentences."""

    templates: Sequence[Sequence[str]]
    """Of the phrase sets."""
    written: Sequence[Sequence[str]]
    """Of our texts of the language model."""
    counter: Sequence[str]
    colloquial: Sequence[Sequence[str]]
    ordinary: Sequence[str]
    openings: Sequence[str]
    endings: Sequence[str]
    measured: frozenset[str]
    """What must not be spoken."""

    def draw(self, rng: random.Random) -> str:
        """A text of one or more sentences, with punctuation at its end, that no test and no bench contains."""
        text = self._sentence(rng)
        while len(text) < ENOUGH:
            text += f"{rng.choice('，，。？')}{self._sentence(rng)}"
        return text if text[-1] in MARKS else text + rng.choices("。！？", (0.8, 0.08, 0.12))[0]

    def _sentence(self, rng: random.Random) -> str:
        while True:
            kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
            listed: Sequence[str] | Sequence[Sequence[str]] = getattr(self, kind)
            chosen = rng.choice(listed)
            text = chosen if isinstance(chosen, str) else rng.choice(chosen)
            text = self._colloquial(text.strip("，。！？、；：…"), rng)
            characters = plain(text)
            if SHORTEST <= len(characters) <= LONGEST and is_chinese(characters) and not self._is_measured(text):
                return text

    def _colloquial(self, text: str, rng: random.Random) -> str:
        if rng.random() < OPENED:
            text = rng.choice(self.openings) + text
        return text + rng.choice(self.endings) if rng.random() < ENDED else text

    def _is_measured(self, text: str) -> bool:
        characters = plain(text)
        if characters in self.measured or any(
            piece in self.measured for piece in SPLIT.split(text) if len(piece) >= PART
        ):
            return True
        windows = (
            characters[first:last]
            for first in range(len(characters))
            for last in range(first + PART, len(characters) + 1)
        )
        return any(window in self.measured for window in windows)


def plain(text: str) -> str:
    """Text without punctuation."""
    return "".join(character for character in text if character not in MARKS)


def read_texts() -> Texts:
    """The texts of the project. Raises BuildError."""
    slots, written, colloquial = Templates(), Templates(), Templates()
    slots.read(FOLDER / SLOTS)
    for name in (SLOTS, *COUNTER, *ORDINARY):
        written.read(FOLDER / name)
    colloquial.read(COLLOQUIAL)
    phrase_sets = sorted((PROJECT / "phrase_sets").glob("*.toml"))
    return Texts(
        templates=[lines for file in phrase_sets for lines in phrase_set_sentences(file, slots) if lines],
        written=_expanded(written),
        counter=_plain_sentences("counter"),
        colloquial=_expanded(colloquial),
        ordinary=_plain_sentences("ordinary"),
        openings=_values(colloquial, OPENING),
        endings=_values(colloquial, ENDING),
        measured=frozenset(measured_sentences()),
    )


def _expanded(templates: Templates) -> list[list[str]]:
    return [templates.expand(template, place) for place, template in templates.sentences]


def _values(templates: Templates, slot: str) -> list[str]:
    return ["".join(map(str, value)) for value in templates.slots[slot]]


def _plain_sentences(kind: str) -> list[str]:
    files = sorted((FOLDER / SENTENCES / kind).glob("*.txt"))
    lines = (line.partition("#")[0].strip() for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def measured_sentences() -> Iterable[str]:
    """The sentences of all tests and benches, without punctuation: whole, and piece by piece."""
    for pattern in MEASURED:
        for file in sorted(PROJECT.glob(pattern)):
            for line in file.read_text(encoding="utf-8").splitlines():
                for part in re.split(r"[\t\"]+", line):
                    yield from (piece for piece in SPLIT.split(part) if len(piece) >= SHORTEST and is_chinese(piece))
                    if is_chinese(plain(part)):
                        yield plain(part)
