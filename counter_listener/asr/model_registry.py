"""The models that `models install` knows by name: models/registry.toml, which ships with the program."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from counter_listener.domain import bundled_folder

PREFIX: Final = "vosk-model-"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is told of a model."""

    language: str
    errors: str
    """Error rates as its makers publish them."""
    licence: str


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that can be fetched by name."""

    name: str
    file: str
    """Name of the archive, below the registry's source or a mirror."""
    size: int
    """Bytes of the archive; roughly, where not `exact`."""
    exact: bool
    sha256: str | None
    """Of the archive; None where it is not known."""
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything in registry.toml."""

    source: str
    """URL of the folder that holds the archives."""
    bundled: ModelFacts
    models: tuple[KnownModel, ...]


@cache
def registry() -> Registry:
    """The registry that ships with the program."""
    content = tomllib.loads((bundled_folder("models") / "registry.toml").read_text(encoding="utf-8"))
    models = tuple(_known(entry) for entry in content["model"])
    return Registry(content["source"], _facts(content["bundled"]), models)


def _known(entry: dict[str, Any]) -> KnownModel:
    size = entry["bytes"] if "bytes" in entry else entry["about_bytes"]
    return KnownModel(entry["name"], entry["file"], size, "bytes" in entry, entry.get("sha256"), _facts(entry))


def _facts(entry: dict[str, str]) -> ModelFacts:
    return ModelFacts(entry["language"], entry["errors"], entry["licence"])


def known_model(name: str) -> KnownModel | None:
    """The known model of this name, be it ours (small-cn-0.22) or its makers' (vosk-model-small-cn-0.22)."""
    wanted = name.removeprefix(PREFIX)
    return next((model for model in registry().models if model.name == wanted), None)
