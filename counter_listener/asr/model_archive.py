"""Unpacks a model's archive: looks through all of it first, and writes only where and what a model can rightly have."""

from __future__ import annotations

import errno
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counter_listener.asr.transfer import TransferProgress
from counter_listener.domain import ModelError, Sentence, sentence, system_reason

CHUNK: Final = 1 << 20
ENTRIES: Final = 2_000
"""The official models have between 13 and about 40 files."""
RATIO: Final = 20
"""Times its archive that a model may unpack to; the official ones stay under 2, a bomb needs hundreds."""
FREE: Final = 1 << 20
"""Bytes that RATIO does not count: a tiny archive may well unpack to more."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?<!\.)")
"""What a model may be called, on every system."""
DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Names that Windows gives to devices, with whatever follows a dot."""
FORBIDDEN: Final = re.compile(r'[<>:"/|?*\\\x00-\x1f\x7f]')
LONGEST: Final = 180
"""Characters of a path within a model: Windows has 260 for the whole of it."""
ENCRYPTED: Final = 1
"""A bit of an entry's flags (APPNOTE.TXT 6.3, section 4.4.4)."""
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NOT_OURS: Final = "__MACOSX"
"""A folder that the Finder adds to each archive."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An archive that has been looked through."""

    archive: Path
    folder: str
    """The one folder in it: the model."""
    files: tuple[zipfile.ZipInfo, ...]
    size: int
    """Bytes, once unpacked."""


def look_through(archive: Path) -> Plan:
    """Everything in an archive, checked before anything is written. Raises ModelError."""
    with _opened(archive) as opened:
        entries = [entry for entry in opened.infolist() if entry.filename.split("/")[0] != NOT_OURS]
        if len(entries) > ENTRIES:
            raise _refused(archive, sentence("it has {count} entries, which no model has", count=len(entries)))
        for entry in entries:
            _check(archive, entry)
        _check_together(archive, [entry.filename for entry in entries])
        files = tuple(entry for entry in entries if not entry.is_dir())
        tops = {entry.filename.split("/")[0] for entry in entries}
        if len(tops) != 1 or any("/" not in entry.filename for entry in files):
            raise _refused(archive, sentence("it does not hold one folder with one model in it"))
        size = sum(entry.file_size for entry in files)
        if size > archive.stat().st_size * RATIO + FREE:
            raise _refused(
                archive, sentence("it would unpack to {size:,} bytes, far more than a model of its size", size=size)
            )
        return Plan(archive, tops.pop(), files, size)


def unpack(plan: Plan, into: Path, moved: TransferProgress) -> None:
    """Writes the files of a model into the folder `into`, which must not be there yet. Raises ModelError, OSError."""
    into.mkdir(parents=True)
    written = 0
    with _opened(plan.archive) as opened:
        for entry in plan.files:
            target = into.joinpath(*entry.filename.split("/")[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(entry) as source, target.open("xb") as file:
                for chunk in iter(lambda source=source: source.read(CHUNK), b""):  # type: ignore[misc]
                    file.write(chunk)
                    written += len(chunk)
                    moved(written, plan.size)
    if written != plan.size:
        raise _refused(plan.archive, sentence("it is damaged: its files are shorter than it says"))


def check_part(part: str) -> bool:
    """Whether a file or folder may have this name on every system that we run on."""
    return not (part in {"", ".", ".."} or part[-1] in ". " or FORBIDDEN.search(part) or DEVICE.match(part))


def key(path: str) -> str:
    """A path as Windows and macOS compare it: without case, and with each accent on its letter."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _check(archive: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename  # as it stands in the archive: zipfile cuts it at a NUL and turns backslashes on Windows
    shown = ascii(name[:80])
    path = name.removesuffix("/")
    if len(path) > LONGEST or not all(check_part(part) for part in path.split("/")):
        raise _refused(
            archive,
            sentence(
                "it would write to {name}, a name that leads elsewhere or that some system cannot have", name=shown
            ),
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR} or (kind == stat.S_IFDIR) > entry.is_dir():
        raise _refused(archive, sentence("{name} in it is a link or a device, not a file", name=shown))
    if entry.flag_bits & ENCRYPTED:
        raise _refused(archive, sentence("it is locked with a password"))
    if entry.compress_type not in METHODS:
        raise _refused(
            archive,
            sentence("{name} in it is packed in an unusual way; pack the folder again as a plain ZIP", name=shown),
        )


def _check_together(archive: Path, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        one = key(name.removesuffix("/"))
        if one in seen:
            raise _refused(
                archive,
                sentence("it names {name!a} twice, or in two ways that some systems hold to be one", name=name[:80]),
            )
        seen[one] = name
    for one in seen:
        for folder in _folders(one):
            if not seen.get(folder, "/").endswith("/"):
                raise _refused(archive, sentence("{name!a} in it is a file and a folder at once", name=folder[:80]))


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    yield from ("/".join(parts[:depth]) for depth in range(1, len(parts)))


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except ModelError:
        raise
    except OSError as error:
        if error.errno == errno.EINVAL:  # a directory that points before the file's beginning
            raise _refused(archive, sentence("it is damaged")) from None
        if error.filename is None or Path(error.filename) != archive:
            raise  # of what is written, not of the archive
        raise ModelError("{archive} cannot be read ({why}).", archive=archive, why=system_reason(error)) from None
    except zipfile.BadZipFile:
        raise _refused(archive, sentence("it is no ZIP file, or not a whole one")) from None
    except (zlib.error, struct.error, EOFError, RuntimeError, NotImplementedError, ValueError, OverflowError):
        raise _refused(archive, sentence("it is damaged")) from None


def _refused(archive: Path, why: Sentence) -> ModelError:
    return ModelError(
        "{archive} is not unpacked: {why}. Get the model's archive again from its makers.", archive=archive, why=why
    )
