"""Which models there are: the bundled ones, the installed ones, and those that models/registry.toml knows by name."""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from counter_listener.domain import ModelError, Sentence, bundled_folder, data_folder, sentence

VOSK_PREFIX: Final = "vosk-model-"
"""The official names begin with it. Ours do not, and both are accepted."""
CHECKSUMS: Final = "SHA256SUMS"
ACOUSTIC_MODEL: Final = "am/final.mdl"
STATIC_GRAPH: Final = "graph/HCLG.fst"
DYNAMIC_GRAPH: Final = ("graph/HCLr.fst", "graph/Gr.fst")
WORDS: Final = "graph/words.txt"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What `models list` shows of a model."""

    language: str
    errors: str
    """Error rates as published by its makers."""
    licence: str


@dataclass(frozen=True, slots=True)
class KnownModel(ModelFacts):
    """A model that can be downloaded by name."""

    name: str
    file: str
    """Name of the archive, below the registry's source or a mirror."""
    sha256: str | None = None
    """SHA-256 of the archive; None if it is not known."""
    bytes: int | None = None
    about_bytes: int = 0

    @property
    def exact(self) -> bool:
        """Whether the size is known exactly."""
        return self.bytes is not None

    @property
    def size(self) -> int:
        """Bytes of the archive; approximate if not `exact`."""
        return self.about_bytes if self.bytes is None else self.bytes


@dataclass(frozen=True, slots=True)
class Registry:
    """The content of registry.toml."""

    source: str
    """URL of the folder that holds the archives."""
    bundled: ModelFacts
    models: tuple[KnownModel, ...]


@cache
def registry() -> Registry:
    """The registry that ships with the program."""
    content = tomllib.loads((bundled_folder("models") / "registry.toml").read_text(encoding="utf-8"))
    models = tuple(KnownModel(**entry) for entry in content["model"])
    return Registry(content["source"], ModelFacts(**content["bundled"]), models)


def known_model(name: str) -> KnownModel | None:
    """The known model of this name: ours (small-cn-0.22) or the official one (vosk-model-small-cn-0.22)."""
    name = name.removeprefix(VOSK_PREFIX)
    return next((model for model in registry().models if model.name == name), None)


def models_folder() -> Path:
    """The folder of the models that the user installs."""
    return data_folder() / "models"


def bundled_models() -> dict[str, Path]:
    """The models that ship with the program, by name."""
    return {folder.name: folder for folder in _models_in(bundled_folder("models"))}


def available_models() -> dict[str, Path]:
    """The bundled models and those that the user installed, by name."""
    return bundled_models() | {folder.name: folder for folder in _models_in(models_folder())}


def _models_in(root: Path) -> Iterator[Path]:
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if (folder / ACOUSTIC_MODEL).is_file() and not folder.name.startswith("."):
            yield folder


def find_model(name: str) -> Path:
    """The folder of a model; `name` is a path or the name of an available model. Raises ModelError."""
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises on names that are too long
        return Path(name)
    available = available_models()
    name = name if name in available else name.removeprefix(VOSK_PREFIX)
    if name in available:
        return available[name]
    known = known_model(name)  # it is only named: nothing is ever downloaded unless the user asks for it
    raise ModelError(
        "There is no model {name!r}. Choose one of {names}, or give a model's folder{cure}.",
        name=name,
        names=", ".join(available),
        cure=sentence("; `counter-listener models install {name}` downloads this one", name=known.name)
        if known
        else Sentence(""),
    )


def model_fault(folder: Path, what: Sentence) -> ModelError:
    """The error for a model that cannot be used; `what` names the file and the cure."""
    return ModelError("{folder}: {what}", folder=folder, what=what)
