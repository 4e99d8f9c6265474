"""The output words in an OpenFst file: the small Vosk models have their vocabulary there and nowhere else."""

from pathlib import Path
from typing import BinaryIO, Final

FST_MAGIC: Final = (2_125_659_606).to_bytes(4, "little")
"""First four bytes of an OpenFst file (fst.h, kFstMagicNumber)."""
TABLE_MAGIC: Final = (2_125_658_996).to_bytes(4, "little")
"""First four bytes of a symbol table (symbol-table.cc, kSymbolTableMagicNumber)."""
HAS_INPUT_TABLE: Final = 1
HAS_OUTPUT_TABLE: Final = 2
"""Bits of the header's flags (fst.h, FstHeader::Flags)."""
MAX_TEXT_BYTES: Final = 4096
"""No type name or word is longer. A damaged length must not ask for gigabytes."""


class SymbolTableError(ValueError):
    "A file is not an OpenFst file, or its symbol table is damaged."


def output_symbols(file: Path) -> set[str] | None:
    """The output symbols of an FST, or None if it has no output symbol table.

    The layout is that of OpenFst: FstHeader::Write in fst.cc, SymbolTableImpl::Write in symbol-table.cc.
    Raises SymbolTableError, UnicodeDecodeError, or OSError if the file cannot be read.
    """
    with file.open("rb") as stream:
        _expect(stream, FST_MAGIC)
        _text(stream)  # type of the FST
        _text(stream)  # type of the arcs
        _read(stream, 4)  # version
        flags = _number(stream, 4)
        _read(stream, 4 * 8)  # properties, start, number of states and of arcs
        if flags & HAS_INPUT_TABLE:
            _table(stream)
        return _table(stream) if flags & HAS_OUTPUT_TABLE else None


def _table(stream: BinaryIO) -> set[str]:
    _expect(stream, TABLE_MAGIC)
    _text(stream)  # name
    _read(stream, 8)  # next free key
    symbols = set()
    for _ in range(_number(stream, 8)):
        symbols.add(_text(stream))
        _read(stream, 8)  # key
    return symbols


def _expect(stream: BinaryIO, magic: bytes) -> None:
    if _read(stream, len(magic)) != magic:
        raise SymbolTableError


def _text(stream: BinaryIO) -> str:
    return _read(stream, _number(stream, 4)).decode("utf-8")


def _number(stream: BinaryIO, size: int) -> int:
    return int.from_bytes(_read(stream, size), "little", signed=True)


def _read(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size) if 0 <= size <= MAX_TEXT_BYTES else b""
    if len(content) != size:
        raise SymbolTableError
    return content
