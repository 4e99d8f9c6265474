"""Transcripts kept beside the record, where somebody switched that on: a file for each recording, numbers masked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counter_listener.domain import (
    LONG_NUMBER,
    Gap,
    RecordError,
    TranscriptError,
    Utterance,
    Word,
    numbered_lines,
    system_reason,
)

if TYPE_CHECKING:
    from counter_listener.batch.check import CheckResult
    from counter_listener.record import Origin

FOLDER: Final = ".transcripts"
"""What is put behind the record's name."""
RIGHTS: Final = 0o700
ZERO: Final = "零"
"""Stands for each digit of a number that is masked: as long, and nobody's."""


@dataclass(frozen=True, slots=True)
class StoredTranscript:
    """What was recognised in a recording, kept."""

    sha256: str
    seconds: float
    options: Mapping[str, object]
    items: tuple[Utterance | Gap, ...]


def transcripts_folder(record: Path) -> Path:
    """The folder beside a record in which its transcripts are kept."""
    return record.with_name(record.name + FOLDER)


def store_transcript(folder: Path, result: CheckResult, origin: Origin, options: Mapping[str, object]) -> None:
    """Writes what was recognised in a recording to a file of its own, whole or not at all. Raises StoreError."""
    told = {"seconds": result.seconds, "model": origin.model, "options": dict(options)}
    lines = [{"recording": origin.source, **told}, *map(_line, mask_items(result.kept))]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    target = folder / f"{origin.source}.jsonl"
    part = target.with_suffix(".part")
    try:
        folder.mkdir(mode=RIGHTS, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise RecordError(
            "{path} cannot be written ({why}); see to its folder and rights", path=target, why=system_reason(error)
        ) from error


def mask_items(items: Iterable[Utterance | Gap]) -> Iterator[Utterance | Gap]:
    """The same, with every digit of a long number as ZERO: words and syllables stay as many as they were."""
    for item in items:
        if isinstance(item, Gap):
            yield item
            continue
        text = "\0".join(word.text for word in item.words)
        spaced = text.replace("\0", " ")
        for found in LONG_NUMBER.finditer(spaced):
            hidden = "".join(sign if sign in " \0-" else ZERO for sign in text[found.start() : found.end()])
            text = text[: found.start()] + hidden + text[found.end() :]
        texts = text.split("\0")
        yield replace(item, words=tuple(replace(word, text=new) for word, new in zip(item.words, texts, strict=True)))


def read_stored_transcripts(folder: Path) -> Iterator[StoredTranscript]:
    """The transcripts kept in a folder, in order of their names. Raises TranscriptError."""
    for path in sorted(folder.glob("*.jsonl")):
        yield _read(path)


def remove_transcripts(folder: Path, known: Iterable[str]) -> int:
    """Removes the transcripts of recordings that are not in the record any more; how many. Raises StoreError."""
    names = frozenset(known)
    gone = [path for path in folder.glob("*.jsonl") if path.stem not in names]
    gone += folder.glob("*.part")
    for path in gone:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(
                "{path} cannot be removed ({why}); remove it by hand", path=path, why=system_reason(error)
            ) from error
    with suppress(OSError):
        folder.rmdir()  # only an empty one goes
    return len(gone)


def _line(item: Utterance | Gap) -> dict[str, object]:
    if isinstance(item, Gap):
        return {"lost": item.start, "seconds": item.seconds, "reason": item.reason}
    words = [{"word": word.text, "start": word.start, "end": word.end, "sure": word.confidence} for word in item.words]
    return {
        "start": item.start,
        "end": item.end,
        "speaker": item.speaker,
        "beside_gap": item.near_gap,
        "text": item.text,
        "words": words,
    }


def _read(path: Path) -> StoredTranscript:
    lines = numbered_lines(path, TranscriptError)
    number = 0
    try:
        _, first = next(lines)
        head = json.loads(first)
        items = []
        for number, line in lines:  # noqa: B007 - told below
            items.append(_item(json.loads(line)))
        return StoredTranscript(str(head["recording"]), float(head["seconds"]), dict(head["options"]), tuple(items))
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise TranscriptError(
            "{path}, line {number}: this is not as it was kept; remove the file, or check its recording again",
            path=path,
            number=number or 1,
        ) from error


def _item(line: Mapping[str, object]) -> Utterance | Gap:
    if "lost" in line:
        return Gap(_float(line["lost"]), _float(line["seconds"]), str(line["reason"]))
    speaker = line["speaker"]
    words = line["words"]
    if speaker not in {"clerk", "customer", "unknown"} or not isinstance(words, list):
        raise ValueError("no utterance")
    spoken = tuple(
        Word(str(word["word"]), _float(word["start"]), _float(word["end"]), _float(word["sure"])) for word in words
    )
    return Utterance(
        _float(line["start"]),
        _float(line["end"]),
        spoken,
        speaker,
        near_gap=bool(line["beside_gap"]),
    )


def _float(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError("no number")
