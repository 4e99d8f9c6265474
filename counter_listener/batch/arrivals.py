"""The files of watched folders, from their first sight until they are dealt with: when each is whole, and when it is
tried again. Pure but for the look at the folders.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

RETRIES: Final = (3, 12, 48)
"""How long a file that failed is left alone before each further try, in multiples of the time in which it settles."""


class Look(NamedTuple):
    """What is seen of a file without opening it. It is the same as before only if nobody wrote to the file."""

    size: int
    """Bytes."""
    changed: int
    """Nanoseconds."""


@dataclass(slots=True)
class Arrival:
    """A file that is there. Times are by the clock."""

    look: Look
    since: float
    """When it was first seen like this."""
    tries: int = 0
    """How often it failed since."""
    again: float = 0.0
    """Not tried before this time."""
    settled: bool = False
    """Whether it was dealt with as it is."""


@dataclass
class Arrivals:
    """The files that are there, and how far each has come."""

    settle: float
    """Seconds in which a file must not have changed before it counts as whole."""
    files: dict[Path, Arrival] = field(default_factory=dict)

    def see(self, looks: Mapping[Path, Look], missing: Iterable[Path], now: float) -> None:
        """Takes in what the folders hold. What is in a folder that is missing for now stays known."""
        gone = tuple(missing)
        for path in [path for path in self.files if path not in looks]:
            if not any(path.is_relative_to(folder) for folder in gone):
                del self.files[path]
        for path, look in looks.items():
            before = self.files.get(path)
            if before is None or before.look != look:
                self.files[path] = Arrival(look, now)

    def due(self, now: float) -> list[Path]:
        """The files that can be dealt with now, in order."""
        return sorted(path for path, one in self.files.items() if not one.settled and self._moment(one) <= now)

    def next_moment(self) -> float | None:
        """When the next file can be dealt with, if nothing changes; None if all are."""
        return min((self._moment(one) for one in self.files.values() if not one.settled), default=None)

    def done(self, path: Path) -> None:
        """The file was dealt with; it is looked at again only if somebody changes it."""
        if path in self.files:
            self.files[path].settled = True

    def failed(self, path: Path, now: float, *, forever: bool = False) -> bool:
        """Whether the file will be tried again; with `forever` it always is, for the fault is not its own."""
        one = self.files.get(path)
        if one is None:
            return False
        one.tries += 1
        if one.tries > len(RETRIES) and not forever:
            return False
        one.again = now + self.settle * RETRIES[min(one.tries, len(RETRIES)) - 1]
        return True

    def waiting(self) -> list[Path]:
        """The files that are not dealt with, in order."""
        return sorted(path for path, one in self.files.items() if not one.settled)

    def _moment(self, one: Arrival) -> float:
        return max(one.since + self.settle, one.again)


def look_at(folders: Iterable[Path], is_ours: Callable[[Path], bool]) -> tuple[dict[Path, Look], list[Path]]:
    """Every file below the folders but those that are ours, and the folders that cannot be read for now."""
    looks: dict[Path, Look] = {}
    missing = []
    for folder in folders:
        errors: list[OSError] = []
        looks.update(_files(folder, is_ours, errors))
        missing += [Path(error.filename or folder) for error in errors]
    return looks, missing


def _files(folder: Path, is_ours: Callable[[Path], bool], errors: list[OSError]) -> Iterator[tuple[Path, Look]]:
    for place, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if not is_ours(Path(place, name))]
        for path in (Path(place, name) for name in names):
            if is_ours(path):
                continue
            try:
                seen = path.stat()
            except FileNotFoundError:  # it went away meanwhile, or it is a link to nothing
                continue
            except OSError as error:
                errors.append(error)
                continue
            yield path, Look(seen.st_size, seen.st_mtime_ns)
