"""Selects recorded single words that together sound like a sentence, for concatenation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from models.build.lexicon import Reading


@dataclass(frozen=True, slots=True)
class RecordedWords:
    """The words that a person recorded, by their characters and by their sound."""

    readings: Mapping[str, Reading]
    """How each word was read."""
    by_sound: Mapping[Reading, str]
    """One word for each sound; if there are several, one with a certain reading."""
    ambiguous: frozenset[str]
    """Single characters with several readings; it is not known which one was recorded."""
    longest: int
    """Characters of the longest word."""


def index_words(
    words: Iterable[str],
    reading: Callable[[str], Reading],
    count_readings: Callable[[str], int],
    speaker_readings: Mapping[str, Reading],
) -> RecordedWords:
    """The words, indexed for `select_words`.

    `count_readings` returns the number of readings of a single character; `speaker_readings` lists how the speaker read
    some words.
    """
    readings = {word: speaker_readings.get(word) or reading(word) for word in sorted(set(words))}
    ambiguous = frozenset(
        word for word in readings if len(word) == 1 and word not in speaker_readings and count_readings(word) > 1
    )
    by_sound: dict[Reading, str] = {}
    for word in sorted(readings, key=lambda word: word in ambiguous):
        by_sound.setdefault(readings[word], word)
    return RecordedWords(readings, by_sound, ambiguous, max(map(len, readings), default=0))


def select_words(sentence: str, recorded: RecordedWords, reading: Callable[[str], Reading]) -> list[str] | None:
    """Recorded words that together sound like the sentence; None if a part of it sounds like none of them.

    Greedy from the left: the longest word with the same characters and reading, else one with the same sound and tone.
    An ambiguous character is replaced by an unambiguous one with the same sound. A syllable that was never recorded
    alone with its tone is taken with another tone.
    """
    syllables = reading(sentence)
    if len(syllables) != len(sentence):
        return None
    selected: list[str] = []
    start = 0
    while start < len(sentence):
        ends = range(min(start + recorded.longest, len(sentence)), start, -1)
        candidates = (_word(sentence[start:end], syllables[start:end], recorded) for end in ends)
        word = next(filter(None, candidates), None)
        if word is None:
            return None
        selected.append(word)
        start += len(word)
    return selected


def _word(characters: str, sound: Reading, recorded: RecordedWords) -> str | None:
    as_written = recorded.readings.get(characters) == sound
    homophone = recorded.by_sound.get(sound)
    if as_written and (characters not in recorded.ambiguous or homophone is None or homophone in recorded.ambiguous):
        return characters
    return homophone or (_with_another_tone(sound[0][0], recorded) if len(sound) == 1 else None)


def _with_another_tone(syllable: str, recorded: RecordedWords) -> str | None:
    return next((word for tone in "41325" if (word := recorded.by_sound.get(((syllable, tone),)))), None)
