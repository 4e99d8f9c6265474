"""Sentences in JSON, so that what was said while nobody looked is shown later in the language of the reader."""

from __future__ import annotations

from typing import Any

from counter_listener.domain.display import printable
from counter_listener.domain.messages import Sentence


def packed(told: Sentence) -> dict[str, Any]:
    """A sentence as a value for JSON."""
    return {"text": told.text, "values": {name: _packed(value) for name, value in told.values.items()}}


def unpacked(found: object) -> Sentence | None:
    """The sentence in a value; None if it is none."""
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return None
    values = found.get("values", {})
    return Sentence(found["text"], {name: unpacked(value) or value for name, value in values.items()})


def _packed(value: object) -> object:
    if isinstance(value, Sentence):
        return packed(value)
    return value if isinstance(value, int | float) else printable(str(value))
