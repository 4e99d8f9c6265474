"""How a recording in the record was judged, and how it is told that it was judged anew; no database here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from counter_listener.domain import Event
from counter_listener.record.rows import Columns, Origin, event_rows, iso

PREFIX: Final = "judged-"
"""With which the streams begin that hold no events of a visit but tell how a recording was judged."""
BEYOND: Final = "judged."
"""The first name after all of them."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a recording was judged last."""

    stream: str
    """Of its events."""
    number: int = 1
    """How often it has been judged."""
    phrases_hash: str | None = None
    """None where nobody can say: nothing was found in it when it was recorded."""
    model: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    """What was asked for besides, such as one visit or the roles of the channels; nothing for the usual."""
    program: str = ""
    """The version that judged it, where that was noted."""
    seconds: float = 0.0
    started: str | None = None
    """ISO 8601 in UTC."""
    counter: str | None = None

    def like(self, other: Judgement) -> bool:
        """Whether the other was judged by the same phrase set, model and options."""
        mine, theirs = ((one.phrases_hash, one.model, dict(one.options)) for one in (self, other))
        return mine == theirs


def judgement_stream(sha256: str) -> str:
    """The stream in which it is told how a recording was judged."""
    return PREFIX + sha256[:12]


def judgement_row(judging: Judgement, replaces: str | None, origin: Origin, recorded: datetime, number: int) -> Columns:
    """The row that tells of a judging, lacking `seq` and `chain`; `number` counts those of this recording, from 1."""
    told = {
        "stream": judging.stream,
        "judging": judging.number,
        "options": dict(judging.options),
        "program": judging.program,
        "replaces": replaces,
    }
    detail = {name: value for name, value in told.items() if value is not None}
    (row,) = event_rows([Event("visit_opened", 0.0, detail=detail)], origin, recorded, number)
    stream = judgement_stream(origin.source)
    return {**row, "kind": "judged", "stream": stream, "uid": f"{stream}:{number}", "wall": iso(recorded)}


def read_judgement(told: Mapping[str, object], phrases_hash: str, model: str) -> Judgement:
    """The judging that the detail of a row tells of; raises ValueError where somebody changed it."""
    options = told.get("options")
    try:
        return Judgement(
            stream=str(told["stream"]),
            number=int(str(told["judging"])),
            phrases_hash=phrases_hash,
            model=model,
            options=options if isinstance(options, dict) else {},
            program=str(told.get("program", "")),
        )
    except KeyError as missing:
        raise ValueError(f"a row that tells of a judging lacks {missing}") from missing


def replaced_by(detail: str) -> str | None:
    """The stream whose verdicts a judging replaced, from the detail of its row."""
    try:
        told = json.loads(detail).get("replaces")
    except (ValueError, AttributeError):  # somebody changed it; `events verify` says so
        return None
    return told if isinstance(told, str) else None
