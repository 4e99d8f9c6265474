"""Copies what lies beside a record into a backup of it: a database as one, a folder with its files."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from counter_listener.record.files import FILE_MODE, FOLDER_MODE, check_free, new_file

UNFINISHED: Final = shutil.ignore_patterns("*.part", ".*")
"""What another program is about to write, under the name that it has until it is complete."""
SQLITE: Final = b"SQLite format 3\0"
"""How a database begins."""


@contextmanager
def undone_on_failure() -> Iterator[ExitStack]:
    """A stack of what is to be undone, last first, if the block fails."""
    with ExitStack() as undo:
        yield undo
        undo.pop_all()


def copy_all(pairs: Sequence[tuple[Path, Path]], undo: ExitStack) -> None:
    """Copies each file or folder that is there to a new name; `undo` then takes the copies away.

    A database of SQLite is copied as it is at one moment; other files are only ever replaced as a whole. Copies are for
    their owner alone. Raises RecordError for a name that is taken, OSError and sqlite3.Error.
    """
    for source, target in pairs:
        if not source.exists():
            continue
        check_free(target)
        undo.callback(_remove, target)
        copy = _copy_folder if source.is_dir() else _copy_database if _is_database(source) else _copy_file
        copy(source, target)


def _copy_folder(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=UNFINISHED)
    for folder, _folders, files in os.walk(target):
        Path(folder).chmod(FOLDER_MODE)
        for name in files:
            Path(folder, name).chmod(FILE_MODE)
            with Path(folder, name).open("rb+") as file:
                os.fsync(file.fileno())


def _copy_database(source: Path, target: Path) -> None:
    with new_file(target) as part, closing(sqlite3.connect(source)) as database:
        database.execute("VACUUM INTO CAST(? AS TEXT)", (os.fsencode(part),))


def _is_database(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _copy_file(source: Path, target: Path) -> None:
    with new_file(target) as part:
        shutil.copyfile(source, part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
