"""What `check` was asked to check: files, folders and patterns become a list of recordings and transcripts."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counter_listener.asr import is_transcript
from counter_listener.domain import AudioError, CounterListenerError

_SUFFIXES = """
    3ga 3gp aac aif aiff amr asf avi awb flac m4a m4b mka mkv mov mp3 mp4 oga ogg opus wav wave webm wma wmv
"""
AUDIO_SUFFIXES: Final = frozenset(f".{name}" for name in _SUFFIXES.split())
"""What a folder is searched for: lower case, with the dot."""


@dataclass(frozen=True, slots=True)
class MissingInput:
    """An input that stands for nothing."""

    path: Path
    error: CounterListenerError


def expand_inputs(asked: Iterable[str]) -> list[Path | MissingInput]:
    """The files that the asked paths, folders (searched recursively) and patterns stand for, each once, in order."""
    found: dict[Path, Path | MissingInput] = {}
    for one in asked:
        for path in _expand(one):
            file = path.path if isinstance(path, MissingInput) else path
            found.setdefault(file.absolute(), path)
    return list(found.values())


def _expand(asked: str) -> Iterator[Path | MissingInput]:
    path = Path(asked)
    if os.path.isdir(asked):  # noqa: PTH112 - Path.is_dir raises on names that are too long
        inside = [file for file in _files_in(path) if _is_input(file)]
        yield from inside
        if not inside:
            yield MissingInput(path, AudioError("{path}: the folder holds no recording and no transcript.", path=path))
    elif os.path.exists(asked) or not glob.has_magic(asked):  # noqa: PTH110 - as above
        yield path
    else:
        matched = sorted(glob.glob(asked, recursive=True))  # noqa: PTH207 - the pattern may be absolute
        files = [Path(name) for name in matched if Path(name).is_file()]
        yield from files
        if not files:
            yield MissingInput(path, AudioError("{asked}: no file fits this pattern.", asked=asked))


def _files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _is_input(file: Path) -> bool:
    return file.suffix.lower() in AUDIO_SUFFIXES or is_transcript(file)


def is_recording(one: Path | MissingInput) -> bool:
    """Whether an input is to be heard."""
    return isinstance(one, Path) and not is_transcript(one)


def file_size(file: Path) -> int:
    """Bytes of a file; 0 where there is none that can be read: checking it says why."""
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return 0
