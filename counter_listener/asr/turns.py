"""A turn of a transcript as it is written, its speaker, and its words with their times."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from counter_listener.domain import Sentence, Speaker, Timing, TranscriptError, Utterance, Word, printable, sentence

SPEAKERS: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(("clerk", "柜员", "坐席", "客服", "agent", "teller"), "clerk"),
    **dict.fromkeys(("customer", "客户", "顾客", "caller"), "customer"),
    "unknown": "unknown",
}
"""Whom a name stands for, in lower case, unless the user says otherwise."""
MAX_NAMES: Final = 6
"""Speakers of a transcript that are known by no other sign than that many turns begin with their names."""
NAMED_SHARE, NAMED_TURNS = 0.5, 4
"""Share of the turns, and number of turns, that must begin with a name and a colon, for these to be names."""
SHOWN_NAMES: Final = 5
PREFIX: Final = re.compile(
    r"\s*(?:\[([^\]\s]{1,20})\]|【([^】\s]{1,20})】|([^\s:：,，。！？!?]{1,20})\s*[:：])\s*(?=\S)"
)
_CJK: Final = (
    r"々〇\u2e80-\u2fdf\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_RUN: Final = rf"(?:(?![{_CJK}])[^\W_])+"
# Within a run, a full stop, comma, colon or slash belongs to a number, and an apostrophe or hyphen to a word.
_JOINT: Final = r"(?:(?<=\d)[.,:/](?=\d)|['’&@_-])"
_WORD: Final = re.compile(rf"([{_CJK}]|{_RUN}(?:{_JOINT}{_RUN})*)((?: ?(?:[^\w\s]|_))*)")


def bad_line(path: Path, number: int, expected: Sentence) -> TranscriptError:
    """The error for a line that is not as it should be."""
    return TranscriptError("{path}, line {number}: expected {error}", path=path, number=number, error=expected)


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said, as a transcript has it. Times are seconds."""

    start: float
    end: float
    text: str = ""
    words: tuple[Word, ...] = ()
    """If the transcript gives them; else the text is split."""
    name: str | None = None
    """The speaker's."""
    timed: bool = True
    """Whether the transcript gives its times; else they are estimated."""
    line: int = 0
    """Where it stands in the file."""


def plain_text(text: str) -> str:
    """The text without characters that control a terminal, and with single spaces as white space."""
    if not text.isprintable():
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return " ".join(unicodedata.normalize("NFC", text).split())


def split_words(text: str, start: float, end: float) -> tuple[Word, ...]:
    """The words of a text, Chinese ones by character; the time is divided evenly among the characters."""
    found = list(_WORD.finditer(text))
    edges = divided(start, end, [len(word[1]) for word in found])
    return tuple(
        Word(word[1] + word[2].replace(" ", ""), min(first, end), min(final, end))
        for word, (first, final) in zip(found, pairwise(edges), strict=True)
    )


def divided(start: float, end: float, sizes: Sequence[int]) -> list[float]:
    """The edges of parts of these sizes in a stretch of time."""
    total = sum(sizes) or 1
    edges = [start + (end - start) * done / total for done in accumulate(sizes, initial=0)]
    edges[-1] = end
    return edges


def with_prefixed_names(turns: Sequence[Turn], known: Iterable[str]) -> list[Turn]:
    """The turns, those that begin with their speaker's name (坐席：您好) with that name instead.

    A name is one that is `known`, or any if most turns begin with one of a few.
    """
    found = [None if turn.name is not None or turn.words else PREFIX.match(turn.text) for turn in turns]
    names = Counter(_name(match) for match in found if match)
    if len(names) > MAX_NAMES or names.total() < max(NAMED_TURNS, NAMED_SHARE * len(turns)):
        names = Counter(name for name in names if name.lower() in {one.lower() for one in known})
    return [
        replace(turn, name=_name(match), text=turn.text[match.end() :]) if match and _name(match) in names else turn
        for turn, match in zip(turns, found, strict=True)
    ]


def _name(match: re.Match[str]) -> str:
    return match[1] or match[2] or match[3]


def spoken(turns: Iterable[Turn], roles: Mapping[str, Speaker]) -> Iterator[Utterance]:
    """The utterances of turns with words in them; `roles` says whom a name stands for."""
    for turn in turns:
        words = turn.words or split_words(turn.text, turn.start, turn.end)
        if words:
            timing: Timing = "none" if not turn.timed else "words" if turn.words else "turn"
            yield Utterance(turn.start, turn.end, words, _role(turn.name, roles) or "unknown", timing=timing)


def unknown_names(turns: Iterable[Turn], roles: Mapping[str, Speaker]) -> Sentence | None:
    """What to tell of names of which nobody said whom they stand for; None if there are none."""
    names = dict.fromkeys(turn.name for turn in turns if turn.name and _role(turn.name, roles) is None)
    shown = ", ".join(printable(str(name)) for name in list(names)[:SHOWN_NAMES])
    if not names:
        return None
    return sentence(
        "no role is known for the speakers {names}, so theirs are words of an unknown speaker; add --speakers"
        " clerk={first}",
        names=shown + (" …" if len(names) > SHOWN_NAMES else ""),
        first=next(iter(names)),
    )


def _role(name: str | None, roles: Mapping[str, Speaker]) -> Speaker | None:
    return "unknown" if name is None else roles.get(name.lower())
