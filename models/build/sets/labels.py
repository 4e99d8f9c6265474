"""What was said in a test recording, and when: labels for `counter-listener eval`, and the truth word by word.

Two files lie beside the recordings of a set. `labels.jsonl` has a line a recording, as eval reads it:
`{"file", "seconds", "said": [{"id", "start", "end", "optional"}]}`. `truth.jsonl` has all that was spoken:
`{"file", "condition", "lines": [{"speaker", "voice", "text", "kind", "characters": [[start, end], ...]}]}`.
Pure: strings and numbers in, strings and numbers out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

SLOT: Final = re.compile(r"\{([^{}]*)\}")
MARKS: Final = re.compile(r"[^\w{}]+")
"""Commas and spaces within a wording, which nobody hears."""
BEFORE: Final = 6.0
"""Seconds before an offence in which a context may excuse it: the matcher's own 4, and room for its word times."""
AFTER: Final = 4.5
"""Seconds after its end in which a context may excuse it: the matcher's own 4, and what a word's end may be off."""

Kind = Literal["phrase", "known", "new", "news"]
"""A wording of the phrase set, a sentence of the language model's text, one that is not, or read news."""
Span = tuple[float, float]
"""Start and end, in seconds."""
Role = Literal["said", "unless", "not_in"]
KEYS: Final[dict[str, Role]] = {"say": "said", "shared": "said", "unless": "unless", "not_in": "not_in"}
"""Keys of a phrase set that hold wordings, and what a wording of each does."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said, before anybody has said it."""

    speaker: Literal["clerk", "customer"]
    text: str
    """Characters alone, with what fills its slots."""
    kind: Kind
    owner: str | None = None
    """Id of the phrase or offence that it is a wording of."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing said, and when."""

    line: Line
    voice: str
    """The person, or espeak-ng's variant."""
    characters: tuple[Span, ...]
    """When each character of the text was said, in seconds into the recording."""

    @property
    def start(self) -> float:
        return self.characters[0][0]

    @property
    def end(self) -> float:
        return self.characters[-1][1]


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of a phrase set, ready to be looked for in text."""

    owner: str
    role: Role
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase or an offence that was said."""

    id: str
    start: float
    """Seconds into the recording."""
    end: float
    """Seconds into the recording."""
    optional: bool
    """Whether it may be found but need not be: it is only a part of something else, or excused."""


def tables(phrases: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The tables of a phrase set's TOML that hold wordings with an id of their own: phrases and offences."""
    stages = [*phrases["stage"], *(stage for scenario in phrases.get("scenario", ()) for stage in scenario["stage"])]
    yield from (phrase for stage in stages for phrase in stage.get("phrase", ()))
    yield from phrases.get("forbidden", ())


def wordings(phrases: Mapping[str, Any]) -> tuple[Wording, ...]:
    """All wordings of phrases and offences in a phrase set's TOML, contexts included."""
    slots = phrases.get("slots", {})
    return tuple(
        Wording(table["id"], role, _pattern(wording, slots))
        for table in tables(phrases)
        for key, role in KEYS.items()
        for wording in table.get(key, ())
    )


def plain(text: str) -> str:
    """Text without what nobody hears."""
    return MARKS.sub("", text)


def _pattern(wording: str, slots: Mapping[str, Mapping[str, int]]) -> re.Pattern[str]:
    parts = SLOT.split(plain(wording))
    for at in range(1, len(parts), 2):
        slot = slots[parts[at]]
        parts[at] = f".{{{slot.get('min', 1)},{slot.get('max', 4)}}}?"
    # Within a look-ahead, so that places which overlap are all found.
    return re.compile(f"(?=({''.join(part if at % 2 else re.escape(part) for at, part in enumerate(parts))}))")


def label(spoken: Sequence[Spoken], listed: Iterable[Wording]) -> tuple[Said, ...]:
    """What of a phrase set was said in one recording, in order of time.

    A line that was meant as a wording is owed. Wherever else a wording stands in the text, across lines too, it may
    be found but need not be. So may an owed one that is only a part of what another says, or whose context excuses it.
    What is only a part of a longer word (`not_in`) was not said.
    """
    text = "".join(one.line.text for one in spoken)
    times = [span for one in spoken for span in one.characters]
    places = {(found.start(1), found.end(1), word) for word in listed for found in word.pattern.finditer(text)}
    meant, at = set(), 0
    for one in spoken:
        if one.line.owner is not None:
            meant.add((at, at + len(one.line.text), one.line.owner))
        at += len(one.line.text)
    taken = [(first, last, word.owner) for first, last, word in places if word.role == "not_in"]
    said = {
        (first, last, word.owner)
        for first, last, word in places
        if word.role == "said" and not _taken(first, last, word.owner, taken)
    }
    contexts = [
        (times[first][0], times[last - 1][1], word.owner) for first, last, word in places if word.role == "unless"
    ]
    found = []
    for first, last, owner in said | meant:
        start, end = times[first][0], times[last - 1][1]
        part = any(_inside((first, last), other[:2]) and other[2] != owner for other in said)
        part |= _taken(first, last, owner, taken)
        excused = any(owner == other and b > start - BEFORE and a < end + AFTER for a, b, other in contexts)
        found.append(Said(owner, start, end, optional=(first, last, owner) not in meant or part or excused))
    return tuple(sorted(found, key=lambda one: (one.start, one.end, one.id)))


def _taken(first: int, last: int, owner: str, words: Iterable[tuple[int, int, str]]) -> bool:
    return any(owner == other and a <= first and last <= b for a, b, other in words)


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= span[0] and span[1] <= other[1] and span != other


def label_line(file: str, seconds: float, said: Iterable[Said]) -> str:
    """One line of labels.jsonl."""
    told = [
        {"id": one.id, "start": round(one.start, 3), "end": round(one.end, 3)}
        | ({"optional": True} if one.optional else {})
        for one in said
    ]
    return json.dumps({"file": file, "seconds": round(seconds, 3), "said": told}, ensure_ascii=False) + "\n"


def truth_line(file: str, condition: str, spoken: Iterable[Spoken]) -> str:
    """One line of truth.jsonl."""
    lines = [
        {
            "speaker": one.line.speaker,
            "voice": one.voice,
            "text": one.line.text,
            "kind": one.line.kind,
            "characters": [[round(start, 4), round(end, 4)] for start, end in one.characters],
        }
        for one in spoken
    ]
    return json.dumps({"file": file, "condition": condition, "lines": lines}, ensure_ascii=False) + "\n"
