"""The workbook that comes back: its sheets, rows and cells, and the file from which it was made. openpyxl reads it."""

from __future__ import annotations

import base64
import io
import json
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from counter_listener.domain import PhraseSetError, Sentence, read_errors, translator
from counter_listener.phrases.fields import KIND_TITLES
from counter_listener.phrases.set_entries import Table
from counter_listener.phrases.spreadsheet import FORMAT, SOURCE, Sheet, sheets_of

MOST_BYTES: Final = 8_000_000
MOST_UNPACKED: Final = 100_000_000
MOST_ROWS: Final = 20_000
FIRST_ROW: Final = 3
"""The number of the first row of a sheet, as people count."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of a sheet as somebody left it."""

    number: int
    cells: dict[str, object]


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet as somebody left it."""

    title: str
    headings: dict[str, str]
    rows: list[ReadRow]

    def fault(self, path: Path, row: ReadRow, key: str, reason: Sentence | str) -> PhraseSetError:
        """What is wrong with a cell."""
        return PhraseSetError(
            "{path}, sheet {sheet!r}, row {row}, {column!r}: {reason}.",
            path=path,
            sheet=self.title,
            row=row.number,
            column=self.headings.get(key, key),
            reason=reason,
        )


def read_workbook(path: Path) -> bytes:
    """The bytes of a spreadsheet. Raises PhraseSetError."""
    with read_errors(path, PhraseSetError), path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise PhraseSetError("{path}: a file of more than {most:,} bytes is not read.", path=path, most=MOST_BYTES)
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) <= MOST_UNPACKED:
                return content
    except (BadZipFile, ValueError, OSError, NotImplementedError):
        raise PhraseSetError("{path}: this is no spreadsheet; save it as .xlsx.", path=path) from None
    raise PhraseSetError("{path}: the spreadsheet is too large; remove what is not of the phrase set.", path=path)


class Book:
    """A workbook that was opened."""

    def __init__(self, path: Path, content: bytes) -> None:
        import openpyxl  # 0.2 s, which other commands need not wait for

        self.path = path
        try:
            self._book: Any = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
        except Exception as error:
            raise PhraseSetError(
                "{path}: this spreadsheet cannot be read; save it as .xlsx again.", path=path
            ) from error
        self._titles: dict[str, str] = {}

    def source(self) -> str:
        """The text of the file from which it was made."""
        try:
            cells = [str(row[0]) for row in self._book[SOURCE].iter_rows(max_col=1, values_only=True) if row[0]]
            head = json.loads(cells[0])
            self._titles = {str(kind): str(title) for title, kind in head["sheets"].items()}
            if head["format"] != FORMAT:
                raise ValueError(FORMAT)  # noqa: TRY301 - the same fault
            unpack = zlib.decompressobj()
            text = unpack.decompress(base64.b64decode("".join(cells[1:])), MOST_UNPACKED).decode("utf-8")
            tomllib.loads(text)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, zlib.error):
            raise PhraseSetError(
                "{path}: the hidden sheet {sheet!r} is missing or damaged; export the set again and copy your rows into"
                " the new spreadsheet.",
                path=self.path,
                sheet=SOURCE,
            ) from None
        return text

    def expected(self, base: Table) -> list[Sheet]:
        """The sheets as they were written, in the language in which they were."""
        in_english = self._titles.get("phrase") == KIND_TITLES["phrase"]
        return sheets_of(base, translator("en" if in_english else "zh"))

    def sheet(self, expected: Sheet) -> ReadSheet:
        """A sheet as somebody left it."""
        title = self._titles.get(expected.kind, expected.title)
        if title[:31] not in self._book.sheetnames:
            raise PhraseSetError("{path}: the sheet {sheet!r} is missing; export again.", path=self.path, sheet=title)
        sheet = self._book[title[:31]]
        if sheet.max_row > MOST_ROWS:
            raise PhraseSetError(
                "{path}, sheet {sheet!r}: more than {most:,} rows are not read; remove the empty ones.",
                path=self.path,
                sheet=title,
                most=MOST_ROWS,
            )
        lines = list(sheet.iter_rows(max_col=40, values_only=True))
        keys = [str(one) if one is not None else "" for one in (lines[0] if lines else ())]
        for field in expected.fields:
            if field.key not in keys:
                raise PhraseSetError(
                    "{path}, sheet {sheet!r}: the hidden row 1 lacks {key!r}; export again and copy your rows.",
                    path=self.path,
                    sheet=title,
                    key=field.key,
                )
        named = lines[1] if len(lines) > 1 else ()
        headings = {key: str(told) for key, told in zip(keys, named, strict=False) if told is not None}
        rows = [
            ReadRow(number, {key: cell for key, cell in zip(keys, line, strict=True) if key})
            for number, line in enumerate(lines[2:], FIRST_ROW)
        ]
        return ReadSheet(title, headings, [row for row in rows if any(text_of(one) for one in row.cells.values())])


def text_of(cell: object) -> str:
    """A cell as text."""
    return "" if cell is None else str(cell).strip()
