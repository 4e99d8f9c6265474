"""Moves recordings that were checked out of the watched folders: whole or not at all, and never over another file."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EXDEV
from pathlib import Path

PART = ".part"
"""The ending of a copy that is not whole. `check` leaves such files out."""


@dataclass
class Mover:
    """Where each file goes: to the same place below another folder as below the watched one."""

    target: Path
    folders: Sequence[Path]
    """The watched folders."""
    places: dict[Path, Path] = field(default_factory=dict)
    """Of files that are not moved yet."""

    def place(self, path: Path) -> Path:
        """Where a file will lie. The record is told before the file is moved, so that it is right after a kill too."""
        if path not in self.places:
            within = max(
                (folder for folder in self.folders if path.is_relative_to(folder)), key=lambda one: len(str(one))
            )
            wanted = self.target / path.relative_to(within)
            taken, number, place = set(self.places.values()), 1, wanted
            while place in taken or (os.path.lexists(place) and not _same(place, path)):
                number += 1
                place = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
            self.places[path] = place
        return self.places[path]

    def move(self, path: Path) -> Path:
        """Moves a file, and returns where it lies. Raises OSError, and the file is where it was."""
        place = self.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.replace(place)
        except OSError as error:
            if error.errno != EXDEV:
                raise
            _copy(path, place)  # another disk
            path.unlink()
        del self.places[path]
        return place


def _copy(path: Path, place: Path) -> None:
    part = place.with_name(place.name + PART)
    try:
        shutil.copy2(path, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    """Whether two files have the same content. A file that cannot be read is like no other."""
    try:
        if one.stat().st_size != other.stat().st_size:
            return False
        with one.open("rb") as first, other.open("rb") as second:
            return hashlib.file_digest(first, "sha256").digest() == hashlib.file_digest(second, "sha256").digest()
    except OSError:
        return False
