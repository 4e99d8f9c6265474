"""Where phrase sets are: those that ship with the program, and those in force beside a record."""

import os
from pathlib import Path

from counter_listener.domain import PhraseSetError, bundled_folder, companion
from counter_listener.phrases.phrase_file import suggestion


def sets_folder(record: Path) -> Path:
    """The folder beside a record with the phrase sets that were edited on its pages."""
    return companion(record, "phrases")


def find_phrase_set(name: str, beside: Path | None = None) -> Path:
    """The file of a phrase set; `name` is a path or the name of a bundled set.

    A set with this name that was put in force on the pages of the record `beside` comes first.
    Raises PhraseSetError with the known names if there is no such set.
    """
    path = Path(name)
    if beside is not None and _is_name(name):
        in_force = sets_folder(beside) / f"{name}.toml"
        if in_force.is_file():
            return in_force
    if path.suffix == ".toml" or os.path.exists(name):  # noqa: PTH110 - Path.exists raises on names that are too long
        return path
    known = {file.stem: file for file in sorted(bundled_folder("phrase_sets").glob("*.toml"))}
    if name not in known:
        raise PhraseSetError(
            "There is no phrase set {name!r}{near}. Choose one of {names}, or give a .toml file.",
            name=name,
            near=suggestion(name, known),
            names=", ".join(known),
        )
    return known[name]


def sets_at_hand(beside: Path | None) -> list[Path]:
    """The files of the sets that are judged with: those in force beside a record, and bundled ones without one."""
    own = sets_folder(beside).glob("*.toml") if beside else ()
    names = {file.stem for file in own if _is_name(file.stem)}
    names |= {file.stem for file in bundled_folder("phrase_sets").glob("*.toml")}
    return [find_phrase_set(name, beside) for name in sorted(names)]


def _is_name(name: str) -> bool:
    return name.replace("-", "").isalnum()
