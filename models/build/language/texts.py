"""The texts of the language model: the counter text and the ordinary text, segmented into words, with weights."""

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
from models.build.language.templates import MAX_SENTENCES, Templates, parse
from models.build.language.vocabulary import Segmenter, is_chinese

FOLDER: Final = Path(__file__).parent / "text"
SLOTS: Final = "slots.txt"
OWN_WORDS: Final = "words.txt"
COUNTER: Final = ("customers.txt", "staff.txt")
ORDINARY: Final = ("everyday.txt", "news.txt")
"""Files of templates."""
SENTENCES: Final = "sentences"
"""Folder with the folders `counter` and `ordinary`: plain sentences."""
WORDING_KEYS: Final = ("say", "shared", "when", "need", "unless", "not_in")
FOLLOWED: Final = 0.25
"""Share of wordings that are also combined with a following wording, without a pause."""
SLOT: Final = re.compile(r"\{([^{}]*)\}")
BREAK: Final = re.compile(r"[，。！？、；：,.!?;:\s“”‘’…—（）()|]+")

Group = tuple[Sequence[str], float]
"""Sentences that share a weight."""
Sentences = Mapping[tuple[str, ...], float]
"""Segmented sentences with their weights."""


def own_words() -> list[str]:
    """Our own words for the segmentation of sentences."""
    lines = (FOLDER / OWN_WORDS).read_text(encoding="utf-8").splitlines()
    return [word for line in lines for word in line.partition("#")[0].split()]


def ordinary_sentences(segmenter: Segmenter, sentence: float = 1.0) -> Sentences:
    """What is said elsewhere than at a counter; `sentence` is the weight of a plain sentence. Raises BuildError."""
    return weighted([*_from_templates(_templates(ORDINARY)), *_plain("ordinary", sentence)], segmenter)


def counter_sentences(
    phrase_sets: Iterable[Path], segmenter: Segmenter, wording: float = 1.0, sentence: float = 1.0
) -> Sentences:
    """What is said at a counter.

    `wording` is the weight of each wording of a Chinese phrase set, `sentence` that of a plain sentence.
    Raises BuildError.
    """
    templates = _templates(COUNTER)
    groups = [*_from_templates(templates), *_plain("counter", sentence)]
    for file in phrase_sets:
        groups += [(lines, wording) for lines in phrase_set_sentences(file, templates)]
    return weighted(groups, segmenter)


def phrase_set_sentences(file: Path, templates: Templates) -> Iterator[list[str]]:
    """The sentences of each wording of a Chinese phrase set, and its examples without a phrase.

    Examples with a phrase are left out: some contain recognition errors, which the model would learn.
    The file is read as plain TOML, with all wordings as they are written. Raises BuildError if it cannot be read.
    """
    try:
        phrases = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{file}: the phrase set cannot be read ({error}); `phrases check` says more.") from None
    if phrases.get("language", "zh") != "zh":
        return
    wordings = list(dict.fromkeys(iter_wordings(phrases)))
    yield from ([str(example.get("heard", ""))] for example in phrases.get("example", ()) if not example.get("expect"))
    rng = random.Random(file.name)  # noqa: S311 - reproducible draws, not secrets
    for number, wording in enumerate(wordings, start=1):
        lines = fill_slots(wording, templates, f"{file.name}, wording {number}")
        yield lines
        if rng.random() < FOLLOWED:
            yield [lines[0] + fill_slots(rng.choice(wordings), templates, file.name)[0]]


def iter_wordings(table: Any) -> Iterator[str]:  # noqa: ANN401 - TOML holds anything
    """All wordings in the TOML of a phrase set, except those of its examples."""
    if isinstance(table, list):
        for entry in table:
            yield from iter_wordings(entry)
    elif isinstance(table, dict):
        for key, value in table.items():
            if key in WORDING_KEYS and isinstance(value, list):
                yield from (wording for wording in value if isinstance(wording, str))
            elif key != "example":
                yield from iter_wordings(value)


def fill_slots(wording: str, templates: Templates, location: str) -> list[str]:
    """A wording with the values of its slots; a slot without known values becomes a break."""
    plain = BREAK.sub("，", wording)
    known = SLOT.sub(lambda slot: slot[0] if slot[1] in templates.slots else "，", plain)
    return templates.expand(parse(known, location), location)


def weighted(groups: Iterable[Group], segmenter: Segmenter) -> Sentences:
    """Segmented sentences. A sentence with breaks counts half as a whole, and half as its single pieces.

    Sentences with weight 0 are left out.
    """
    weights: dict[tuple[str, ...], float] = defaultdict(float)
    for lines, weight in groups:
        if not weight:
            continue
        for line in lines:
            pieces = [piece for piece in BREAK.split(line) if piece]
            if not pieces or not all(map(is_chinese, pieces)):
                continue
            share = weight / len(lines) / (1 if len(pieces) == 1 else 2)
            weights[segmenter.cut("".join(pieces))] += share
            for piece in pieces if len(pieces) > 1 else ():
                weights[segmenter.cut(piece)] += share
    return weights


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
    """The weight of a template grows with the root of its number of sentences, and is MAX_SENTENCES at most."""
    for location, template in templates.sentences:
        lines = templates.expand(template, location)
        yield lines, math.sqrt(len(lines) * MAX_SENTENCES)
