"""Reads the test sets that models.build.sets wrote: labels, and the true text with its times."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counter_listener.evaluation import Label, read_labels
from models.build.errors import BuildError


@dataclass(frozen=True, slots=True)
class TrueLine:
    """One line that was spoken."""

    text: str
    kind: str
    voice: str
    characters: tuple[tuple[float, float], ...]
    """Start and end of each character, in seconds into the recording."""

    def overlaps(self, start: float, end: float) -> bool:
        """Whether a part of it was spoken between these times."""
        return self.characters[-1][1] > start and self.characters[0][0] < end


@dataclass(frozen=True, slots=True)
class LabelledRecording:
    """One recording of a set."""

    label: Label
    lines: tuple[TrueLine, ...]

    def text(self, start: float, end: float) -> str:
        """The lines spoken between these times, whole or in part."""
        return " ".join(line.text for line in self.lines if line.overlaps(start, end))


def read_set(folder: Path, known: Collection[str]) -> list[LabelledRecording]:
    """The recordings of a set; its labels may use the `known` ids. Raises LabelsError and BuildError."""
    labels = read_labels(folder / "labels.jsonl", known)
    records = _read_truth(folder / "truth.jsonl")
    lines = {folder / record["file"]: tuple(map(_line, record["lines"])) for record in records}
    if {label.path for label in labels} != set(lines):
        raise BuildError(f"{folder}: labels.jsonl and truth.jsonl list different recordings; make the set again.")
    return [LabelledRecording(label, lines[label.path]) for label in labels]


def _read_truth(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}); make the sets with python -m models.build.sets.") from None


def _line(record: Mapping[str, Any]) -> TrueLine:
    characters = tuple((start, end) for start, end in record["characters"])
    return TrueLine(record["text"], record["kind"], record["voice"], characters)
