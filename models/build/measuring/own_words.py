"""Clerks in their own words: what is found in a sentence as text, and when it is spoken."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from counter_listener.domain import MatchedUtterance, Prior, Speaker, Utterance, wilson_interval
from counter_listener.judging import counted_findings, typed_utterance
from counter_listener.matching import Matcher, find_in_utterance
from models.build.errors import BuildError

SENTENCES: Final = "sentences.jsonl"
"""File in a set of spoken sentences, with one line for each recording."""
ACCUSATIONS: Final = ("offence", "rule")


class Sentence(NamedTuple):
    """One line of a round."""

    kind: str
    """`owed`, `rude` or `innocent`."""
    meaning: str
    """The id of a phrase; for an innocent sentence who speaks: `clerk` or `customer`."""
    character: str
    text: str


class Found(NamedTuple):
    """What the program finds in a sentence."""

    phrases: frozenset[str]
    accused: bool
    """Whether there is an offence or a broken rule."""


@dataclass(frozen=True, slots=True)
class SpokenSentence:
    """A sentence of a round and its recording."""

    sentence: Sentence
    path: Path
    voice: str
    characters: tuple[tuple[float, float], ...]
    """Start and end of each character, in seconds into the recording."""


def read_round(file: Path) -> list[Sentence]:
    """The sentences of a round, a TSV file with a head. Raises BuildError."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [Sentence(*row) for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]
    except (OSError, UnicodeDecodeError, TypeError) as error:
        raise BuildError(f"{file} is not a round of sentences with four columns ({error}).") from None


def read_spoken(folder: Path) -> list[SpokenSentence]:
    """The recordings of a set of spoken sentences. Raises BuildError."""
    file = folder / SENTENCES
    try:
        records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}); make the sets with python -m models.build.sets.") from None
    return [
        SpokenSentence(
            Sentence(*(record[name] for name in Sentence._fields)),
            folder / record["file"],
            record["voice"],
            tuple((start, end) for start, end in record["characters"]),
        )
        for record in records
    ]


def speaker_of(sentence: Sentence) -> Speaker:
    """Who speaks a sentence."""
    return cast("Speaker", sentence.meaning if sentence.kind == "innocent" else "clerk")


def find(matcher: Matcher, sentence: Sentence, utterances: Iterable[Utterance], speaker: Speaker) -> Found:
    """What is found in the utterances of a sentence. What is owed only after a complaint is said after one."""
    prior: Prior = "scenario" if sentence.meaning in matcher.scenario_phrases else "nothing"
    phrases: set[str] = set()
    accused = False
    for utterance in utterances:
        said = replace(utterance, speaker=speaker)
        hits = list(counted_findings(MatchedUtterance(said, find_in_utterance(matcher, said, (), prior), 0)))
        phrases |= {hit.owner for kind, hit in hits if kind == "phrase"}
        accused |= any(
            kind in ACCUSATIONS and not hit.followed and hit.frame is None and not (hit.shared and speaker == "unknown")
            for kind, hit in hits
        )
    return Found(frozenset(phrases), accused)


def find_as_text(matcher: Matcher, sentence: Sentence) -> Found:
    """What is found in a sentence that is written without errors."""
    speaker = speaker_of(sentence)
    return find(matcher, sentence, [typed_utterance(sentence.text, speaker)], speaker)


def is_right(sentence: Sentence, found: Found) -> bool:
    """Whether an owed sentence was found as its phrase, or a rude one accused."""
    return found.accused if sentence.kind == "rude" else sentence.meaning in found.phrases


def own_words_figures(
    sentences: Sequence[SpokenSentence], as_text: Sequence[Found], in_sound: Sequence[Found], required: frozenset[str]
) -> dict[str, Any]:
    """The figures of a spoken round: end to end, of what is found as text the share found in sound, and by voice."""
    rows = [
        (one, is_right(one.sentence, text), is_right(one.sentence, sound), sound)
        for one, text, sound in zip(sentences, as_text, in_sound, strict=True)
    ]
    kinds: Mapping[str, Callable[[Sentence], bool]] = {
        "owed": lambda one: one.kind == "owed",
        "required": lambda one: one.kind == "owed" and one.meaning in required,
        "rude": lambda one: one.kind == "rude",
    }
    figures: dict[str, Any] = {}
    for name, belongs in kinds.items():
        chosen = [row for row in rows if belongs(row[0].sentence)]
        figures[name] = {
            "end_to_end": share(sound for _, _, sound, _ in chosen),
            "as_text": share(text for _, text, _, _ in chosen),
            "of_text": share(sound for _, text, sound, _ in chosen if text),
            "voices": {
                voice: share(sound for one, _, sound, _ in chosen if one.voice == voice)
                for voice in sorted({one.voice for one in sentences})
            },
        }
    innocent = [sound for one, _, _, sound in rows if one.sentence.kind == "innocent"]
    figures["innocent"] = {
        "taken": share(bool(found.phrases) or found.accused for found in innocent),
        "accused": share(found.accused for found in innocent),
    }
    return figures


def share(values: Iterable[bool]) -> dict[str, Any]:
    """How many are true, of how many, the share and its 95 % interval."""
    listed = list(values)
    low, high = wilson_interval(sum(listed), len(listed)) if listed else (0.0, 1.0)
    return {"hits": sum(listed), "of": len(listed), "share": sum(listed) / max(1, len(listed)), "share_95": [low, high]}
