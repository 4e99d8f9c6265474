"""Visits joined from the words that one person recorded one by one: a voice that a measuring model has never heard."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from pypinyin import Style, pinyin

from counter_listener.domain.types import SAMPLE_RATE
from models.build.errors import BuildError
from models.build.lexicon import readings
from models.build.manifest import read_manifest
from models.build.recordings import HEARD
from models.build.sets.labels import SLOT, Line, Span, plain, tables
from models.build.sets.sound import FADE, Samples, faster, level, read, trimmed
from models.build.sets.spelling import Recorded, recorded, spell
from models.build.sets.visits import Talk
from models.build.sets.writing import Voicing

TEMPO: Final = (1.3, 1.7)
"""How many times faster than recorded, least and most: words read from a list are slower than speech."""
WORD_DB: Final = -20.0
"""Loudness to which each word is brought before they are joined: root mean square below the largest sample."""


def vocabulary(folder: Path) -> tuple[Recorded, dict[str, Path]]:
    """What was recorded in a folder with a manifest, to spell with, and where each word lies."""
    files = {row.text: row.path for row in read_manifest(folder)}
    return recorded(files, readings, _ways_to_read, HEARD["yue_tan"]), files


def _ways_to_read(character: str) -> int:
    return len(set(pinyin(character, style=Style.TONE3, heteronym=True)[0]))


def sayable(text: str, known: Recorded) -> bool:
    """Whether the recorded words sound like the whole text."""
    return spell(text, known, readings) is not None


def sayable_talk(talk: Talk, known: Recorded) -> Talk:
    """The sentences and fillings that can be spelt with the recorded words."""
    return {
        kind: {key: [text for text in texts if sayable(text, known)] for key, texts in listed.items()}
        for kind, listed in talk.items()
    }


def sayable_phrases(phrases: Mapping[str, Any], known: Recorded) -> dict[str, Any]:
    """The TOML of a phrase set with those wordings alone that can be spelt; slots are looked at in sayable_talk()."""
    kept = copy.deepcopy(dict(phrases))
    for table in tables(kept):
        table["say"] = [wording for wording in table["say"] if sayable(plain(SLOT.sub("", wording)), known)]
    return kept


def voicing(known: Recorded, files: dict[str, Path], speaker: str) -> Voicing:
    """How lines are said with the recorded words: joined without a pause, then made faster as a whole."""

    @cache
    def word(text: str) -> Samples:
        return level(trimmed(read(files[text])), WORD_DB)

    def say(line: Line, rng: random.Random) -> tuple[Samples, tuple[Span, ...], str]:
        spelt = spell(line.text, known, readings)
        if spelt is None:
            raise BuildError(f"{line.text} cannot be spelt with the recorded words; leave it out.")
        samples, characters = joined([word(text) for text in spelt], spelt)
        tempo = rng.uniform(*TEMPO)
        return faster(samples, tempo), tuple((start / tempo, end / tempo) for start, end in characters), speaker

    return say


def joined(words: list[Samples], texts: list[str]) -> tuple[Samples, list[Span]]:
    """Words one after the other, each fading into the next; a word's characters share its time evenly."""
    whole = np.zeros(sum(map(len, words)), np.float32)
    characters: list[Span] = []
    at = 0
    for samples, text in zip(words, texts, strict=True):
        whole[at : at + len(samples)] += samples
        edges = np.linspace(at, at + len(samples), len(text) + 1) / SAMPLE_RATE
        characters += [(float(a), float(b)) for a, b in pairwise(edges)]
        at += max(len(samples) - FADE, 1)
    return whole[: at + FADE], characters
