"""The turns of a transcript in JSON lines: ours, Vosk's results, and turns grouped by speaker."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from counter_listener.asr.turns import Turn, bad_line, plain_text, split_words
from counter_listener.domain import (
    TranscriptError,
    Word,
    json_object,
    numbered_lines,
    read_seconds,
    sentence,
)

EXAMPLE: Final = '{"start": 0, "end": 1.5, "text": "您好"}'
GROUPS: Final = ("turns", "utterances", "segments")
"""Keys of a line that holds the turns of one speaker."""
UNIT_SECONDS: Final = 0.25
"""The usual length of a Chinese syllable, for a text without times."""
PAUSE_SECONDS: Final = 0.5
"""Between two texts without times: enough to end a clause. Both are short, so that nobody is late by an estimate."""
UNKNOWN_WORD: Final = "[unk]"
_SLACK: Final = 0.5
"""Seconds by which a word may be outside its utterance, because tools round times."""
_SOUND: Final = re.compile(r"[^\W_]")


def read_json_turns(path: Path, counts: Counter[str]) -> Iterator[Turn]:
    """The turns of a file, in its order. Raises TranscriptError, which names the line.

    `counts` is told how many lines were `partial` results, which are left out, and how many turns were `untimed`.
    """
    now = 0.0
    for number, record in _records(path):
        try:
            if "partial" in record and not {"text", "result", "start"} & set(record):
                counts["partial"] += 1
                continue
            for turn in _turns(record, now):
                counts["untimed"] += not turn.timed
                now = max(now, turn.end)
                yield replace(turn, line=number)
        except ValueError as error:
            raise bad_line(path, number, error.args[0]) from error


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The JSON objects of a file, each with the number of its line. One may take several lines, as Vosk prints it."""
    opened: list[str] = []
    first = depth = 0
    for number, line in numbered_lines(path, TranscriptError):
        if not opened and line != "{":
            yield number, _parsed(path, number, line)
            continue
        first = first if opened else number
        opened.append(line)
        depth += line.count("{") - line.count("}")
        if not depth:
            yield first, _parsed(path, first, " ".join(opened))
            opened = []
    if opened:
        yield first, _parsed(path, first, " ".join(opened))


def _parsed(path: Path, number: int, text: str) -> Mapping[str, object]:
    try:
        return json_object(text, EXAMPLE)
    except ValueError as error:
        raise bad_line(path, number, error.args[0]) from error


def _turns(record: Mapping[str, object], now: float) -> Iterator[Turn]:
    """The turns of one line; `now` is the end of what came before. Raises ValueError."""
    name = _name(record)
    key = next((key for key in GROUPS if isinstance(record.get(key), list)), None)
    if key is None:
        if turn := _single_turn(record, now):
            yield replace(turn, name=name)
        return
    group = record[key]
    for inner in group if isinstance(group, list) else ():
        if not isinstance(inner, dict):
            raise ValueError(sentence('each of "{key}" to be like {example}', key=key, example=EXAMPLE))  # noqa: TRY004
        for turn in _turns(inner, now):
            yield turn if turn.name else replace(turn, name=name)
            now = max(now, turn.end)


def _single_turn(record: Mapping[str, object], now: float) -> Turn | None:
    """The turn of a line that is no group; None for a result of Vosk without a word."""
    alternatives = record.get("alternatives")
    if isinstance(alternatives, list) and alternatives and isinstance(alternatives[0], dict):
        record = alternatives[0]  # the most likely one
    if "start" in record or "end" in record:
        return _own_turn(record)
    if "result" in record:
        return _vosk_turn(record["result"])
    if isinstance(text := record.get("text"), str):
        return _untimed(plain_text(text), now) if plain_text(text) else None
    return _own_turn(record)


def _own_turn(record: Mapping[str, object]) -> Turn:
    start, end = _times(record)
    words = record.get("words")
    if not isinstance(words, list | None):
        raise ValueError(sentence('"words" to be a list of {{"word": ..., "start": ..., "end": ...}}'))  # noqa: TRY004
    if words:
        return Turn(start, end, words=_given_words(words, start, end))
    return Turn(start, end, _text(record, "text"))


def _vosk_turn(result: object) -> Turn | None:
    """The turn of a result with words; None if it holds no word."""
    if not isinstance(result, list):
        raise ValueError(sentence('"result" to be a list of {{"word": ..., "start": ..., "end": ...}}'))  # noqa: TRY004
    words = [word for word in result if not isinstance(word, dict) or word.get("word") != UNKNOWN_WORD]
    times = [_times(word) for word in words if isinstance(word, dict)]
    start, end = min((first for first, _ in times), default=0.0), max((last for _, last in times), default=0.0)
    given = _given_words(words, start, end)
    return Turn(start, end, words=given) if given else None


def _untimed(text: str, now: float) -> Turn:
    """A turn after `now` (seconds), of usual length."""
    start = now + PAUSE_SECONDS if now else 0.0
    return Turn(start, start + UNIT_SECONDS * len(split_words(text, 0.0, 0.0)), text, timed=False)


def _name(record: Mapping[str, object]) -> str | None:
    name = record.get("speaker")
    if isinstance(name, bool) or not isinstance(name, str | int | None):
        raise ValueError(sentence('"speaker" to be a name'))  # noqa: TRY004 - the user's data has the wrong type
    return None if name is None else plain_text(str(name)) or None


def _times(record: Mapping[str, object]) -> tuple[float, float]:
    start, end = read_seconds(record, "start"), read_seconds(record, "end")
    if end < start:
        raise ValueError(sentence('"end" at or after "start", not {end:g} after {start:g}', end=end, start=start))
    return start, end


def _text(record: Mapping[str, object], *keys: str) -> str:
    text = next((record[key] for key in keys if key in record), None)
    if not isinstance(text, str):
        raise ValueError(sentence('"{key}" to be a text', key=keys[0]))  # noqa: TRY004
    return plain_text(text)


def _given_words(words: Iterable[object], start: float, end: float) -> tuple[Word, ...]:
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
            timed.append(Word(text, min(max(first, start), end), min(max(final, start), end), _confidence(word)))
        elif timed and text:  # punctuation alone is added to the end of the word before it
            timed[-1] = replace(timed[-1], text=timed[-1].text + text)
    return tuple(timed)


def _confidence(word: Mapping[str, object]) -> float:
    """The confidence of a word, 0-1; 1 if none is given."""
    value = word.get("conf", word.get("confidence"))
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if usable and isinstance(value, int | float) else 1.0
