"""Reads labels: recordings and transcripts, and the phrases that were said in each."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counter_listener.domain import N_, LabelsError, json_object, numbered_lines, read_seconds, sentence
from counter_listener.evaluation.scoring import SLACK, LabelledPhrase
from counter_listener.phrases import suggestion
from counter_listener.record import LabelledRecording

EXAMPLE: Final = '{"file": "monday.wav", "seconds": 62.5, "said": [{"id": "hello", "start": 0.4, "end": 1.9}]}'


@dataclass(frozen=True, slots=True)
class Label:
    """One recording or transcript, and what was said in it."""

    path: Path
    seconds: float
    """Its length; false alarms per hour are counted over it."""
    phrases: tuple[LabelledPhrase, ...]


def read_labels(path: Path, known: Collection[str]) -> list[Label]:
    """All labels of a file, one per line; file names in it are relative to it. `known` are the ids of phrases and
    offences that it may use.

    Raises LabelsError with file and line for the first line that is invalid or names a file that does not exist.
    """
    lines: dict[Path, int] = {}
    labels = []
    for number, line in numbered_lines(path, LabelsError):
        try:
            label = _label(json_object(line, EXAMPLE), path.parent, known)
            if first := lines.get(label.path):
                raise ValueError(  # noqa: TRY301
                    sentence("each file once, but {file} is in line {first} too", file=label.path.name, first=first)
                )
        except ValueError as error:
            raise LabelsError(
                "{path}, line {number}: expected {error}", path=path, number=number, error=error.args[0]
            ) from None
        lines[label.path] = number
        labels.append(label)
    if not labels:
        raise LabelsError(
            "{path} has no labels; write one JSON object per line, like {example}", path=path, example=EXAMPLE
        )
    return labels


def _label(record: Mapping[str, object], folder: Path, known: Collection[str]) -> Label:
    name = record.get("file")
    if not isinstance(name, str) or not name:
        raise ValueError(sentence('"file" to be the name of a recording or transcript'))
    file = folder / name
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises on names that are too long
        raise ValueError(sentence('"file" to exist, but {place} is not a file', place=file))
    seconds = read_seconds(record, "seconds")
    if not seconds:
        raise ValueError(sentence('"seconds" to be the length of the file, more than 0'))
    said = record.get("said")
    if not isinstance(said, list):
        raise ValueError(sentence('"said" to be a list, empty if no phrase or offence was said'))  # noqa: TRY004
    return Label(file, seconds, tuple(_phrases(said, seconds, known)))


def _phrases(entries: list[object], seconds: float, known: Collection[str]) -> Iterator[LabelledPhrase]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError(sentence('each of "said" to be like {{"id": "hello", "start": 0.4, "end": 1.9}}'))  # noqa: TRY004
        id_, optional = entry.get("id"), entry.get("optional", False)
        if not isinstance(id_, str) or id_ not in known:
            name = str(id_)[:100]
            text = N_("the id of a phrase or an offence, and the phrase set has no {name!r}{hint}")
            raise ValueError(sentence(text, name=name, hint=suggestion(name, known)))
        if not isinstance(optional, bool):
            raise ValueError(sentence('"optional" to be true or false'))  # noqa: TRY004
        start, end = read_seconds(entry, "start"), read_seconds(entry, "end")
        if not start <= end <= seconds + SLACK:
            text = N_(
                '"start", "end" and the file\'s "seconds" in this order, but {name} is from {start:g} to {end:g}'
                " of {long:g}"
            )
            raise ValueError(sentence(text, name=id_, start=start, end=end, long=seconds))
        yield LabelledPhrase(id_, start, end, optional)


def labels_of_reviews(recordings: Iterable[LabelledRecording], known: Collection[str]) -> list[Label]:
    """The labels that reviews give: of recordings of which people have looked at every visit to its end.

    Raises LabelsError if there is none.
    """
    labels = [
        Label(
            Path(recording.path),
            recording.seconds,
            tuple(
                LabelledPhrase(said.id, said.start, said.end, said.optional)
                for said in recording.said
                if said.id in known
            ),
        )
        for recording in recordings
    ]
    if not labels:
        raise LabelsError("the record has no recording of which every visit was reviewed to its end")
    return labels
