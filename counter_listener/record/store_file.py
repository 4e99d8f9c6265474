"""The file that holds the record: its name, its rights, and how a copy is put in place; no database here."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from counter_listener.domain import N_, RecordError, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_RIGHTS = 0o600
FOLDER_RIGHTS = 0o700
SMALLEST = 512
"""Bytes; a file shorter than one page SQLite takes for an empty database, and would write over."""

CAUSES = {
    sqlite3.SQLITE_BUSY: N_("{name} is held by another program; try again when it has finished."),
    sqlite3.SQLITE_FULL: N_("there is no room left for {name}; make room on its disk and try again."),
    sqlite3.SQLITE_READONLY: N_("{name} is read-only; give yourself the right to write it and its folder."),
    sqlite3.SQLITE_CANTOPEN: N_("{name} cannot be opened; see that you may read and write it and its folder."),
    sqlite3.SQLITE_NOTADB: N_("{name} is not a record but some other file; give the record another name."),
    sqlite3.SQLITE_CORRUPT: N_("{name} is damaged; put a backup in its place."),
}
OTHER_CAUSE = N_("{name} cannot be used, for SQLite says {said!r}; see to its disk or put a backup in its place.")


def record_file(url_or_path: str | Path) -> Path:
    """The file meant by "sqlite:///FILE" or a plain path; StoreError for every other kind of URL."""
    text = str(url_or_path)
    if "://" in text:
        text = _from_url(text)
    if "\0" in text:
        raise RecordError("the record's file name holds a NUL byte; give it another name.")
    return Path(text).absolute()


def shown(path: Path) -> str:
    """The path as it can be printed and stored anywhere, whatever bytes its name is made of."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def sqlite_cause(name: str | Sentence, code: int, said: str) -> Sentence:
    """The sentence for an error that SQLite gave: its code (extended or not) and its own words."""
    return Sentence(CAUSES.get(code & 0xFF, OTHER_CAUSE), {"name": name, "said": said})


def prepare_file(path: Path, *, create: bool) -> None:
    """See that the file is there: made if asked for, for its owner alone. Raises StoreError and OSError."""
    if path.is_dir():
        raise RecordError("{path} is a folder; name a file inside it for the record.", path=shown(path))
    if create:
        _make_folder(path.parent)
        _make_file(path)
    elif not path.exists():
        raise RecordError("{path} does not exist; name the file that holds the record.", path=shown(path))
    if 0 < path.stat().st_size < SMALLEST:
        raise RecordError(sqlite_cause(shown(path), sqlite3.SQLITE_NOTADB, ""))


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """An empty file beside `target` to write into; moved to that name when the block ends well.

    Raises StoreError if the name is taken, OSError if the folder cannot be written.
    """
    _refuse_taken(target)
    handle, name = tempfile.mkstemp(prefix=".record-", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    part.chmod(FILE_RIGHTS)
    try:
        yield part
        _flush(part)
        _refuse_taken(target)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def _from_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        raise RecordError("a record cannot be kept in {scheme!r} yet; give a file or sqlite:///FILE.", scheme=scheme)
    if not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest:
        raise RecordError(
            "{url} names no file; write sqlite:///FILE, or sqlite:////FOLDER/FILE from the root.", url=url
        )
    return rest[1:]


def _make_folder(folder: Path) -> None:
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=FOLDER_RIGHTS, exist_ok=True)
        missing.chmod(FOLDER_RIGHTS)  # a umask may have taken the owner's own rights


def _make_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_RIGHTS))
    except FileExistsError:
        return
    path.chmod(FILE_RIGHTS)


def _refuse_taken(target: Path) -> None:
    if target.exists():
        raise RecordError("{target} exists already; give the backup another name.", target=shown(target))


def _flush(path: Path) -> None:
    """SQLite leaves a copy that it wrote with VACUUM INTO to the system's buffers."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
