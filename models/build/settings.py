"""The settings in graph.toml, checked when they are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from models.build.errors import BuildError

SETTINGS_FILE: Final = Path(__file__).with_name("graph.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Settings of the language model."""

    order: int
    """Words of the longest n-gram."""
    counter_share: float
    """Prior probability, 0-1, that an utterance belongs to the counter text."""
    counter_doubt: float
    ordinary_doubt: float
    """Smoothing of each text (ngram.py)."""
    worth: float
    """Pruning threshold: least gain of an n-gram, in nats (ngram.py)."""
    wording_weight: float
    """Weight of each wording of a phrase set, in sentences."""
    sentence_weight: float
    """Weight of each plain sentence, in sentences of a template."""
    words: int
    """Number of dictionary words, the most frequent ones, besides those of our own texts."""
    dictionary_weight: float
    """Total count of the dictionary words, per word of the ordinary text."""
    unknown_cost: float
    """Additional cost of [unk] in Gr.fst, -log of a probability; the other words are not changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Settings of libvosk's search (kaldi, decoder/lattice-faster-decoder.h)."""

    beam: float
    lattice_beam: float
    min_active: int
    max_active: int
    acoustic_scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Seconds of silence that end an utterance (kaldi, online2/online-endpoint.h)."""

    rule2: float
    """After a complete sentence of the graph."""
    rule3: float
    """After a sentence that is probably complete."""
    rule4: float
    """In any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of graph.toml, by table."""

    language: Language
    search: Search
    endpoint: Endpoint


def read_settings(file: Path = SETTINGS_FILE) -> Settings:
    """The settings in a file. Raises BuildError, which names the table and the key."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{file}: the settings cannot be read ({error}).") from None
    return Settings(
        language=Language(**_checked(file, table, "language", Language)),
        search=Search(**_checked(file, table, "search", Search)),
        endpoint=Endpoint(**_checked(file, table, "endpoint", Endpoint)),
    )


def _checked(file: Path, table: dict[str, Any], name: str, kind: type) -> dict[str, Any]:
    values: dict[str, Any] = table.get(name, {})
    expected = {field.name for field in fields(kind)}
    for key in sorted(expected ^ set(values)):
        raise BuildError(f"{file}: [{name}] {'lacks' if key in expected else 'has no key'} {key!r}.")
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BuildError(f"{file}: [{name}] {key!r} must be a number.")
    return values
