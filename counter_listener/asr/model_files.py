"""Finds Vosk models and checks their files before libvosk sees them."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from counter_listener.asr.model_registry import PREFIX
from counter_listener.asr.symbol_table import FST_MAGIC, NoTableError, output_symbols
from counter_listener.domain import ModelError, Sentence, bundled_folder, data_folder, sentence, system_reason

"""The makers' own names begin with it; ours leave it out, and either is understood."""
CHECKSUMS: Final = "SHA256SUMS"
ACOUSTIC: Final = "am/final.mdl"
STATIC: Final = "graph/HCLG.fst"
DYNAMIC: Final = ("graph/HCLr.fst", "graph/Gr.fst")
GRAPHS: Final = ((STATIC,), DYNAMIC)
"""Either the static graph or the pair of the dynamic one; libvosk takes the static one first (its src/model.cc)."""
WORDS: Final = "graph/words.txt"
NEEDED: Final = (ACOUSTIC, "conf/mfcc.conf", "conf/model.conf")
TRY_LOADING: Final = """
import sys, vosk
vosk.SetLogLevel(-1)
recognizer = vosk.KaldiRecognizer(vosk.Model(model_path=sys.argv[1]), 16000)
recognizer.AcceptWaveform(bytes(range(256)) * 250)
recognizer.FinalResult()
"""
TRY_SECONDS: Final = 600


def models_folder() -> Path:
    """Where models that the user installs are kept."""
    return data_folder() / "models"


def bundled() -> dict[str, Path]:
    """The models that ship with the program, by name."""
    return {folder.name: folder for folder in _listed(bundled_folder("models"))}


def installed() -> dict[str, Path]:
    """The models at hand by name: the bundled ones and those that the user installed."""
    return bundled() | {folder.name: folder for folder in _listed(models_folder())}


def _listed(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(
            folder for folder in root.iterdir() if (folder / ACOUSTIC).is_file() and not folder.name.startswith(".")
        )


def find_model(name: str) -> Path:
    """The folder that `name` stands for: a path, or the name of a model at hand. Raises ModelError."""
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises on names that are too long
        return Path(name)
    known = installed()
    name = name if name in known else name.removeprefix(PREFIX)
    if name not in known:
        raise ModelError(
            "There is no model {name!r}; at hand are {names}, or give a model's folder{cure}.",
            name=name,
            names=", ".join(known),
            cure=_cure(name),
        )
    return known[name]


def _cure(name: str) -> Sentence:
    """How to get a model that is known but not at hand; nothing is ever fetched unasked."""
    from counter_listener.asr.model_registry import known_model

    known = known_model(name)
    if known is None:
        return Sentence("")
    return sentence("; `counter-listener models install {name}` fetches this one", name=known.name)


def verify_model(folder: Path) -> None:
    """Checks a model's files. Raises ModelError, which names the file and the cure.

    A model that carries a list of checksums is held to it; any other is looked over and then loaded once in a
    process of its own, because libvosk aborts on files that only look right.
    """
    for name in NEEDED:
        _whole(folder, name)
    if not any(all((folder / name).is_file() for name in graph) for graph in GRAPHS):
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence(
                "half a model, graph/HCLG.fst or graph/HCLr.fst and graph/Gr.fst are missing; install it again."
            ),
        )
    for name in (name for graph in GRAPHS for name in graph if (folder / name).is_file()):
        if _head(_whole(folder, name), 4) != struct.pack("<i", FST_MAGIC):
            raise ModelError(
                "{folder}: {what}",
                folder=folder,
                what=sentence("{name} is no graph, or damaged; install the model again.", name=name),
            )
    if not _head(folder / ACOUSTIC, 64).lstrip(b"\0B").startswith(b"<TransitionModel>"):
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("{name} is no acoustic model, or damaged; install the model again.", name=ACOUSTIC),
        )
    if listed_in_full(folder):
        verify_checksums(folder)
    else:
        model_vocabulary(folder)
        verify_by_loading(folder)


