"""Unpacks the archive of a model. All of it is checked before anything is written."""

import errno
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from counter_listener.domain import ModelError, Sentence, sentence, system_reason

CHUNK_BYTES: Final = 1 << 20
MAX_ENTRIES: Final = 2_000
"""The official models have between 13 and about 40 files."""
MAX_RATIO: Final = 20
"""Largest size of the files relative to the archive. The official models stay under 2; a ZIP bomb needs hundreds."""
RATIO_FREE_BYTES: Final = 1 << 20
"""Bytes that MAX_RATIO does not count: a tiny archive can have a high ratio."""
MODEL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?<!\.)")
"""Names that a model can have on every system."""
DEVICE_NAME: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Names that Windows gives to devices, with any suffix."""
FORBIDDEN_CHARACTERS: Final = re.compile(r'[<>:"/|?*\\\x00-\x1f\x7f]')
MAX_PATH: Final = 180
"""Characters of a path within a model. Windows allows 260 for the whole path."""
ENCRYPTED: Final = 1
"""A bit of an entry's flags (APPNOTE.TXT 6.3, section 4.4.4)."""
FINDER_FOLDER: Final = "__MACOSX"
"""A folder that the macOS Finder adds to each archive."""

TransferProgress = Callable[[int, int | None], None]
"""Called with the bytes that are done, and the total if it is known."""


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """An archive that has been checked."""

    archive: Path
    folder: str
    """The one folder in it: the model."""
    files: tuple[zipfile.ZipInfo, ...]
    size: int
    """Bytes of the unpacked files."""


def inspect_archive(archive: Path) -> ArchiveContents:
    """Checks everything in an archive before anything is written. Raises ModelError."""
    with _open_archive(archive) as opened:
        entries = [entry for entry in opened.infolist() if entry.filename.split("/")[0] != FINDER_FOLDER]
        for fault in _faults(entries, archive.stat().st_size):
            raise _refusal(archive, fault)
    files = tuple(entry for entry in entries if not entry.is_dir())
    return ArchiveContents(archive, entries[0].filename.split("/")[0], files, sum(entry.file_size for entry in files))


def unpack(contents: ArchiveContents, into: Path, progress: TransferProgress) -> None:
    """Writes the files of a model into the new folder `into`. Raises ModelError, OSError."""
    into.mkdir(parents=True)
    written = 0
    with _open_archive(contents.archive) as opened:
        for entry in contents.files:
            target = into.joinpath(*entry.filename.split("/")[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(entry) as source, target.open("xb") as file:
                while chunk := source.read(CHUNK_BYTES):
                    file.write(chunk)
                    written += len(chunk)
                    progress(written, contents.size)
    if written != contents.size:
        raise _refusal(contents.archive, sentence("it is damaged: its files are shorter than stated"))


def is_portable_name(name: str) -> bool:
    """Whether a file or folder can have this name on every system that the program runs on."""
    forbidden = FORBIDDEN_CHARACTERS.search(name) or DEVICE_NAME.match(name)
    return not (name in {"", ".", ".."} or name[-1] in ". " or forbidden)


def _faults(entries: Sequence[zipfile.ZipInfo], archive_size: int) -> Iterator[Sentence]:
    if len(entries) > MAX_ENTRIES:
        yield sentence("it has {count} entries, more than any model", count=len(entries))
    for entry in entries:
        yield from _entry_faults(entry)
    yield from _name_conflicts([entry.filename for entry in entries])
    folders = {entry.filename.split("/")[0] for entry in entries}
    if len(folders) != 1 or any("/" not in entry.filename for entry in entries):
        yield sentence("it does not contain exactly one folder with a model")
    size = sum(entry.file_size for entry in entries)
    if size > archive_size * MAX_RATIO + RATIO_FREE_BYTES:
        yield sentence("it would unpack to {size:,} bytes, far more than a model of its size", size=size)


def _entry_faults(entry: zipfile.ZipInfo) -> Iterator[Sentence]:
    name = entry.orig_filename  # as in the archive: zipfile cuts `filename` at a NUL, and replaces \ on Windows
    shown = ascii(name[:80])
    path = name.removesuffix("/")
    if len(path) > MAX_PATH or not all(map(is_portable_name, path.split("/"))):
        yield sentence("{name} in it leads elsewhere or is not valid on every system", name=shown)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR and not entry.is_dir()):
        yield sentence("{name} in it is a link or a device, not a file", name=shown)
    if entry.flag_bits & ENCRYPTED:
        yield sentence("it is locked with a password")
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        yield sentence("{name} in it is packed in an unusual way; pack the folder again as a plain ZIP", name=shown)


def _name_conflicts(names: Sequence[str]) -> Iterator[Sentence]:
    by_key: dict[str, str] = {}
    for name in names:
        # as Windows and macOS compare names: without case, and with composed accents
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.removesuffix("/")).casefold())
        if key in by_key:
            yield sentence("it contains {name!a} twice, or two names that are the same on some systems", name=name[:80])
        by_key[key] = name
    for key in by_key:
        for folder in accumulate(key.split("/")[:-1], "{}/{}".format):
            if not by_key.get(folder, "/").endswith("/"):
                yield sentence("{name!a} in it is both a file and a folder", name=folder[:80])


@contextmanager
def _open_archive(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except OSError as error:
        if error.errno == errno.EINVAL:  # a central directory that points before the beginning of the file
            raise _refusal(archive, sentence("it is damaged")) from None
        if error.filename is None or Path(error.filename) != archive:
            raise  # an error of writing
        raise ModelError("{archive} cannot be read ({why}).", archive=archive, why=system_reason(error)) from None
    except zipfile.BadZipFile:
        raise _refusal(archive, sentence("it is not a complete ZIP file")) from None
    except (zlib.error, struct.error, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError):
        raise _refusal(archive, sentence("it is damaged")) from None


def _refusal(archive: Path, why: Sentence) -> ModelError:
    return ModelError(
        "{archive} is not unpacked: {why}. Get the model's archive again from its makers.", archive=archive, why=why
    )
