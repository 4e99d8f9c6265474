"""What was said in a test recording, and when: labels for `counter-listener eval`, and the true text with its times.

Two files lie next to the recordings of a set. `labels.jsonl` has one line per recording, in the format that eval reads:
`{"file", "seconds", "said": [{"id", "start", "end", "optional"}]}`. `truth.jsonl` has everything that was spoken:
`{"file", "condition", "lines": [{"speaker", "voice", "text", "kind", "characters": [[start, end], ...]}]}`.
The functions are pure: they neither read nor write files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from models.build.errors import BuildError

SLOT: Final = re.compile(r"\{([^{}]*)\}")
TEMPLATE: Final = re.compile(r"[(|\[<;]")
"""Marks of a template that is not a plain sentence."""
MARKS: Final = re.compile(r"[^\w{}]+")
"""Punctuation and spaces in a wording, which have no sound."""
BEFORE: Final = 6.0
"""Seconds before an offence in which a context may excuse it: the matcher's 4, and a margin for its word times."""
AFTER: Final = 4.5
"""Seconds after its end in which a context may excuse it: the matcher's 4, and a margin for the end of a word."""

Kind = Literal["phrase", "known", "new", "news"]
"""A wording of the phrase set, a sentence in the text of the language model, one that is not in it, or read news."""
Span = tuple[float, float]
"""Start and end, in seconds."""
Match = tuple[int, int, str]
"""First character, the character after the last, and the id of a phrase or an offence."""
Role = Literal["said", "unless", "not_in"]
KEYS: Final[dict[str, Role]] = {"say": "said", "shared": "said", "unless": "unless", "not_in": "not_in"}
"""The keys of a phrase set that contain wordings, and the role of their wordings."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a script, before it is spoken."""

    speaker: Literal["clerk", "customer"]
    text: str
    """Characters only, with values in its slots."""
    kind: Kind
    owner: str | None = None
    """Id of the phrase or offence whose wording it is."""


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line as it was spoken, with times."""

    line: Line
    voice: str
    """The person, or espeak-ng's variant."""
    characters: tuple[Span, ...]
    """When each character of the text was spoken, in seconds into the recording."""

    @property
    def start(self) -> float:
        return self.characters[0][0]

    @property
    def end(self) -> float:
        return self.characters[-1][1]


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of a phrase set as a pattern that finds it in text."""

    owner: str
    role: Role
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class SaidPhrase:
    """A phrase or an offence that was said."""

    id: str
    start: float
    """Seconds into the recording."""
    end: float
    """Seconds into the recording."""
    optional: bool
    """Whether finding it is neither required nor an error: it is part of something else, or excused."""


def tables(phrases: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The tables in the TOML of a phrase set that have an id and wordings: phrases and offences."""
    stages = [*phrases["stage"], *(stage for scenario in phrases.get("scenario", ()) for stage in scenario["stage"])]
    yield from (phrase for stage in stages for phrase in stage.get("phrase", ()))
    yield from phrases.get("forbidden", ())


def wording_patterns(phrases: Mapping[str, Any]) -> tuple[Wording, ...]:
    """All wordings of phrases and offences in the TOML of a phrase set, including contexts.

    Raises BuildError for a template: the sets need plain sentences, which may have slots.
    """
    slots = phrases.get("slots", {})
    return tuple(
        Wording(table["id"], role, _pattern(wording, slots))
        for table in tables(phrases)
        for key, role in KEYS.items()
        for wording in table.get(key, ())
    )


def plain(text: str) -> str:
    """Text without the marks that have no sound."""
    return MARKS.sub("", text)


def _pattern(wording: str, slots: Mapping[str, Mapping[str, int]]) -> re.Pattern[str]:
    if TEMPLATE.search(wording) or not slots.keys() >= set(SLOT.findall(wording)):
        raise BuildError(f"{wording!r} is a template; the test sets need plain sentences, which may have slots.")
    parts = SLOT.split(plain(wording))
    for index in range(1, len(parts), 2):
        slot = slots[parts[index]]
        parts[index] = f".{{{slot.get('min', 1)},{slot.get('max', 4)}}}?"
    # A look-ahead, so that overlapping matches are all found.
    return re.compile(f"(?=({''.join(part if index % 2 else re.escape(part) for index, part in enumerate(parts))}))")


def label(spoken: Sequence[SpokenLine], wordings: Iterable[Wording]) -> tuple[SaidPhrase, ...]:
    """The phrases and offences that were said in one recording, in order of time.

    A line that is a wording of a phrase is owed. A wording that occurs anywhere else in the text, also across lines, is
    optional. So is an owed one that is only part of another wording, or that is excused by its context. What is only
    part of a longer word (`not_in`) was not said.
    """
    text = "".join(line.line.text for line in spoken)
    times = [span for line in spoken for span in line.characters]
    intended = _intended(spoken)
    matches = {(match.start(1), match.end(1), word) for word in wordings for match in word.pattern.finditer(text)}
    longer_words = [(first, last, word.owner) for first, last, word in matches if word.role == "not_in"]
    said = {
        (first, last, word.owner)
        for first, last, word in matches
        if word.role == "said" and not _in_longer_word((first, last, word.owner), longer_words)
    }
    contexts = [
        (times[first][0], times[last - 1][1], word.owner) for first, last, word in matches if word.role == "unless"
    ]
    phrases = []
    for match in said | intended:
        first, last, owner = match
        start, end = times[first][0], times[last - 1][1]
        part = any(_is_part(match, other) and other[2] != owner for other in said)
        part |= _in_longer_word(match, longer_words)
        excused = any(owner == other and b > start - BEFORE and a < end + AFTER for a, b, other in contexts)
        phrases.append(SaidPhrase(owner, start, end, optional=match not in intended or part or excused))
    return tuple(sorted(phrases, key=lambda phrase: (phrase.start, phrase.end, phrase.id)))


def _intended(spoken: Iterable[SpokenLine]) -> set[Match]:
    """The lines that are wordings of a phrase or an offence."""
    intended, first = set(), 0
    for line in spoken:
        last = first + len(line.line.text)
        if line.line.owner is not None:
            intended.add((first, last, line.line.owner))
        first = last
    return intended


def _in_longer_word(match: Match, longer_words: Iterable[Match]) -> bool:
    first, last, owner = match
    return any(owner == other and a <= first and last <= b for a, b, other in longer_words)


def _is_part(match: Match, other: Match) -> bool:
    return other[0] <= match[0] and match[1] <= other[1] and match[:2] != other[:2]


def label_line(file: str, seconds: float, said: Iterable[SaidPhrase]) -> str:
    """One line of labels.jsonl."""
    phrases = [
        {"id": phrase.id, "start": round(phrase.start, 3), "end": round(phrase.end, 3)}
        | ({"optional": True} if phrase.optional else {})
        for phrase in said
    ]
    return json.dumps({"file": file, "seconds": round(seconds, 3), "said": phrases}, ensure_ascii=False) + "\n"


def truth_line(file: str, condition: str, spoken: Iterable[SpokenLine]) -> str:
    """One line of truth.jsonl."""
    lines = [
        {
            "speaker": line.line.speaker,
            "voice": line.voice,
            "text": line.line.text,
            "kind": line.line.kind,
            "characters": [[round(start, 4), round(end, 4)] for start, end in line.characters],
        }
        for line in spoken
    ]
    return json.dumps({"file": file, "condition": condition, "lines": lines}, ensure_ascii=False) + "\n"
