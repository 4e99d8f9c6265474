"""The word table inside an OpenFst file: Vosk's small models carry their vocabulary there and nowhere else."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

FST_MAGIC: Final = 2_125_659_606
"""First four bytes of an OpenFst file (fst.h, kFstMagicNumber)."""
TABLE_MAGIC: Final = 2_125_658_996
"""First four bytes of a symbol table (symbol-table.cc, kSymbolTableMagicNumber)."""
INPUT_TABLE: Final = 1
OUTPUT_TABLE: Final = 2
"""Bits of the header's flags (fst.h, FstHeader::Flags)."""
LONGEST: Final = 4096
"""Bytes. No type name or word is longer; a damaged length must not ask for gigabytes."""


class NoTableError(ValueError):
    "A file is no OpenFst file, or its symbol table is damaged."


def output_symbols(file: Path) -> dict[str, int] | None:
    """The output symbols of an FST by name, or None where it carries none.

    The layout is OpenFst's: FstHeader::Write in fst.cc, SymbolTableImpl::Write in symbol-table.cc.
    Raises NoTableError, or OSError where the file cannot be read.
    """
    with file.open("rb") as opened:
        if _number(opened, "<i") != FST_MAGIC:
            raise NoTableError
        _text(opened)  # type of FST
        _text(opened)  # type of arc
        _number(opened, "<i")  # version
        flags = _number(opened, "<i")
        _read(opened, 4 * 8)  # properties, start, number of states and of arcs
        if flags & INPUT_TABLE:
            _table(opened)
        return _table(opened) if flags & OUTPUT_TABLE else None


def _table(opened: BinaryIO) -> dict[str, int]:
    if _number(opened, "<i") != TABLE_MAGIC:
        raise NoTableError
    _text(opened)  # name
    _number(opened, "<q")  # next free key
    size = _number(opened, "<q")
    return {_text(opened): _number(opened, "<q") for _ in range(size)}


def _text(opened: BinaryIO) -> str:
    length = _number(opened, "<i")
    if not 0 <= length <= LONGEST:
        raise NoTableError
    try:
        return _read(opened, length).decode("utf-8")
    except UnicodeDecodeError:
        raise NoTableError from None


def _number(opened: BinaryIO, form: str) -> int:
    (number,) = struct.unpack(form, _read(opened, struct.calcsize(form)))
    return int(number)


def _read(opened: BinaryIO, size: int) -> bytes:
    content = opened.read(size)
    if len(content) != size:
        raise NoTableError
    return content
