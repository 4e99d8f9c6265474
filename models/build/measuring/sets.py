"""Reads the test sets: labels and truth, as models.build.sets wrote them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counter_listener.evaluation.labels import Label, read_labels
from models.build.errors import BuildError


@dataclass(frozen=True, slots=True)
class Truth:
    """One line that was spoken."""

    text: str
    kind: str
    voice: str
    characters: tuple[tuple[float, float], ...]
    """Start and end of each, in seconds into the recording."""

    def meets(self, start: float, end: float) -> bool:
        """Whether some of it was said then."""
        return self.characters[-1][1] > start and self.characters[0][0] < end


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording of a set."""

    label: Label
    lines: tuple[Truth, ...]

    def text(self, start: float, end: float) -> str:
        """The lines of which some was said then."""
        return " ".join(line.text for line in self.lines if line.meets(start, end))


def read_set(folder: Path, known: Collection[str]) -> list[Labelled]:
    """The recordings of a set, whose labels may name the `known` ids. Raises LabelsError and BuildError."""
    labels = read_labels(folder / "labels.jsonl", known)
    lines = {folder / told["file"]: tuple(map(_line, told["lines"])) for told in _read_truth(folder / "truth.jsonl")}
    if {label.path for label in labels} != set(lines):
        raise BuildError(f"{folder}: labels.jsonl and truth.jsonl tell of different recordings; make the set again.")
    return [Labelled(label, lines[label.path]) for label in labels]


def _read_truth(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}); make the sets with python -m models.build.sets.") from None


def _line(told: Mapping[str, Any]) -> Truth:
    return Truth(told["text"], told["kind"], told["voice"], tuple((start, end) for start, end in told["characters"]))