def listed_in_full(folder: Path) -> bool:
    """Whether a model's list of checksums names every file of it. Raises ModelError."""
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return files - {CHECKSUMS, "LICENSE", "README", "README.md"} <= set(checksums(folder))


def checksums(folder: Path) -> dict[str, str]:
    """A model's own list, whose lines are `sha256  path` as sha256sum writes them: path to SHA-256, empty if none."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("{name} is damaged; install the model again.", name=CHECKSUMS),
        ) from None
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _whole(folder: Path, name: str) -> Path:
    file = folder / name
    try:
        size = file.stat().st_size if file.is_file() else -1
    except OSError as error:
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("{name} cannot be read ({why}).", name=name, why=system_reason(error)),
        ) from None
    if size <= 0:
        state = sentence("empty") if size == 0 else sentence("missing")
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("half a model, {name} is {state}; install the model again.", name=name, state=state),
        )
    return file


def _head(file: Path, size: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(size)
    except OSError as error:
        raise ModelError("{file}: the model cannot be read ({why}).", file=file, why=system_reason(error)) from None


def model_vocabulary(folder: Path) -> frozenset[str]:
    """The words that a model can write. Raises ModelError.

    As libvosk has it (src/model.cc): the words that the graph itself carries, else those of graph/words.txt. The
    official small models come without graph/words.txt.
    """
    graph = next((name for name in (STATIC, DYNAMIC[1]) if (folder / name).is_file()), None)
    symbols = _symbols(folder, graph) if graph else None
    words = _listed_words(folder) if symbols is None else symbols
    return frozenset(word for word in words if not word.startswith(("<", "#", "[")))


def _symbols(folder: Path, graph: str) -> Iterable[str] | None:
    try:
        return output_symbols(folder / graph)
    except OSError as error:
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("{name} cannot be read ({why}).", name=graph, why=system_reason(error)),
        ) from None
    except NoTableError:
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("{name} is no graph, or damaged; install the model again.", name=graph),
        ) from None


def _listed_words(folder: Path) -> Iterable[str]:
    file = _whole(folder, WORDS)
    try:
        entries = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        raise ModelError(
            "{folder}: {what}", folder=folder, what=sentence("{name} is damaged; install the model again.", name=WORDS)
        ) from None
    if any(len(entry) != 2 or not entry[1].isdigit() for entry in entries):  # noqa: PLR2004 - a word and its number
        raise ModelError(
            "{folder}: {what}", folder=folder, what=sentence("{name} is damaged; install the model again.", name=WORDS)
        )
    return [word for word, _ in entries]


def verify_checksums(folder: Path) -> None:
    """Holds a model to its own list. Raises ModelError."""
    for name, expected in checksums(folder).items():
        try:
            with _whole(folder, name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(
                "{folder}: {what}",
                folder=folder,
                what=sentence("{name} cannot be read ({why}).", name=name, why=system_reason(error)),
            ) from None
        if digest != expected:
            raise ModelError(
                "{folder}: {what}",
                folder=folder,
                what=sentence("{name} is damaged (its checksum differs); install the model again.", name=name),
            )


def verify_by_loading(folder: Path) -> None:
    """Loads a model in a process of its own, where an abort of libvosk harms nobody."""
    command = [sys.executable, "-c", TRY_LOADING, str(folder.resolve())]
    try:
        tried = subprocess.run(command, capture_output=True, timeout=TRY_SECONDS, check=False)  # noqa: S603 - our own code
    except subprocess.TimeoutExpired:
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("libvosk did not load this model in {seconds} s; install it again.", seconds=TRY_SECONDS),
        ) from None
    if tried.returncode:
        raise ModelError(
            "{folder}: {what}",
            folder=folder,
            what=sentence("libvosk cannot load this model, a file of it is damaged; install it again."),
        )
