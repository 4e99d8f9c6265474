"""Why a verdict was given: `explain` in a process of its own, so that the server stays small and survives a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from counter_listener.domain import N_, PhraseSet
from counter_listener.record import VisitHistory
from counter_listener.web.sets import file_of

PATIENCE: Final = 240
"""Seconds; an hour of sound takes two minutes."""
ONE_AT_A_TIME: Final = Lock()
"""It takes a core."""


@dataclass(frozen=True, slots=True)
class Near:
    """What comes closest to each verdict of a visit that is asked about."""

    explained: list[dict[str, Any]]
    """The fields of judging.Explanation."""
    failed: str | None = None
    """Why there is none: a text of the catalogue."""


def explanations(path: Path, history: VisitHistory, phrases: PhraseSet | None) -> Near:
    """The closest words to each owed phrase that was not heard, and what was said for each offence and broken rule."""
    file = file_of(phrases)
    close = history.close
    if file is None or close is None:
        return Near([], N_("The phrase set that judged this visit is not at hand."))
    words = ["explain", str(path), "--format", "jsonl", "--lang", "en", "--phrases", str(file), "--model", close.model]
    try:
        with ONE_AT_A_TIME:
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-m", "counter_listener", *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return Near([], N_("The recording is too long to be explained here; use `counter-listener explain`."))
    if done.returncode:
        return Near([], N_("The recording, or the model that recognised it, cannot be read any more."))
    number = close.visit.rpartition("-")[2] if close.visit else ""
    return Near([one for one in _lines(done.stdout) if str(one.get("visit")) == number])


def _lines(output: bytes) -> Iterator[dict[str, Any]]:
    for line in output.decode("utf-8", "replace").splitlines():
        try:
            parsed = json.loads(line)
        except ValueError:
            continue
        if isinstance(parsed, dict):
            yield parsed
