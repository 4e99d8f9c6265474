"""Baselines to compare our matcher with: exact text, and rapidfuzz on characters or on toneless pinyin."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import fuzz, process

from counter_listener.domain import PhraseSet, Utterance
from counter_listener.evaluation.scoring import Detection
from counter_listener.phrases import (
    Choice,
    Gap,
    Node,
    Series,
    Template,
    Words,
    pronounce,
    split_units,
    template_reader,
)

Baseline = Literal["exact", "characters", "pinyin"]
BASELINES: Final[tuple[Baseline, ...]] = ("exact", "characters", "pinyin")
SYLLABLE_CODES: Final[dict[str, str]] = {}
"""One character for each syllable seen, so that a syllable is compared as a whole; comparing letters is much slower."""
DRAWN: Final = 12
"""Sentences of a template that rapidfuzz knows: it cannot read templates."""
NOTHING: Final = re.compile("(?!)")
"""The pattern of wordings that are compared: to compile those of all templates takes ten seconds."""
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
    """For exact text: every sentence of its template to the letter; a slot matches as many characters as it allows."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """All wordings of a phrase set, prepared for one baseline: for exact text one of each template."""

    kind: Baseline
    entries: tuple[Wording, ...]


def prepare_baseline(kind: Baseline, phrases: PhraseSet) -> Wordings:
    """The wordings of all phrases and offences, without their contexts (`unless`, `not_in`)."""
    owners = [phrase for phrase, _ in phrases.phrases()] + list(phrases.forbidden)
    read = template_reader(phrases).read
    entries = tuple(
        Wording(owner.id, _encode(kind, split_units(sentence)), pattern)
        for owner in owners
        for template in map(read, (*owner.say, *owner.shared))
        for pattern in (re.compile(_pattern(template.node)) if kind == "exact" else NOTHING,)
        for sentence in dict.fromkeys(_drawn(template, 1 if kind == "exact" else DRAWN))
        if split_units(sentence)
    )
    return Wordings(kind, entries)


def _encode(kind: Baseline, units: tuple[str, ...]) -> str:
    """One character for each unit; a word in letters becomes a character that no wording contains."""
    if kind == "pinyin":
        return "".join(
            SYLLABLE_CODES.setdefault(syllable, chr(0x100 + len(SYLLABLE_CODES))) for syllable in pronounce(units)
        )
    return "".join(unit if len(unit) == 1 else "\x01" for unit in units)


def _drawn(template: Template, most: int) -> Iterator[str]:
    """Some sentences of a template, always the same, without slots."""
    rng = random.Random(template.text)  # noqa: S311 - reproducible draws, not secrets
    return (template.draw(rng, fill="") for _ in range(min(most, template.sentences)))


def _pattern(node: Node | None) -> str:
    """A regular expression of all sentences of a template, the longer of two words first."""
    match node:
        case Words():
            words = sorted(("".join(map(re.escape, units)) for units in node.options), key=len, reverse=True)
            return f"(?:{'|'.join(words)})"
        case Gap():
            return f".{{{node.min},{node.max}}}?"
        case Series():
            return "".join(map(_pattern, node.parts))
        case Choice():
            return f"(?:{'|'.join(map(_pattern, node.parts))})"
    return ""


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
            if found[0]:
                _, detection = _candidate(wording, units, found.start(), found.end(), 100.0)
                yield len(found[0]), detection


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
