"""Reads transcripts, with one utterance per line, as utterances with word times."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from counter_listener.domain import (
    Speaker,
    TranscriptError,
    Utterance,
    Word,
    json_object,
    numbered_lines,
    read_seconds,
    sentence,
)

SUFFIX: Final = ".jsonl"
EXAMPLE: Final = '{"start": 0, "end": 1.5, "text": "您好"}'
_SLACK: Final = 0.5
"""Seconds by which a word may be outside its utterance, because tools round times."""
_SPEAKERS: Final[Mapping[Speaker, tuple[str | None, ...]]] = {
    "clerk": ("clerk", "柜员"),
    "customer": ("customer", "客户"),
    "unknown": ("unknown", None),
}
_CJK: Final = (
    r"々〇\u2e80-\u2fdf\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_RUN: Final = rf"(?:(?![{_CJK}])[^\W_])+"
# Within a run, a full stop, comma, colon or slash belongs to a number, and an apostrophe or hyphen to a word.
_JOINT: Final = r"(?:(?<=\d)[.,:/](?=\d)|['’&@_-])"
_WORD: Final = re.compile(rf"([{_CJK}]|{_RUN}(?:{_JOINT}{_RUN})*)((?: ?(?:[^\w\s]|_))*)")
_SOUND: Final = re.compile(r"[^\W_]")


def is_transcript(file: Path) -> bool:
    """Whether the file holds utterances as text, by its suffix."""
    return file.suffix.lower() == SUFFIX


def read_transcript(path: Path) -> Iterator[Utterance]:
    """Yields the utterances of a transcript in time order, without those that have no word.

    Each line is a JSON object with `start` and `end` in seconds, `text`, and optionally `words` and `speaker`. Without
    `words` the text is split into words, Chinese into characters, and the time is divided evenly among the characters.
    Raises TranscriptError, which names file and line, at the first line that is different.
    """
    last, empty = 0.0, True
    for number, line in numbered_lines(path, TranscriptError):
        try:
            utterance = _utterance(json_object(line, EXAMPLE))
            if utterance.start < last:
                raise ValueError(sentence('"start" at or after {last:g}, where the line before starts', last=last))  # noqa: TRY301
        except ValueError as error:
            raise TranscriptError(
                "{path}, line {number}: expected {error}", path=path, number=number, error=error.args[0]
            ) from error
        last = utterance.start
        if utterance.words:
            empty = False
            yield utterance
    if empty:
        raise TranscriptError("{path} holds no utterance; give one JSON object a line, with words in it", path=path)


def _utterance(record: Mapping[str, object]) -> Utterance:
    start, end = _times(record)
    words = record.get("words")
    if not isinstance(words, list | None):
        raise ValueError(sentence('"words" to be a list of {{"word": ..., "start": ..., "end": ...}}'))  # noqa: TRY004
    timed = _given_words(words, start, end) if words else _split_words(_text(record, "text"), start, end)
    speaker = next((speaker for speaker, names in _SPEAKERS.items() if record.get("speaker") in names), None)
    if speaker is None:
        raise ValueError(sentence('"speaker" to be "clerk", "customer" or "unknown"'))
    return Utterance(start, end, timed, speaker)


def _times(record: Mapping[str, object]) -> tuple[float, float]:
    start, end = read_seconds(record, "start"), read_seconds(record, "end")
    if end < start:
        raise ValueError(sentence('"end" at or after "start", not {end:g} after {start:g}', end=end, start=start))
    return start, end


def _text(record: Mapping[str, object], *keys: str) -> str:
    """The first text, without characters that control a terminal, and with single spaces as white space."""
    text = next((record[key] for key in keys if key in record), None)
    if not isinstance(text, str):
        raise ValueError(sentence('"{key}" to be a text', key=keys[0]))  # noqa: TRY004
    if not text.isprintable():
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return " ".join(unicodedata.normalize("NFC", text).split())


def _given_words(words: list[object], start: float, end: float) -> tuple[Word, ...]:
    timed: list[Word] = []
    last = start - _SLACK
    for word in words:
        if not isinstance(word, dict):
            raise ValueError(sentence('each of "words" to be like {{"word": "您好", "start": 0, "end": 0.5}}'))  # noqa: TRY004
        first, final = _times(word)
        if not last <= first <= final <= end + _SLACK:
            raise ValueError(
                sentence('"words" in time order, within their utterance; the one at {first:g} is not', first=first)
            )
        last = first
        text = _text(word, "word", "text")
        if _SOUND.search(text):
            timed.append(Word(text, min(max(first, start), end), min(max(final, start), end)))
        elif timed and text:  # punctuation alone is added to the end of the word before it
            timed[-1] = Word(timed[-1].text + text, timed[-1].start, timed[-1].end)
    return tuple(timed)


def _split_words(text: str, start: float, end: float) -> tuple[Word, ...]:
    found = list(_WORD.finditer(text))
    sizes = [len(word[1]) for word in found]
    total = sum(sizes) or 1
    edges = [start + (end - start) * done / total for done in accumulate(sizes, initial=0)]
    edges[-1] = end
    return tuple(
        Word(word[1] + word[2].replace(" ", ""), min(first, end), min(final, end))
        for word, (first, final) in zip(found, pairwise(edges), strict=True)
    )
