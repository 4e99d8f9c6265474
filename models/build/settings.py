"""The dials in graph.toml, checked as they are read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from models.build.errors import BuildError

FILE: Final = Path(__file__).with_name("graph.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What the language model is made with."""

    order: int
    """Words of the longest n-gram."""
    counter_share: float
    """Prior probability, 0-1, that what is said belongs to the counter."""
    counter_doubt: float
    ordinary_doubt: float
    """How little each text insists on its own sequences (ngram.py)."""
    worth: float
    """Nats that an n-gram must be worth (ngram.py)."""
    wording_weight: float
    """Sentences that one wording of a phrase set counts for."""
    sentence_weight: float
    """Sentences of a template that one plain sentence counts for."""
    words: int
    """Words of the dictionary, the most frequent, beside those of our own texts."""
    dictionary_weight: float
    """Weight of the dictionary's words, all together, for one of a word of the ordinary text."""
    unknown_cost: float
    """Of [unk] in Gr.fst: -log of its probability, not taken from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How libvosk searches the graph (kaldi, decoder/lattice-faster-decoder.h)."""

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
    """After a likely complete one."""
    rule4: float
    """In any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All dials."""

    language: Language
    search: Search
    endpoint: Endpoint


def read_settings(file: Path = FILE) -> Settings:
    """The dials in a file. Raises BuildError, which names the table and the key."""
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
    expected = {one.name for one in fields(kind)}
    for key in sorted(expected ^ set(values)):
        raise BuildError(f"{file}: [{name}] {'lacks' if key in expected else 'has no key'} {key!r}.")
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BuildError(f"{file}: [{name}] {key!r} must be a number.")
    return values
