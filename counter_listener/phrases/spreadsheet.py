"""Writes a phrase set as a spreadsheet: a sheet for each kind of entry, one row a phrase, and the file itself, hidden.

What the sheets do not show, such as comments and frames, comes back from the hidden file when the spreadsheet is read.
"""

from __future__ import annotations

import base64
import json
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from counter_listener.domain import N_, PhraseSetError, Translate
from counter_listener.phrases.fields import EXAMPLES, FIELDS, KIND_TITLES, SETTINGS, Field, Kind, shown
from counter_listener.phrases.set_entries import (
    ExampleLine,
    Table,
    entries,
    examples,
    plain_examples,
    setting,
    value_of,
)

WITH_EXAMPLES: Final = [kind for kind, fields in FIELDS.items() if EXAMPLES in fields]
"""The kinds that have a column for their examples."""
SOURCE: Final = "source"
"""The hidden sheet."""
FORMAT: Final = 1
MOST_LETTERS: Final = 32_000
"""Of a cell; a spreadsheet allows 32 767."""
EXAMPLE_FIELDS: Final = (
    Field("heard", N_("sentence"), is_needed=True),
    Field("expect", N_("what is found in it"), "lines"),
    Field("speaker", N_("who says it"), "choice", (N_("clerk"), N_("customer"))),
    Field("fails", N_("is known to fail"), "yes"),
)
SETTING_FIELDS: Final = (
    Field("key", N_("key"), is_needed=True),
    Field("name", N_("setting")),
    Field("value", N_("value")),
)
OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
HEADING: Final = 1
"""Row of the headings, from 0; the hidden row above it holds the keys of the columns."""
WIDTHS: Final = {"lines": 42, "text": 20}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row: what it is about, and its cells by key."""

    name: str
    cells: dict[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet before it is written, or as it should be found if nothing was changed."""

    kind: str
    """The kind of its entries; `example`, `set`."""
    title: str
    fields: tuple[Field, ...]
    rows: list[SheetRow]


def sheets_of(table: Table, translate: Translate) -> list[Sheet]:
    """The sheets of a phrase set, given as the table of its file."""
    made = [
        Sheet(kind, translate(KIND_TITLES[kind]), fields, list(_entry_rows(table, kind, translate)))
        for kind, fields in FIELDS.items()
    ]
    others = [_example_row(one, translate) for one in other_examples(table)]
    made.append(Sheet("example", translate(N_("More examples")), EXAMPLE_FIELDS, others))
    made.append(Sheet("set", translate(N_("Settings")), SETTING_FIELDS, list(_setting_rows(table, translate))))
    return made


def _entry_rows(table: Table, kind: Kind, translate: Translate) -> Iterator[SheetRow]:
    heard = plain_examples(table)
    for entry in entries(table, kind):
        values = {field.key: value_of(table, entry, field) for field in FIELDS[kind] if field is not EXAMPLES}
        values[EXAMPLES.key] = heard.get(entry.id)
        yield SheetRow(entry.id, {field.key: shown(field, values[field.key], translate) for field in FIELDS[kind]})


def other_examples(table: Table) -> list[ExampleLine]:
    """The sentences that are no plain example of one entry that has a column for them."""
    named = {one.id for kind in WITH_EXAMPLES for one in entries(table, kind)}
    return [one for one in examples(table) if not (one.is_plain and len(one.expect) == 1 and one.expect[0] in named)]


def _example_row(one: ExampleLine, translate: Translate) -> SheetRow:
    values: dict[str, Any] = {"heard": one.heard, "expect": one.expect or None, "speaker": one.speaker}
    values["fails"] = True if one.fails else None
    return SheetRow(one.heard, {field.key: shown(field, values[field.key], translate) for field in EXAMPLE_FIELDS})


def _setting_rows(table: Table, translate: Translate) -> Iterator[SheetRow]:
    for field in SETTINGS:
        value = shown(field, setting(table, field), translate)
        yield SheetRow(field.key, {"key": field.key, "name": translate(field.title), "value": value})


def write_spreadsheet(text: str, file: BinaryIO, translate: Translate) -> None:
    """Writes the text of a phrase-set file as a workbook to an open file. Raises PhraseSetError for a cell too long."""
    sheets = sheets_of(tomllib.loads(text), translate)
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        for sheet in sheets:
            _write_sheet(book, sheet, translate)
        hidden = book.add_worksheet(SOURCE)
        hidden.very_hidden()
        head = {"format": FORMAT, "sheets": {sheet.title: sheet.kind for sheet in sheets}}
        hidden.write_string(0, 0, json.dumps(head, ensure_ascii=True))
        packed = base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")
        for row, start in enumerate(range(0, len(packed), MOST_LETTERS), 1):
            hidden.write_string(row, 0, packed[start : start + MOST_LETTERS])


def _write_sheet(book: Workbook, sheet: Sheet, translate: Translate) -> None:
    made = book.add_worksheet(sheet.title[:31])
    heading = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F5F9E", "text_wrap": True})
    cell = book.add_format({"valign": "top", "text_wrap": True})
    made.write_row(0, 0, [field.key for field in sheet.fields])
    made.set_row(0, None, None, {"hidden": True})
    made.write_row(HEADING, 0, [translate(field.title) for field in sheet.fields], heading)
    made.freeze_panes(HEADING + 1, 2)
    made.autofilter(HEADING, 0, HEADING + max(1, len(sheet.rows)), len(sheet.fields) - 1)
    for number, field in enumerate(sheet.fields):
        made.set_column(number, number, WIDTHS.get(field.type, 11))
        _offer_choices(made, field, number, len(sheet.rows), translate)
    for row, line in enumerate(sheet.rows, HEADING + 1):
        for number, value in enumerate(line.cells[field.key] for field in sheet.fields):
            if isinstance(value, str):
                _check_length(value, sheet, line)
                made.write_string(row, number, value, cell)
            elif value is not None:
                made.write_number(row, number, value, cell)


def _check_length(value: str, sheet: Sheet, line: SheetRow) -> None:
    if len(value) > MOST_LETTERS:
        raise PhraseSetError(
            "{name} ({sheet}) has more text than a cell of a spreadsheet holds ({most:,} letters); edit the file.",
            name=line.name,
            sheet=sheet.title,
            most=MOST_LETTERS,
        )


def _offer_choices(sheet: Worksheet, field: Field, column: int, rows: int, translate: Translate) -> None:
    """A list to choose from, for these rows and for some more."""
    choices: Sequence[str] = (N_("yes"), N_("no")) if field.type == "yes" else field.choices
    if choices and field.type != "scope":
        offered = {"validate": "list", "source": [translate(choice) for choice in choices], "ignore_blank": True}
        sheet.data_validation(HEADING + 1, column, HEADING + rows + 200, column, offered)
