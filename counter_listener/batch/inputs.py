"""Expands the paths, folders and patterns given to `check` into a list of recordings and transcripts."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.audio import is_sound, sound_endings
from counter_listener.batch.check import CheckResult, failed_result
from counter_listener.domain import N_, AudioError, Event, printable, system_reason

Input = Path | CheckResult
"""A file to check; or the failed result of a folder that holds no recording or cannot be searched, or of a pattern that
no file matches."""

NO_SOUND: Final = N_("no sound in them")
NO_RIGHTS: Final = N_("they cannot be read; check their rights")
NO_FILES: Final = N_("no files")
UNFINISHED: Final = N_("by their names they are still being copied")
NOT_FOLLOWED: Final = N_("links to folders are not followed; name those folders")

NAMED: Final = 5
"""How many of the files that are left out people are told by name."""
_UNFINISHED_ENDINGS: Final = frozenset({".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp"})
_DOUBLE: Final = "._"
"""How macOS names the files with its own notes that it puts beside others on a USB stick; their endings mislead."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a folder holds and is not checked."""

    folder: Path
    reason: str
    """For people."""
    paths: tuple[Path, ...]
    """In order."""

    @property
    def result(self) -> CheckResult:
        """The same as the result of an input, for programs: one event of the kind `left_out`."""
        names = ", ".join(str(path.relative_to(self.folder)) for path in self.paths[:NAMED])
        detail = {
            "message": f"{len(self.paths)} left out ({self.reason}): {names}",
            "reason": self.reason,
            "count": len(self.paths),
            "files": [printable(str(path)) for path in self.paths],
        }
        return CheckResult(self.folder, (Event("left_out", 0.0, detail=detail),))


Found = Input | LeftOut


def expand_inputs(names: Iterable[str]) -> tuple[list[Input], list[LeftOut]]:
    """The files that paths, folders (searched recursively) and patterns name, each once, in order; what is left out.

    In a folder a file is an input if its name has an ending of a recording or transcript, or if the decoder reads it.
    """
    found: dict[Path, Input] = {}
    left_out: dict[tuple[Path, str], LeftOut] = {}
    for name in names:
        for item in _expand(name):
            if isinstance(item, LeftOut):
                left_out.setdefault((item.folder.absolute(), item.reason), item)
            else:
                found.setdefault(input_path(item).absolute(), item)
    return list(found.values()), list(left_out.values())


def _expand(name: str) -> Iterator[Found]:
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises on names that are too long
        found = list(_search(Path(name)))
        yield from found
        if not any(isinstance(item, Path | CheckResult) for item in found):
            yield failed_result(
                Path(name), AudioError("{path}: the folder contains no recording and no transcript.", path=name)
            )
    elif glob.has_magic(name) and not os.path.exists(name):  # noqa: PTH110 - as above
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        for match in matches:
            yield from _search(Path(match)) if Path(match).is_dir() else [Path(match)]
        if not matches:
            yield failed_result(Path(name), AudioError("{asked}: no file matches this pattern.", asked=name))
    else:
        yield Path(name)  # whether it can be read is found out when it is checked


def _search(folder: Path) -> Iterator[Found]:
    """All files below a folder, in order, and then what is left out of them, by reason."""
    errors: list[OSError] = []
    files: list[Path] = []
    reasons: dict[str, list[Path]] = {}
    for place, folders, names in os.walk(folder, onerror=errors.append):
        links = [Path(place, name) for name in folders if Path(place, name).is_symlink()]
        if links:
            reasons.setdefault(NOT_FOLLOWED, []).extend(links)
        files += (Path(place, name) for name in names)
    for file in sorted(files):
        if reason := why_left_out(file):
            reasons.setdefault(reason, []).append(file)
        else:
            yield file
    for error in errors:
        path = Path(error.filename or folder)
        yield failed_result(
            path,
            AudioError("{path} cannot be searched ({why}); check its rights", path=path, why=system_reason(error)),
        )
    for reason, paths in reasons.items():
        yield LeftOut(folder, reason, tuple(sorted(paths)))


def why_left_out(file: Path) -> str | None:
    """Why a file of a folder is not checked; None if it is. One that is named like a recording is told its errors."""
    ending = file.suffix.lower()
    is_named = is_transcript(file) or (ending in sound_endings() and not file.name.startswith(_DOUBLE))
    if not os.path.isfile(file) and (os.path.exists(file) or not is_named):  # noqa: PTH110, PTH113 - they never raise
        return NO_FILES
    if ending in _UNFINISHED_ENDINGS:
        return UNFINISHED
    if is_named:
        return None
    if not os.access(file, os.R_OK):
        return NO_RIGHTS
    return None if is_sound(file) else NO_SOUND


def input_path(item: Input) -> Path:
    """The path of an input."""
    return item if isinstance(item, Path) else item.path


def is_recording(item: Input) -> bool:
    """Whether an input is a recording, and not a transcript."""
    return isinstance(item, Path) and not is_transcript(item)


def file_size(file: Path) -> int:
    """Bytes of a file; 0 if it cannot be read, which checking it reports."""
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return 0
