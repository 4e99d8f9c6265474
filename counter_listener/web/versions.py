"""The versions of phrase sets that were saved on the pages: files beside the record, of which none is ever changed.

    events.db.phrases/
        bank-counter/1.toml, 2.toml, ...     each version that was saved
        bank-counter/2.in-force              says that version 2 has been in force
        bank-counter.toml                    a copy of the one that is in force

Who saved what, and when, are rows of the record (record/phrase_changes.py).
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from counter_listener.domain import PhraseSetError, RecordError, bundled_folder, system_reason
from counter_listener.phrases import sets_folder

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
SHIPPED: Final = 0
"""The number of the version that ships with the program, or that somebody put into the folder."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class VersionConflictError(PhraseSetError):
    "Somebody saved a version in the meantime."


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a phrase set."""

    name: str
    """Of the set, as `--phrases` takes it."""
    number: int
    path: Path

    @property
    def text(self) -> str:
        """The text of the file. Raises PhraseSetError."""
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PhraseSetError("{path} cannot be read; restore it from a backup.", path=self.path) from error

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return file_digest(self.path)


class Versions:
    """The versions beside one record."""

    def __init__(self, record: Path) -> None:
        self.folder = sets_folder(record)

    def names(self) -> list[str]:
        """The names of the sets that can be edited: those in this folder, then those that ship with the program."""
        here = [file.stem for file in sorted(self.folder.glob("*.toml")) if NAME.fullmatch(file.stem)]
        return list(dict.fromkeys((*here, *sorted(_shipped()))))

    def all(self, name: str) -> list[Version]:
        """The versions of a set, the newest last; the first is the one before all changes."""
        saved = sorted(int(file.stem) for file in (self.folder / name).glob("*.toml") if file.stem.isdecimal())
        first = [Version(name, SHIPPED, self._origin(name))] if SHIPPED not in saved else []
        return [*first, *(Version(name, number, self._file(name, number)) for number in saved)]

    def _origin(self, name: str) -> Path:
        """The file of a set before anything was saved here."""
        return _shipped().get(name) or self.folder / f"{name}.toml"

    def _keep_origin(self, name: str) -> None:
        """Keeps a set of one's own as it was put there, before a version takes its place."""
        origin, kept = self._origin(name), self._file(name, SHIPPED)
        if name not in _shipped() and not kept.exists():
            self._write_new(kept, origin.read_bytes())
            kept.with_suffix(".in-force").touch(FILE_MODE)

    def find(self, name: str, number: int | None = None) -> Version | None:
        """A version of a set; None for the number is the newest."""
        if name not in self.names():
            return None
        found = self.all(name)
        return found[-1] if number is None else next((one for one in found if one.number == number), None)

    def in_force(self, name: str) -> Version:
        """The version with which recordings are judged."""
        used = self.folder / f"{name}.toml"
        if not used.is_file():
            return self.all(name)[0]
        digest = hashlib.sha256(used.read_bytes()).hexdigest()
        return next((one for one in reversed(self.all(name)) if one.digest == digest), Version(name, -1, used))

    def used(self) -> list[Path]:
        """The files of every version that has been in force."""
        marks = self.folder.glob("*/*.in-force")
        return sorted(file for mark in marks if (file := mark.with_suffix(".toml")).is_file())

    def save(self, name: str, text: str, base: int) -> Version:
        """Saves a new version, made from the newest one. Raises VersionConflictError if that is not the newest now."""
        newest = self.all(name)[-1].number
        number = newest + 1
        if newest == base:
            try:
                self._keep_origin(name)
                self._write_new(self._file(name, number), text.encode("utf-8"))
                return Version(name, number, self._file(name, number))
            except FileExistsError:
                newest = number
            except OSError as error:
                raise _unwritable(self.folder, error) from error
        raise VersionConflictError(
            "Somebody saved version {number} in the meantime; load the page again, and enter your change there.",
            number=newest,
        )

    def put_in_force(self, version: Version) -> None:
        """Makes a version the one with which recordings are judged from now on. Raises RecordError."""
        target = self.folder / f"{version.name}.toml"
        try:
            self._file(version.name, version.number).with_suffix(".in-force").touch(FILE_MODE)
            part = target.with_suffix(".part")
            part.unlink(missing_ok=True)
            self._write_new(part, version.path.read_bytes())
            part.replace(target)
        except OSError as error:
            raise _unwritable(target, error) from error

    def _file(self, name: str, number: int) -> Path:
        return self.folder / name / f"{number}.toml"

    def _write_new(self, path: Path, content: bytes) -> None:
        """Writes a file that is not there yet, for its owner alone, and does not return before it is on the disk."""
        path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _shipped() -> dict[str, Path]:
    """The sets that ship with the program, by name."""
    return {file.stem: file for file in bundled_folder("phrase_sets").glob("*.toml")}


def _unwritable(path: Path, error: OSError) -> RecordError:
    return RecordError(
        "{path} cannot be written ({why}); check its folder and permissions", path=path, why=system_reason(error)
    )


@lru_cache(maxsize=256)
def _digest(path: Path, _size: int, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read again only if it has changed. Raises PhraseSetError."""
    try:
        facts = path.stat()
        return _digest(path, facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        raise PhraseSetError("{path} cannot be read; restore it from a backup.", path=path) from error
