"""What others would match with, to compare ours against: exact text, and rapidfuzz on characters or on pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz, process

from counter_listener.phrase_set import PhraseSet
from counter_listener.phrases import SLOT
from counter_listener.pinyin import sounds, written
from counter_listener.scoring import Found
from counter_listener.spoken import Spoken, spell
from counter_listener.types import Utterance

Baseline = Literal["exact", "characters", "pinyin"]
BASELINES: Final[tuple[Baseline, ...]] = ("exact", "characters", "pinyin")
FIRST_SOUND: Final = 0x100
CODES: Final[dict[str, str]] = {}
"""One character for each syllable met: on its letters the same baseline does worse, and takes ten times as long."""
LEAST: Final = 50.0
"""Least score, 0-100, of a candidate: no baseline is at its best below it."""


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
    clause_pause: float
    """Seconds."""


def prepare_baseline(kind: Baseline, phrases: PhraseSet) -> Wordings:
    """A phrase set ready for a baseline: all owed and forbidden wordings, contexts (`unless`, `not_in`) left out."""
    owners = [phrase for phrase, _ in phrases.phrases()] + list(phrases.forbidden)
    listed = tuple(
        Wording(owner.id, _shape(kind, written(SLOT.sub("", wording))), _pattern(wording, phrases))
        for owner in owners
        for wording in (*owner.say, *owner.shared)
        if written(SLOT.sub("", wording))
    )
    return Wordings(kind, listed, tuple(one.text for one in listed), phrases.hearing.clause_pause)


def _shape(kind: Baseline, units: tuple[str, ...]) -> str:
    return (
        "".join(CODES.setdefault(sound, chr(FIRST_SOUND + len(CODES))) for sound in sounds(units))
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
            f".{{{slots[part].min},{slots[part].max}}}?" if index % 2 else re.escape("".join(written(part)))
            for index, part in enumerate(parts)
        )
    )


def find_with(wordings: Wordings, utterance: Utterance) -> list[Found]:
    """What a baseline finds in an utterance, with scores from `LEAST` up: of wordings that overlap, the best.

    The best has the highest score, then the most characters. As a worse one never drives out a better one, what is
    found at a threshold is what of this reaches it. A wording counts once an utterance, where it stands best.
    """
    spoken = spell(utterance, wordings.clause_pause)
    near = (_exact if wordings.kind == "exact" else _close)(spoken, wordings) if len(spoken) else ()
    kept: list[Found] = []
    for _, one in sorted(near, key=lambda c: (-c[1].score, -c[0], c[1].start)):
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    return kept


def _exact(spoken: Spoken, wordings: Wordings) -> Iterator[tuple[int, Found]]:
    units = _shape("exact", spoken.units)
    for wording in wordings.listed:
        for found in wording.pattern.finditer(units):
            yield _candidate(wording, spoken, found.start(), found.end(), 100.0)


def _close(spoken: Spoken, wordings: Wordings) -> Iterator[tuple[int, Found]]:
    code = _shape(wordings.kind, spoken.units)
    near = process.extract(code, wordings.texts, scorer=fuzz.partial_ratio, score_cutoff=LEAST, limit=None)
    for text, score, index in near:
        wording = wordings.listed[index]
        if len(text) > len(code):  # partial_ratio would look for the utterance in the wording
            if (whole := fuzz.ratio(text, code)) >= LEAST:
                yield _candidate(wording, spoken, 0, len(spoken), whole)
        elif (found := fuzz.partial_ratio_alignment(text, code)) and found.dest_end > found.dest_start:
            yield _candidate(wording, spoken, found.dest_start, found.dest_end, score)


def _candidate(wording: Wording, spoken: Spoken, first: int, last: int, score: float) -> tuple[int, Found]:
    return len(wording.text), Found(wording.owner, spoken.starts[first], spoken.ends[last - 1], score)
