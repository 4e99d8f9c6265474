"""Expands the paths, folders and patterns given to `check` into a list of recordings and transcripts."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.batch.check import CheckResult, failed_result
from counter_listener.domain import AudioError

_SUFFIXES = """
    3ga 3gp aac aif aiff amr asf avi awb flac m4a m4b mka mkv mov mp3 mp4 oga ogg opus wav wave webm wma wmv
"""
AUDIO_SUFFIXES: Final = frozenset(f".{name}" for name in _SUFFIXES.split())
"""Suffixes of the recordings that are found in a folder: lower case, with the dot."""

Input = Path | CheckResult
"""A file to check; or the failed result of a folder without recordings, or of a pattern that no file matches."""


def expand_inputs(names: Iterable[str]) -> list[Input]:
    """The files that paths, folders (searched recursively) and patterns name, each once, in order."""
    found: dict[Path, Input] = {}
    for name in names:
        for item in _expand(name):
            found.setdefault(input_path(item).absolute(), item)
    return list(found.values())


def _expand(name: str) -> Iterator[Input]:
    path = Path(name)
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises on names that are too long
        names = (file for file in path.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES or is_transcript(file))
        files = sorted(file for file in names if file.is_file())
        error = AudioError("{path}: the folder contains no recording and no transcript.", path=path)
    elif glob.has_magic(name) and not os.path.exists(name):  # noqa: PTH110 - as above
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        files = [Path(match) for match in matches if Path(match).is_file()]
        error = AudioError("{asked}: no file matches this pattern.", asked=name)
    else:
        yield path  # whether it can be read is found out when it is checked
        return
    yield from files
    if not files:
        yield failed_result(path, error)


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
