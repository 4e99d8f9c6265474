"""Transcripts stored next to the record if the user asks for it: one file per recording, with numbers masked.

They are judged again with another phrase set to see which verdicts would change.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from counter_listener.batch.check import CheckResult
from counter_listener.domain import (
    LONG_NUMBER,
    Gap,
    RecordError,
    Sound,
    Timing,
    TranscriptError,
    Utterance,
    Word,
    companion,
    json_line,
    numbered_lines,
    system_reason,
)
from counter_listener.judging import VerdictChange, verdict_changes
from counter_listener.matching import Matcher
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import RecordingRow, iso

if TYPE_CHECKING:
    from counter_listener.record import Record

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
MASK: Final = "零"
"""Replaces each digit of a long number, so that the text keeps its length and its syllables."""


@dataclass(frozen=True, slots=True)
class StoredTranscript:
    """What was recognised in a recording, as it was stored."""

    sha256: str
    seconds: float
    model: str
    options: Mapping[str, object]
    items: tuple[Utterance | Gap, ...]


def transcripts_folder(record: Path) -> Path:
    """The folder next to a record in which its transcripts are stored."""
    return companion(record, "transcripts")


def store_transcript(folder: Path, result: CheckResult, options: Mapping[str, object]) -> None:
    """Writes what was recognised in a recording to a file, completely or not at all. Raises RecordError."""
    head = {"recording": result.sha256, "seconds": result.seconds, "model": result.model, "options": dict(options)}
    _write(folder / f"{result.sha256}.jsonl", [head, *map(_line, mask_items(result.items))])


def _write(target: Path, lines: Iterable[Mapping[str, object]]) -> None:
    """Writes lines of JSON to a file, completely or not at all. Raises RecordError."""
    text = "".join(json_line(line) + "\n" for line in lines)
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
        with os.fdopen(os.open(part, flags, FILE_MODE), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
            target.parent.rmdir()  # if it is empty
        raise RecordError(
            "{path} cannot be written ({why}); check its folder and permissions", path=target, why=system_reason(error)
        ) from error


def mask_items(items: Iterable[Utterance | Gap]) -> Iterator[Utterance | Gap]:
    """The items with every digit of a long number replaced by MASK. The number of words and syllables is unchanged."""
    for item in items:
        if isinstance(item, Gap):
            yield item
            continue
        text = "\0".join(word.text for word in item.words)
        for found in LONG_NUMBER.finditer(text.replace("\0", " ")):
            start, end = found.span()
            masked = "".join(char if char in " \0-" else MASK for char in text[start:end])
            text = text[:start] + masked + text[end:]
        words = (replace(word, text=new) for word, new in zip(item.words, text.split("\0"), strict=True))
        yield replace(item, words=tuple(words))


def _line(item: Utterance | Gap) -> dict[str, object]:
    if isinstance(item, Gap):
        line: dict[str, object] = {"lost": item.start, "seconds": item.seconds, "reason": item.reason}
        return {**line, "beside": True} if item.beside else line
    words = [{"word": word.text, "start": word.start, "end": word.end, "sure": word.confidence} for word in item.words]
    return {
        "start": item.start,
        "end": item.end,
        "speaker": item.speaker,
        "beside_gap": item.near_gap,
        "sound": item.sound and asdict(item.sound),
        **({} if item.timing == "words" else {"timing": item.timing}),
        **({} if item.channel is None else {"channel": item.channel}),
        "text": item.text,
        "words": words,
    }


def read_stored_transcript(path: Path) -> StoredTranscript:
    """A transcript as it was stored. Raises TranscriptError."""
    lines = numbered_lines(path, TranscriptError)
    number = 1
    try:
        head = json.loads(next(lines)[1])
        items = []
        for number, line in lines:  # noqa: B007 - for the error
            items.append(_item(json.loads(line)))
        options = dict(head["options"])
        return StoredTranscript(
            str(head["recording"]), float(head["seconds"]), str(head["model"]), options, tuple(items)
        )
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise TranscriptError(
            "{path}, line {number}: this stored transcript is damaged; remove the file, or check its recording again",
            path=path,
            number=number,
        ) from error


def _item(line: dict[str, Any]) -> Utterance | Gap:
    if "lost" in line:
        return Gap(float(line["lost"]), float(line["seconds"]), str(line["reason"]), bool(line.get("beside")))
    if line["speaker"] not in ("clerk", "customer", "unknown"):
        raise ValueError("no speaker")
    words = tuple(
        Word(str(word["word"]), float(word["start"]), float(word["end"]), float(word["sure"])) for word in line["words"]
    )
    sound = line.get("sound")  # files of earlier versions have none
    return Utterance(
        float(line["start"]),
        float(line["end"]),
        words,
        line["speaker"],
        near_gap=bool(line["beside_gap"]),
        sound=_sound(sound) if sound else None,
        timing=_timing(line.get("timing", "words")),
        channel=None if line.get("channel") is None else int(line["channel"]),
    )


def _timing(value: object) -> Timing:
    """Raises ValueError."""
    if value not in ("words", "turn", "none"):
        raise ValueError("no timing")
    return value


def _sound(line: dict[str, Any]) -> Sound:
    contrast, speech = line["contrast"], line.get("speech")  # files of earlier versions have no `speech`
    return Sound(
        float(line["seconds"]),
        float(line["level"]),
        None if contrast is None else float(contrast),
        None if speech is None else float(speech),
    )


def purge_transcripts(folder: Path, kept_from: Mapping[str, float]) -> int:
    """Removes what a purge leaves behind in the transcripts of a record. Returns the number of files changed.

    `kept_from` holds, for the SHA-256 of each recording in the record, the second from which on its words are kept;
    other transcripts are removed. Raises RecordError, TranscriptError.
    """
    changed = sum(_purge_transcript(path, kept_from.get(path.stem)) for path in sorted(folder.glob("*.jsonl")))
    for path in folder.glob("*.part"):
        changed += _purge_transcript(path, None)
    with suppress(OSError):
        folder.rmdir()  # if it is empty
    return changed


def _purge_transcript(path: Path, kept_from: float | None) -> bool:
    """Removes the utterances that end before a second, or the whole file for None. Returns whether anything changed."""
    if kept_from is None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(
                "{path} cannot be removed ({why}); remove it manually", path=path, why=system_reason(error)
            ) from error
        return True
    if kept_from <= 0:
        return False
    stored = read_stored_transcript(path)
    kept = [item for item in stored.items if isinstance(item, Gap) or item.end >= kept_from]
    if len(kept) < len(stored.items):
        head = {"recording": stored.sha256, "seconds": stored.seconds, "model": stored.model, "options": stored.options}
        _write(path, [head, *map(_line, kept)])
    return len(kept) < len(stored.items)


def rejudge_transcripts(
    record: Record, folder: Path, matcher: Matcher, since: datetime | None
) -> Iterator[tuple[RecordingRow, list[VerdictChange]]]:
    """Each recording with a stored transcript, and the verdicts that would change with another phrase set.

    `since` leaves out recordings that started (or were recorded, if that is unknown) before it. Raises RecordError,
    TranscriptError.
    """
    recordings = {row.sha256: row for row in record.recordings()}
    for path in sorted(folder.glob("*.jsonl")):
        transcript = read_stored_transcript(path)
        row = recordings.get(transcript.sha256)
        if row is not None and (since is None or (row.started or row.recorded) >= iso(since)):
            yield row, list(_changes(record, transcript, matcher))


def _changes(record: Record, transcript: StoredTranscript, matcher: Matcher) -> Iterator[VerdictChange]:
    judgement = record.latest_judgement(transcript.sha256)
    before = record.events(judgement.stream) if judgement else []
    one_visit = bool(transcript.options.get("one_visit"))
    after = judge_events(with_ticks(transcript.items, transcript.seconds), matcher, one_visit=one_visit)
    return verdict_changes(before, list(after))
