"""Spelling a sentence from the words that somebody recorded one by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from models.build.lexicon import Reading


@dataclass(frozen=True, slots=True)
class Recorded:
    """The words somebody recorded, to be found by their characters or by their sound."""

    readings: Mapping[str, Reading]
    """Word to how it was read."""
    by_sound: Mapping[Reading, str]
    """One word for each sound; of several, one whose reading is sure."""
    unsure: frozenset[str]
    """Single characters with several readings: nobody can say which of them was recorded."""
    longest: int
    """Characters."""


def recorded(
    words: Iterable[str],
    reading: Callable[[str], Reading],
    readings_of: Callable[[str], int],
    heard: Mapping[str, Reading],
) -> Recorded:
    """The words in their shape to spell with.

    `readings_of` tells how many readings a single character has; `heard` how some of them were read, as ears told.
    """
    readings = {word: heard.get(word) or reading(word) for word in sorted(set(words))}
    unsure = frozenset(word for word in readings if len(word) == 1 and word not in heard and readings_of(word) > 1)
    by_sound: dict[Reading, str] = {}
    for word in sorted(readings, key=lambda word: word in unsure):
        by_sound.setdefault(readings[word], word)
    return Recorded(readings, by_sound, unsure, max(map(len, readings), default=0))


def spell(sentence: str, known: Recorded, reading: Callable[[str], Reading]) -> list[str] | None:
    """Recorded words that together sound like the sentence; None where some of it sounds like none of them.

    Greedy from the left: the longest word that has the same characters and was read so, else one with the same sound
    and tone. A single character whose recording may be read otherwise gives way to one that is sure; a syllable that
    was never recorded alone in its tone is taken in another.
    """
    sounds = reading(sentence)
    if len(sounds) != len(sentence):
        return None
    spelt: list[str] = []
    at = 0
    while at < len(sentence):
        sizes = range(min(known.longest, len(sentence) - at), 0, -1)
        found = next(
            (word for size in sizes if (word := _word(sentence[at : at + size], sounds[at : at + size], known))), None
        )
        if found is None:
            return None
        spelt.append(found)
        at += len(found)
    return spelt


def _word(characters: str, sound: Reading, known: Recorded) -> str | None:
    as_written = known.readings.get(characters) == sound
    alike = known.by_sound.get(sound)
    if as_written and (characters not in known.unsure or alike is None or alike in known.unsure):
        return characters
    return alike or (_another_tone(sound[0][0], known) if len(sound) == 1 else None)


def _another_tone(syllable: str, known: Recorded) -> str | None:
    return next((word for tone in "41325" if (word := known.by_sound.get(((syllable, tone),)))), None)
