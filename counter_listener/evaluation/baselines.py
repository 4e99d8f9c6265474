"""Baselines to compare our matcher with: exact text, and rapidfuzz on characters or on toneless pinyin."""

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
SYLLABLE_CODES: Final[dict[str, str]] = {}
"""One character for each syllable seen, so that a syllable is compared as a whole; comparing letters is much slower."""
MIN_SCORE: Final = 50.0
"""The lowest score of a candidate, 0-100: the best threshold of each baseline is above it."""

TimedUnits = list[tuple[str, float, float]]
"""Units of text, each with its start and end in seconds."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of a phrase or an offence, in the form that a baseline compares."""

    owner: str
    text: str
    """The characters, or one character for each toneless syllable; without slots."""
    pattern: re.Pattern[str]
    """The exact text; a slot matches as many characters as it allows."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """All wordings of a phrase set, prepared for one baseline."""

    kind: Baseline
    entries: tuple[Wording, ...]


def prepare_baseline(kind: Baseline, phrases: PhraseSet) -> Wordings:
    """The wordings of all phrases and offences, without their contexts (`unless`, `not_in`)."""
    owners = [phrase for phrase, _ in phrases.phrases()] + list(phrases.forbidden)
    entries = tuple(
        Wording(owner.id, _encode(kind, units), _pattern(wording, phrases))
        for owner in owners
        for wording in (*owner.say, *owner.shared)
        if (units := split_units(SLOT.sub("", wording)))
    )
    return Wordings(kind, entries)


def _encode(kind: Baseline, units: tuple[str, ...]) -> str:
    """One character for each unit; a word in letters becomes a character that no wording contains."""
    if kind == "pinyin":
        return "".join(
            SYLLABLE_CODES.setdefault(syllable, chr(0x100 + len(SYLLABLE_CODES))) for syllable in pronounce(units)
        )
    return "".join(unit if len(unit) == 1 else "\x01" for unit in units)


def _pattern(wording: str, phrases: PhraseSet) -> re.Pattern[str]:
    slots, parts = phrases.slots, SLOT.split(wording)
    return re.compile(
        "".join(
            f".{{{slots[part].min},{slots[part].max}}}?" if index % 2 else re.escape("".join(split_units(part)))
            for index, part in enumerate(parts)
        )
    )


def find_baseline(wordings: Wordings, utterance: Utterance) -> list[Detection]:
    """What a baseline finds in an utterance with a score of at least `MIN_SCORE`; of overlapping candidates the best.

    The best has the highest score, then the most characters. Since a worse candidate never removes a better one, the
    result at any threshold is the part of this list that reaches it. A wording counts once per utterance.
    """
    units = units_with_times(utterance)
    candidates = (_exact if wordings.kind == "exact" else _fuzzy)(units, wordings) if units else ()
    found: list[Detection] = []
    for _, candidate in sorted(candidates, key=lambda pair: (-pair[1].score, -pair[0], pair[1].start)):
        if not any(candidate.start < better.end and better.start < candidate.end for better in found):
            found.append(candidate)
    return found


def units_with_times(utterance: Utterance) -> TimedUnits:
    """The units of an utterance; the time of a word is divided equally among its units."""
    timed = []
    for word in utterance.words:
        units = split_units(word.text)
        step = (word.end - word.start) / max(1, len(units))
        timed += [(unit, word.start + i * step, word.start + (i + 1) * step) for i, unit in enumerate(units)]
    return timed


def _exact(units: TimedUnits, wordings: Wordings) -> Iterator[tuple[int, Detection]]:
    text = _encode("exact", tuple(unit for unit, _, _ in units))
    for wording in wordings.entries:
        for found in wording.pattern.finditer(text):
            yield _candidate(wording, units, found.start(), found.end(), 100.0)


def _fuzzy(units: TimedUnits, wordings: Wordings) -> Iterator[tuple[int, Detection]]:
    code = _encode(wordings.kind, tuple(unit for unit, _, _ in units))
    texts = [entry.text for entry in wordings.entries]
    similar = process.extract(code, texts, scorer=fuzz.partial_ratio, score_cutoff=MIN_SCORE, limit=None)
    for text, score, index in similar:
        wording = wordings.entries[index]
        if len(text) > len(code):  # partial_ratio searches the shorter text in the longer one
            if (whole := fuzz.ratio(text, code)) >= MIN_SCORE:
                yield _candidate(wording, units, 0, len(units), whole)
        elif (found := fuzz.partial_ratio_alignment(text, code)) and found.dest_end > found.dest_start:
            yield _candidate(wording, units, found.dest_start, found.dest_end, score)


def _candidate(wording: Wording, units: TimedUnits, first: int, end: int, score: float) -> tuple[int, Detection]:
    """A candidate with its length in characters."""
    return len(wording.text), Detection(wording.owner, units[first][1], units[end - 1][2], score)
