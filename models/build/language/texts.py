"""The texts that the language model is made of: the counter's and the ordinary one, in words, with their weights."""

from __future__ import annotations

import math
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.build.errors import BuildError
from models.build.language.templates import MOST, Templates, parse
from models.build.language.vocabulary import Segmenter, is_chinese

FOLDER: Final = Path(__file__).parent / "text"
SLOTS: Final = "slots.txt"
OWN_WORDS: Final = "words.txt"
COUNTER: Final = ("customers.txt", "staff.txt")
ORDINARY: Final = ("everyday.txt", "news.txt")
"""Templates."""
SENTENCES: Final = "sentences"
"""Folder of folders `counter` and `ordinary`: sentences as they stand."""
WORDING_KEYS: Final = ("say", "shared", "when", "need", "unless", "not_in")
FOLLOWED: Final = 0.25
"""How often a wording is followed by another one without a pause."""
SLOT: Final = re.compile(r"\{([^{}]*)\}")
BREAK: Final = re.compile(r"[，。！？、；：,.!?;:\s“”‘’…—（）()|]+")

Group = tuple[Sequence[str], float]
"""Sentences that share a weight."""
Sentences = Mapping[tuple[str, ...], float]


def own_words() -> list[str]:
    """Our words for cutting sentences."""
    lines = (FOLDER / OWN_WORDS).read_text(encoding="utf-8").splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]


def ordinary_sentences(cutter: Segmenter, sentence: float = 1.0) -> Sentences:
    """What is said everywhere else than at a counter, each plain sentence with this weight. Raises BuildError."""
    return weighed([*_from_templates(_templates(ORDINARY)), *_plain("ordinary", sentence)], cutter)


def counter_sentences(
    phrase_sets: Iterable[Path], cutter: Segmenter, wording: float = 1.0, sentence: float = 1.0
) -> Sentences:
    """What is said at a counter, each wording of a Chinese phrase set and each plain sentence with its weight.

    Raises BuildError.
    """
    templates = _templates(COUNTER)
    groups = [*_from_templates(templates), *_plain("counter", sentence)]
    for file in phrase_sets:
        groups += [(lines, wording) for lines in wordings(file, templates)]
    return weighed(groups, cutter)


def wordings(file: Path, templates: Templates) -> Iterator[list[str]]:
    """The sentences that each wording of a Chinese phrase set stands for, and its examples of what is none.

    Examples of what is one are left out: some are spelt as a recogniser mishears them, and would be learnt so.
    The file is read as the plain TOML it is: the program's own reader trims pypinyin's tables, which the lexicon needs
    whole. Raises BuildError where it cannot be read.
    """
    try:
        phrases = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{file}: the phrase set cannot be read ({error}); `phrases check` says more.") from None
    if phrases.get("language", "zh") != "zh":
        return
    said = list(dict.fromkeys(_listed(phrases)))
    yield from ([str(example.get("heard", ""))] for example in phrases.get("example", ()) if not example.get("expect"))
    dice = random.Random(file.name)  # noqa: S311 - nothing secret
    for at, wording in enumerate(said):
        lines = filled(wording, templates, f"{file.name}, wording {at + 1}")
        yield lines
        if dice.random() < FOLLOWED:
            yield [lines[0] + filled(dice.choice(said), templates, file.name)[0]]


def _listed(table: Any) -> Iterator[str]:  # noqa: ANN401 - TOML holds anything
    if isinstance(table, list):
        for entry in table:
            yield from _listed(entry)
    elif isinstance(table, dict):
        for key, value in table.items():
            if key in WORDING_KEYS and isinstance(value, list):
                yield from (one for one in value if isinstance(one, str))
            elif key != "example":
                yield from _listed(value)


def filled(wording: str, templates: Templates, where: str) -> list[str]:
    """A wording with its slots filled; where we have no values for a slot, a break stands for it."""
    plain = BREAK.sub("，", wording)
    known = SLOT.sub(lambda slot: slot[0] if slot[1] in templates.slots else "，", plain)
    return templates.expand(parse(known, where), where)


def weighed(groups: Iterable[Group], cutter: Segmenter) -> Sentences:
    """Sentences cut into words; one with breaks counts half as a whole, and half as its pieces one by one.

    What weighs nothing is left out.
    """
    counted: dict[tuple[str, ...], float] = defaultdict(float)
    for lines, weight in groups:
        if not weight:
            continue
        for line in lines:
            pieces = [piece for piece in BREAK.split(line) if piece]
            if not pieces or not all(map(is_chinese, pieces)):
                continue
            share = weight / len(lines) / (1 if len(pieces) == 1 else 2)
            counted[cutter.cut("".join(pieces))] += share
            for piece in pieces if len(pieces) > 1 else ():
                counted[cutter.cut(piece)] += share
    return counted


def _templates(files: Iterable[str]) -> Templates:
    templates = Templates()
    for name in (SLOTS, *files):
        templates.read(FOLDER / name)
    return templates


def _plain(folder: str, weight: float) -> Iterator[Group]:
    for file in sorted((FOLDER / SENTENCES / folder).glob("*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        yield from (([line], weight) for line in lines if not line.startswith("#"))


def _from_templates(templates: Templates) -> Iterator[Group]:
    """A template of MOST sentences weighs one for each; one of fewer loses by the root, not by the number."""
    for where, template in templates.sentences:
        lines = templates.expand(template, where)
        yield lines, math.sqrt(len(lines) * MOST)
