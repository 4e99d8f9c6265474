"""Reads the test sets: labels and truth, as models.build.sets wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counter_listener.scoring import Span
from models.build.errors import BuildError


@dataclass(frozen=True, slots=True)
class Truth:
    """One line that was spoken."""

    text: str
    kind: str
    voice: str
    characters: tuple[tuple[float, float], ...]
    """Start and end of each, in seconds into the recording."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One recording of a set."""

    path: Path
    seconds: float
    said: tuple[Span, ...]
    lines: tuple[Truth, ...]


def read_set(folder: Path) -> list[Labelled]:
    """The recordings of a set. Raises BuildError, which says how to make it."""
    labels, truth = (_lines(folder / name) for name in ("labels.jsonl", "truth.jsonl"))
    if [one["file"] for one in labels] != [one["file"] for one in truth]:
        raise BuildError(f"{folder}: labels.jsonl and truth.jsonl tell of different recordings; make the set again.")
    return [
        Labelled(
            folder / told["file"], told["seconds"], tuple(map(_span, told["said"])), tuple(map(_line, true["lines"]))
        )
        for told, true in zip(labels, truth, strict=True)
    ]


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise BuildError(f"{file} cannot be read ({error}); make the sets with python -m models.build.sets.") from None


def _span(told: Mapping[str, Any]) -> Span:
    return Span(told["id"], told["start"], told["end"], told.get("optional", False))


def _line(told: Mapping[str, Any]) -> Truth:
    return Truth(told["text"], told["kind"], told["voice"], tuple((start, end) for start, end in told["characters"]))
