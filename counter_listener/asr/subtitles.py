"""The turns of a transcript in subtitles: SubRip (.srt) and WebVTT (.vtt)."""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import dropwhile, pairwise
from pathlib import Path
from typing import Final

from counter_listener.asr.turns import PREFIX, Turn, bad_line, divided, plain_text
from counter_listener.domain import TranscriptError, read_text, sentence

MAX_BYTES: Final = 20_000_000
CUE: Final = "00:00:01.000 --> 00:00:02.500"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_TIME: Final = r"(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}"
_TIMES: Final = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?!\d)", re.ASCII)
_ARROW: Final = re.compile(r"\s*\d\S*\s*[-–—=]+>", re.ASCII)
_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]+)*\s+([^<>]+)>|(</v>)")
_TAG: Final = re.compile(r"<[^<>]*>")
_DASH: Final = re.compile(r"\s*[-–—]\s?(?=\S)")

Piece = tuple[str | None, str]
"""What one person says within a cue: a name, if there is one, and the text."""


def read_subtitles(path: Path) -> Iterator[Turn]:
    """The turns of a .srt or .vtt file, in its order. Raises TranscriptError, which names the line."""
    import webvtt

    form = path.suffix.lower().removeprefix(".")
    lines = _LINE_END.split(read_text(path, TranscriptError, MAX_BYTES))
    times = list(_checked(path, lines, form))
    written = list(dropwhile(lambda line: not line.strip(), lines))
    try:
        captions = webvtt.from_buffer(written, format=form).captions if times else []
    except (webvtt.errors.MalformedFileError, webvtt.errors.MalformedCaptionError):
        raise bad_line(path, times[0], sentence("times like {example}", example=CUE)) from None
    for caption in captions:
        start, end = (time.in_milliseconds() / 1000 for time in (caption.start_time, caption.end_time))
        yield from _turns(start, end, _pieces(caption.lines))


def _checked(path: Path, lines: list[str], form: str) -> Iterator[int]:
    """The numbers of the lines with the times of a cue. Raises TranscriptError for one that a reader would skip."""
    first = next((number for number, line in enumerate(lines, start=1) if line.strip()), 0)
    if form == "vtt" and first and not lines[first - 1].startswith("WEBVTT"):
        raise bad_line(path, first, sentence("WEBVTT, with which such a file begins"))
    for number, line in enumerate(lines, start=1):
        if times := _TIMES.match(line):
            if _seconds(times[2]) < _seconds(times[1]):
                raise bad_line(path, number, sentence("an end at or after the start"))
            if form == "srt" and not (number > 1 and lines[number - 2].strip().isdecimal()):
                raise bad_line(path, number, sentence("the number of the subtitle in the line before its times"))
            yield number
        elif _ARROW.match(line):
            raise bad_line(path, number, sentence("times like {example}", example=CUE))


def _seconds(time: str) -> float:
    seconds = 0.0
    for part in time.replace(",", ".").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _pieces(lines: Iterable[str]) -> Iterator[Piece]:
    """What each person says in a cue: a voice tag, a dash or a name at the beginning of a line begins a new piece."""
    name: str | None = None
    text = ""
    for line in lines:
        dash = _DASH.match(line)
        if dash or PREFIX.match(_TAG.sub("", line)):
            yield name, text
            name, text = None, ""
        rest = line[dash.end() :] if dash else line
        at = 0
        for tag in _VOICE.finditer(rest):
            text += rest[at : tag.start()]
            yield name, text
            name, text, at = tag[1], "", tag.end()
        text += rest[at:] + " "
    yield name, text


def _turns(start: float, end: float, pieces: Iterable[Piece]) -> Iterator[Turn]:
    """The pieces of a cue with their shares of its time."""
    texts = [(name, plain_text(html.unescape(_TAG.sub("", text)))) for name, text in pieces]
    said = [(name and plain_text(name), text) for name, text in texts if text]
    edges = divided(start, end, [len(text) for _, text in said])
    for (name, text), (first, last) in zip(said, pairwise(edges), strict=True):
        yield Turn(first, last, text, name=name)
