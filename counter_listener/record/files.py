"""The file that holds the record: its name, its permissions, its locks, and how a copy is put in place."""

import hashlib
import os
import re
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from counter_listener.domain import (
    N_,
    BusyError,
    RecordError,
    Sentence,
    companion,
    data_folder,
    sentence,
    system_reason,
)

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
SERVERS: Final = ("postgresql", "postgresql+psycopg", "postgres")
"""The schemes of URLs that name a database of a server."""
SMALLEST: Final = 512
"""Bytes. SQLite takes a file shorter than one page for an empty database, and would overwrite it."""

CAUSES: Final = {
    sqlite3.SQLITE_BUSY: N_("{name} is locked by another program; try again when that program has finished."),
    sqlite3.SQLITE_FULL: N_("the disk has no room left for {name}; free some space and try again."),
    sqlite3.SQLITE_READONLY: N_("{name} is read-only; ask for permission to write to it and to its folder."),
    sqlite3.SQLITE_CANTOPEN: N_("{name} cannot be opened; check that you may read and write it and its folder."),
    sqlite3.SQLITE_NOTADB: N_("{name} is not a record; choose another file name for the record."),
    sqlite3.SQLITE_CORRUPT: N_("{name} is damaged; restore it from a backup."),
}
OTHER_CAUSE: Final = N_("{name} cannot be used: SQLite reports {said!r}; check its disk, or restore it from a backup.")


def is_server(url_or_path: str | Path) -> bool:
    """Whether a location names a database of a server, not a file."""
    scheme, separator, _ = str(url_or_path).partition("://")
    return bool(separator) and scheme in SERVERS


def server_name(url: str) -> str:
    """A URL of a server as messages show it: without user, password and settings."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[0]
    except ValueError:
        return "postgresql://"
    return f"postgresql://{unquote(host)}/{unquote(parts.path.strip('/'))}"


def record_file(url_or_path: str | Path) -> Path:
    """The file that "sqlite:///FILE" or a plain path names. Raises RecordError for every other kind of URL.

    A record in PostgreSQL has no file; its accounts, phrase sets and transcripts lie beside this name in the data
    folder.
    """
    name = str(url_or_path)
    scheme, separator, rest = name.partition("://")
    if is_server(name):
        return data_folder() / (re.sub(r"[^\w.]+", "-", server_name(name)) + ".db")
    if separator and scheme != "sqlite":
        raise RecordError(
            "a record cannot be kept in {scheme!r}; give a file, sqlite:///FILE or postgresql://HOST/DATABASE.",
            scheme=scheme,
        )
    if separator and (not rest.startswith("/") or rest in ("/", "/:memory:") or "?" in rest):
        raise RecordError(
            "{url} names no file; write sqlite:///FILE, or sqlite:////FOLDER/FILE from the root.", url=name
        )
    if "\0" in name:
        raise RecordError("the record's file name holds a NUL byte; give it another name.")
    return Path(rest[1:] if separator else name).absolute()


def path_text(path: Path) -> str:
    """The path as text that can be printed and stored, even if its name is not valid UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


@contextmanager
def private_part(path: Path, content: bytes) -> Iterator[Path]:
    """A complete file beside `path`, on the disk and for its owner alone, to be given that name. Raises OSError."""
    make_folders(path)
    handle, name = tempfile.mkstemp(prefix=".private-", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(FILE_MODE)
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def file_errors(name: str | Sentence) -> Iterator[None]:
    """Turns an error of the system into a RecordError: one sentence about `name`."""
    try:
        yield
    except OSError as error:
        raise RecordError(
            "{name} cannot be used: {why}; check its folder and permissions.", name=name, why=system_reason(error)
        ) from error


def sqlite_reason(name: str | Sentence, code: int, message: str) -> Sentence:
    """The sentence for an error of SQLite. The low byte of an extended error code is the basic code."""
    return Sentence(CAUSES.get(code & 0xFF, OTHER_CAUSE), {"name": name, "said": message})


def prepare_file(path: Path, *, create: bool) -> None:
    """Checks that the file can be a record; with `create` makes it, and its folder, for its owner alone.

    Raises RecordError and OSError.
    """
    if path.is_dir():
        raise RecordError("{path} is a folder; name a file inside it for the record.", path=path_text(path))
    if create:
        make_folders(path)
        with suppress(FileExistsError):
            path.touch(FILE_MODE, exist_ok=False)
            path.chmod(FILE_MODE)
    elif not path.exists():
        raise RecordError("{path} does not exist; name the file that holds the record.", path=path_text(path))
    if 0 < path.stat().st_size < SMALLEST:
        raise RecordError(sqlite_reason(path_text(path), sqlite3.SQLITE_NOTADB, ""))


def make_folders(path: Path) -> None:
    """Makes the folders of a file that do not exist, for their owner alone. Raises OSError."""
    for folder in reversed([each for each in path.parents if not each.exists()]):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        folder.chmod(FOLDER_MODE)  # a umask may have removed the permissions of the owner


def readable_by_others(*paths: Path) -> list[Path]:
    """Those of the files and folders to which other users of the computer have any right; POSIX only."""
    found = []
    for path in paths if os.name == "posix" else ():
        with suppress(OSError):  # who opens it is told
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                found.append(path)
    return found


def make_private(path: Path) -> None:
    """Takes the rights on a file or folder from everybody but its owner. Raises OSError."""
    path.chmod(path.stat().st_mode & stat.S_IRWXU)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """An empty temporary file next to `target`, which gets that name if the block ends without an error.

    Raises RecordError if the name is taken, OSError if the folder cannot be written.
    """
    check_free(target)
    handle, name = tempfile.mkstemp(prefix=".record-", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    part.chmod(FILE_MODE)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # SQLite does not flush a copy that VACUUM INTO wrote
        check_free(target)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def check_free(target: Path) -> None:
    """Raises RecordError if a name is taken."""
    if target.exists():
        raise RecordError("{target} exists already; give the backup another name.", target=path_text(target))


@contextmanager
def lock_counter(url_or_path: str, counter: str) -> Iterator[None]:
    """Holds the lock of a counter in a record, so that one listener listens there. The lock ends with its process.

    Raises BusyError if another listener holds it, RecordError if the folder of the record cannot be written.
    """
    from filelock import FileLock, Timeout  # 0.1 s, of which only `listen` has a use

    record = record_file(url_or_path)
    digest = hashlib.sha256(counter.encode("utf-8", "surrogatepass")).hexdigest()[:12]  # a counter may have any name
    with file_errors(path_text(record)):
        if is_server(url_or_path):
            make_folders(record)
        else:
            prepare_file(record, create=True)
        lock = FileLock(companion(record, "listening", digest), timeout=0, mode=FILE_MODE)
        try:
            lock.acquire()
        except Timeout:
            name = (
                sentence("counter {counter!r}", counter=counter) if counter else sentence("the counter without a name")
            )
            raise BusyError(
                "A listener already listens at {name} for {record}; stop it, or give this one another --counter.",
                name=name,
                record=path_text(record),
            ) from None
    try:
        yield
    finally:
        lock.release()
