"""What others would match with, to compare ours against: exact text, and rapidfuzz on characters or on pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz, process

from counter_listener.phrase_set import PhraseSet
from counter_listener.phrases import SLOT
from counter_listener.pinyin import sounds, written
from counter_listener.scoring import Span
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
class Candidate:
    """Where a wording may stand in an utterance, and how surely."""

    span: Span
    score: float
    """0-100."""
    size: int
    """Units of the wording: of two as close, the longer explains more."""


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


def candidates(utterance: Utterance, wordings: Wordings) -> list[Candidate]:
    """Every wording that may stand in the utterance, each once, where it stands best; scores from `LEAST` up."""
    spoken = spell(utterance, wordings.clause_pause)
    if not len(spoken):
        return []
    return list((_exact if wordings.kind == "exact" else _close)(spoken, wordings))


def _exact(spoken: Spoken, wordings: Wordings) -> Iterator[Candidate]:
    units = _shape("exact", spoken.units)
    for wording in wordings.listed:
        for found in wording.pattern.finditer(units):
            yield _candidate(wording, spoken, found.start(), found.end(), 100.0)


def _close(spoken: Spoken, wordings: Wordings) -> Iterator[Candidate]:
    code = _shape(wordings.kind, spoken.units)
    near = process.extract(code, wordings.texts, scorer=fuzz.partial_ratio, score_cutoff=LEAST, limit=None)
    for text, score, index in near:
        wording = wordings.listed[index]
        if len(text) > len(code):  # partial_ratio would look for the utterance in the wording
            if (whole := fuzz.ratio(text, code)) >= LEAST:
                yield _candidate(wording, spoken, 0, len(spoken), whole)
        elif (found := fuzz.partial_ratio_alignment(text, code)) and found.dest_end > found.dest_start:
            yield _candidate(wording, spoken, found.dest_start, found.dest_end, score)


def _candidate(wording: Wording, spoken: Spoken, first: int, last: int, score: float) -> Candidate:
    span = Span(wording.owner, spoken.starts[first], spoken.ends[last - 1])
    return Candidate(span, score, len(wording.text))


def found_at(threshold: float, found: Iterable[Candidate]) -> list[Span]:
    """What a baseline finds in one utterance: of those that reach the threshold, the best that do not overlap."""
    kept: list[Span] = []
    for one in sorted(found, key=lambda c: (-c.score, -c.size, c.span.start)):
        if one.score < threshold:
            break
        if not any(one.span.start < other.end and other.start < one.span.end for other in kept):
            kept.append(one.span)
    return kept


def thresholds(found: Iterable[Candidate]) -> Sequence[float]:
    """Every threshold at which a baseline may change what it finds, to half a point, from low to high."""
    return sorted({round(2 * one.score) / 2 for one in found} | {LEAST, 100.0})
