"""Reads transcripts as utterances with word times: JSON lines, Vosk's results, SubRip and WebVTT."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from counter_listener.asr.json_turns import read_json_turns
from counter_listener.asr.subtitles import read_subtitles
from counter_listener.asr.turns import SPEAKERS, Turn, bad_line, spoken, unknown_names, with_prefixed_names
from counter_listener.domain import Sentence, Speaker, TranscriptError, Utterance, sentence

SUFFIXES: Final = frozenset({".jsonl", ".srt", ".vtt"})

Tell = Callable[[Sentence], None]
"""Called with what a user must know of a transcript that was read."""


def is_transcript(file: Path) -> bool:
    """Whether the file holds utterances as text, by its suffix."""
    return file.suffix.lower() in SUFFIXES


def read_transcript(
    path: Path, speakers: Mapping[str, Speaker] | None = None, tell: Tell = lambda _: None
) -> Iterator[Utterance]:
    """The utterances of a transcript in order of time, without those that have no word.

    A .jsonl file has a JSON object a line: an utterance with `start` and `end` in seconds, `text`, and optionally
    `words` and `speaker`; a result of Vosk; or the turns of one speaker. Without `words` the text is split into words,
    Chinese into characters, and the time is divided evenly among the characters. `speakers` says whom a name stands
    for. `tell` is called with what was left out or estimated. Raises TranscriptError, which names file and line, for
    the first fault.
    """
    counts: Counter[str] = Counter()
    if path.suffix.lower() == ".jsonl":
        turns = list(_in_order(path, read_json_turns(path, counts)))
    else:
        turns = list(read_subtitles(path))
    roles = {**SPEAKERS, **{name.lower(): role for name, role in (speakers or {}).items()}}
    turns = sorted(with_prefixed_names(turns, roles), key=lambda turn: turn.start)
    utterances = list(spoken(turns, roles))
    if not utterances:
        raise TranscriptError("{path} holds no utterance; give one JSON object a line, with words in it", path=path)
    for told in _told(counts, unknown_names(turns, roles)):
        tell(told)
    yield from utterances


def _in_order(path: Path, turns: Iterable[Turn]) -> Iterator[Turn]:
    """The same turns. Raises TranscriptError for one that starts before an earlier one of the same speaker."""
    last: dict[str | None, float] = {}
    for turn in turns:
        if turn.start < last.get(turn.name, 0.0):
            expected = sentence('"start" at or after {last:g}, where the line before starts', last=last[turn.name])
            raise bad_line(path, turn.line, expected)
        last[turn.name] = turn.start
        yield turn


def _told(counts: Mapping[str, int], names: Sentence | None) -> Iterator[Sentence]:
    if counts["partial"]:
        yield sentence("{count} partial results were left out; their final results count", count=counts["partial"])
    if counts["untimed"]:
        yield sentence(
            "{count} results have no times, so theirs were estimated; let Vosk give words (SetWords)",
            count=counts["untimed"],
        )
    if names:
        yield names
