"""Visits joined from single words that one person recorded: an unknown speaker for a model trained without them."""

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

from counter_listener.domain import SAMPLE_RATE
from models.build.errors import BuildError
from models.build.lexicon import readings
from models.build.manifest import read_manifest
from models.build.recordings import SPEAKER_READINGS
from models.build.sets.labels import SLOT, Line, Span, plain, tables
from models.build.sets.rendering import RenderedLine, Renderer
from models.build.sets.sound import FADE, Samples, change_tempo, read, set_level, trim
from models.build.sets.visits import OtherSpeech
from models.build.sets.word_selection import RecordedWords, index_words, select_words

TEMPO: Final = (1.3, 1.7)
"""Least and most factor by which the words are made faster: words from a list are read more slowly than speech."""
WORD_DB: Final = -20.0
"""Level to which each word is set before it is joined: root mean square, in decibels below the largest sample."""


def vocabulary(folder: Path) -> tuple[RecordedWords, dict[str, Path]]:
    """The words recorded in a folder with a manifest, and the file of each."""
    files = {row.text: row.path for row in read_manifest(folder)}
    return index_words(files, readings, _count_readings, SPEAKER_READINGS["yue_tan"]), files


def _count_readings(character: str) -> int:
    return len(set(pinyin(character, style=Style.TONE3, heteronym=True)[0]))


def is_available(text: str, recorded: RecordedWords) -> bool:
    """Whether the recorded words sound like the whole text."""
    return select_words(text, recorded, readings) is not None


def available_speech(speech: OtherSpeech, recorded: RecordedWords) -> OtherSpeech:
    """The sentences and slot values that can be joined from the recorded words."""
    return {
        kind: {key: [text for text in texts if is_available(text, recorded)] for key, texts in listed.items()}
        for kind, listed in speech.items()
    }


def available_phrases(phrases: Mapping[str, Any], recorded: RecordedWords) -> dict[str, Any]:
    """The TOML of a phrase set with the wordings that can be joined; available_speech() checks the slot values."""
    available = copy.deepcopy(dict(phrases))
    for table in tables(available):
        table["say"] = [wording for wording in table["say"] if is_available(plain(SLOT.sub("", wording)), recorded)]
    return available


def joined_renderer(recorded: RecordedWords, files: dict[str, Path], speaker: str) -> Renderer:
    """Renders lines with the recorded words: joined without a pause, then made faster as a whole."""

    @cache
    def word_samples(text: str) -> Samples:
        return set_level(trim(read(files[text])), WORD_DB)

    def render(line: Line, rng: random.Random) -> RenderedLine:
        words = select_words(line.text, recorded, readings)
        if words is None:
            raise BuildError(f"{line.text} cannot be joined from the recorded words; leave it out.")
        samples, characters = join(list(map(word_samples, words)), words)
        tempo = rng.uniform(*TEMPO)
        return change_tempo(samples, tempo), tuple((start / tempo, end / tempo) for start, end in characters), speaker

    return render


def join(words: list[Samples], texts: list[str]) -> tuple[Samples, list[Span]]:
    """Words one after the other, with a cross-fade; the characters of a word get equal shares of its time."""
    joined = np.zeros(sum(map(len, words)), np.float32)
    characters: list[Span] = []
    start = 0
    for samples, text in zip(words, texts, strict=True):
        joined[start : start + len(samples)] += samples
        edges = np.linspace(start, start + len(samples), len(text) + 1) / SAMPLE_RATE
        characters += [(float(a), float(b)) for a, b in pairwise(edges)]
        start += max(len(samples) - FADE, 1)
    return joined[: start + FADE], characters
