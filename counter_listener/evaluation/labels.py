"""Labels: which recordings and transcripts there are, and what was said in each, when."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counter_listener.domain import LabelsError, PhraseSet, json_object, numbered_lines, read_seconds, sentence
from counter_listener.evaluation.scoring import SLACK, LabelledPhrase
from counter_listener.phrases import suggestion

EXAMPLE: Final = '{"file": "monday.wav", "seconds": 62.5, "said": [{"id": "hello", "start": 0.4, "end": 1.9}]}'


@dataclass(frozen=True, slots=True)
class Label:
    """One recording or transcript, and what was said in it."""

    path: Path
    seconds: float
    """How long it is: what false alarms per hour are counted over."""
    said: tuple[LabelledPhrase, ...]


def scorable_ids(phrases: PhraseSet) -> list[str]:
    """The ids that labels may name: phrases and offences."""
    return [*(phrase.id for phrase, _ in phrases.phrases()), *(offence.id for offence in phrases.forbidden)]


def read_labels(path: Path, known: Collection[str]) -> list[Label]:
    """All labels of a file, one a line; names of files are relative to it. `known` are the ids they may use.

    Raises LabelsError, naming file and line, at the first line that is not right or whose recording is not there.
    """
    found: dict[Path, int] = {}
    labels = []
    for number, line in numbered_lines(path, LabelsError):
        try:
            label = _label(json_object(line, EXAMPLE), path.parent, known)
            if first := found.get(label.path):
                raise ValueError(  # noqa: TRY301
                    sentence("each file once, but {file} stands in line {first} too", file=label.path.name, first=first)
                )
        except ValueError as error:
            raise LabelsError(
                "{path}, line {number}: expected {error}", path=path, number=number, error=error.args[0]
            ) from None
        found[label.path] = number
        labels.append(label)
    if not labels:
        raise LabelsError(
            "{path} holds no label; give one JSON object a line, like {example}", path=path, example=EXAMPLE
        )
    return labels


def _label(record: Mapping[str, object], folder: Path, known: Collection[str]) -> Label:
    file = record.get("file")
    if not isinstance(file, str) or not file:
        raise ValueError(sentence('"file" to be the name of a recording or transcript'))
    place = folder / file
    if not os.path.isfile(place):  # noqa: PTH113 - Path.is_file raises on names that are too long
        raise ValueError(sentence('"file" to be there, but {place} is no file', place=place))
    long = read_seconds(record, "seconds")
    if not long:
        raise ValueError(sentence('"seconds" to be how long the file is, more than 0'))
    said = record.get("said")
    if not isinstance(said, list):
        raise ValueError(sentence('"said" to be a list, which is empty where nothing owed or forbidden was said'))  # noqa: TRY004
    return Label(place, long, tuple(_said(said, long, known)))


def _said(entries: list[object], long: float, known: Collection[str]) -> Iterator[LabelledPhrase]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError(sentence('each of "said" to be like {{"id": "hello", "start": 0.4, "end": 1.9}}'))  # noqa: TRY004
        name, optional = entry.get("id"), entry.get("optional", False)
        if not isinstance(name, str) or name not in known:
            hint = suggestion(str(name)[:100], known)
            raise ValueError(
                sentence(
                    "the id of a phrase or an offence, and the phrase set has no {name!r}{hint}",
                    name=str(name)[:100],
                    hint=hint,
                )
            )
        if not isinstance(optional, bool):
            raise ValueError(sentence('"optional" to be true or false'))  # noqa: TRY004
        start, end = read_seconds(entry, "start"), read_seconds(entry, "end")
        if not start <= end <= long + SLACK:
            raise ValueError(
                sentence(
                    '"start", "end" and the file\'s "seconds" in this order, but {name} is from {start:g} to {end:g}'
                    " of {long:g}",
                    name=name,
                    start=start,
                    end=end,
                    long=long,
                )
            )
        yield LabelledPhrase(name, start, end, optional)
