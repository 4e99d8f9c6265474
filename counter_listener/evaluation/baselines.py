"""What others would match with, to compare ours against: exact text, and rapidfuzz on characters or on pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz, process

from counter_listener.domain import PhraseSet, Utterance
from counter_listener.evaluation.scoring import Detection
from counter_listener.phrases import SLOT, pronounce, split_units

Baseline = Literal["exact", "characters", "pinyin"]
BASELINES: Final[tuple[Baseline, ...]] = ("exact", "characters", "pinyin")
FIRST_SOUND: Final = 0x100
CODES: Final[dict[str, str]] = {}
"""One character for each syllable met, so that a syllable is right or wrong as a whole; letters take far longer."""
LEAST: Final = 50.0
"""Least score, 0-100, of a candidate: no baseline is at its best below it."""

Units = list[tuple[str, float, float]]
"""Units as written, each with its start and end in seconds."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One owed or forbidden wording, in the shape that a baseline compares."""

    owner: str
    text: str
    """Characters as they are, or one character for each toneless syllable; slots left out."""
    pattern: re.Pattern[str]
    """Exact text, slots being any few characters."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """All wordings of a phrase set, ready for one baseline."""

    kind: Baseline
    listed: tuple[Wording, ...]
    texts: tuple[str, ...]
    """Of each, in the same order."""


def prepare_baseline(kind: Baseline, phrases: PhraseSet) -> Wordings:
    """A phrase set ready for a baseline: all owed and forbidden wordings, contexts (`unless`, `not_in`) left out."""
    owners = [phrase for phrase, _ in phrases.phrases()] + list(phrases.forbidden)
    listed = tuple(
        Wording(owner.id, _shape(kind, split_units(SLOT.sub("", wording))), _pattern(wording, phrases))
        for owner in owners
        for wording in (*owner.say, *owner.shared)
        if split_units(SLOT.sub("", wording))
    )
    return Wordings(kind, listed, tuple(one.text for one in listed))


def _shape(kind: Baseline, units: tuple[str, ...]) -> str:
    return (
        "".join(CODES.setdefault(sound, chr(FIRST_SOUND + len(CODES))) for sound in pronounce(units))
        if kind == "pinyin"
        else "".join(map(_single, units))
    )


def _single(unit: str) -> str:
    """One character for one unit; a word in letters is none that any wording has."""
    return unit if len(unit) == 1 else "\x01"


def _pattern(wording: str, phrases: PhraseSet) -> re.Pattern[str]:
    slots, parts = phrases.slots, SLOT.split(wording)
    return re.compile(
        "".join(
            f".{{{slots[part].min},{slots[part].max}}}?" if index % 2 else re.escape("".join(split_units(part)))
            for index, part in enumerate(parts)
        )
    )


def find_with(wordings: Wordings, utterance: Utterance) -> list[Detection]:
    """What a baseline finds in an utterance, with scores from `LEAST` up: of wordings that overlap, the best.

    The best has the highest score, then the most characters. As a worse one never drives out a better one, what is
    found at a threshold is what of this reaches it. A wording counts once an utterance, where it stands best.
    """
    units = timed_units(utterance)
    near = (_exact if wordings.kind == "exact" else _close)(units, wordings) if units else ()
    kept: list[Detection] = []
    for _, one in sorted(near, key=lambda c: (-c[1].score, -c[0], c[1].start)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return kept


def timed_units(utterance: Utterance) -> Units:
    """The units of an utterance, each with its start and end in seconds; a word's time is shared out evenly."""
    timed = []
    for word in utterance.words:
        inside = split_units(word.text)
        step = (word.end - word.start) / max(1, len(inside))
        timed += [(unit, word.start + i * step, word.start + (i + 1) * step) for i, unit in enumerate(inside)]
    return timed


def _exact(units: Units, wordings: Wordings) -> Iterator[tuple[int, Detection]]:
    text = _shape("exact", tuple(unit for unit, _, _ in units))
    for wording in wordings.listed:
        for found in wording.pattern.finditer(text):
            yield _candidate(wording, units, found.start(), found.end(), 100.0)


def _close(units: Units, wordings: Wordings) -> Iterator[tuple[int, Detection]]:
    code = _shape(wordings.kind, tuple(unit for unit, _, _ in units))
    near = process.extract(code, wordings.texts, scorer=fuzz.partial_ratio, score_cutoff=LEAST, limit=None)
    for text, score, index in near:
        wording = wordings.listed[index]
        if len(text) > len(code):  # partial_ratio would look for the utterance in the wording
            if (whole := fuzz.ratio(text, code)) >= LEAST:
                yield _candidate(wording, units, 0, len(units), whole)
        elif (found := fuzz.partial_ratio_alignment(text, code)) and found.dest_end > found.dest_start:
            yield _candidate(wording, units, found.dest_start, found.dest_end, score)


def _candidate(wording: Wording, units: Units, first: int, last: int, score: float) -> tuple[int, Detection]:
    return len(wording.text), Detection(wording.owner, units[first][1], units[last - 1][2], score)
