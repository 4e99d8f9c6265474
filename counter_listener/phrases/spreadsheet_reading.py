"""Reads a spreadsheet that spreadsheet.py wrote and somebody edited: the text of the file with what was changed in it.

A cell that was not touched changes nothing, so that a spreadsheet which comes back as it went gives the same file.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from counter_listener.domain import PhraseSetError, Sentence, sentence
from counter_listener.phrases.editing import edited
from counter_listener.phrases.fields import EXAMPLES, FIELDS, SETTINGS, Field, FieldError, Kind, parsed
from counter_listener.phrases.phrase_file import faults, language_frames, suggestion, validate
from counter_listener.phrases.set_entries import (
    PARENTS,
    ExampleLine,
    Table,
    examples,
    find_entry,
    new_content,
    parents,
    put_entry,
    remove_entry,
    set_entry_examples,
    set_examples,
    set_setting,
)
from counter_listener.phrases.spreadsheet import Sheet
from counter_listener.phrases.templates import TemplateError, template_reader
from counter_listener.phrases.workbook import Book, ReadRow, ReadSheet, read_workbook, text_of

ORDER: Final[tuple[Kind, ...]] = (
    "scenario",
    "stage",
    "step",
    "list",
    "phrase",
    "forbidden",
    "rule",
    "word",
    "observe",
    "aside",
    "manner",
)
"""Entries are put in after those in which they stand."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A cell that was changed, to tell where a fault stands."""

    sheet: ReadSheet
    row: ReadRow
    field: Field
    name: str


def read_spreadsheet(path: Path) -> str:
    """The text of the phrase-set file that a spreadsheet stands for.

    Raises PhraseSetError, which names the sheet and the row of what cannot be used, and what helps.
    """
    book = Book(path, read_workbook(path))
    text = book.source()
    base = tomllib.loads(text)
    table = copy.deepcopy(base)
    changes: list[Changed] = []
    made = {sheet.kind: sheet for sheet in book.expected(base)}
    found = {kind: book.sheet(sheet) for kind, sheet in made.items()}
    for kind in ORDER:
        changes += _Entries(path, table, kind, made[kind], found[kind]).bring()
    _bring_examples(path, table, made["example"], found["example"])
    _bring_settings(path, table, made["set"], found["set"])
    _check(path, table, changes)
    return edited(text, table)


def _same(cell: object, was: object) -> bool:
    """Whether a cell still holds what was written; spreadsheets write line ends their own way."""
    if isinstance(cell, int | float) and isinstance(was, int | float):
        return float(cell) == float(was)
    return _lines(cell) == _lines(was)


def _lines(cell: object) -> str:
    return ("" if cell is None else str(cell)).replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _value(path: Path, sheet: ReadSheet, row: ReadRow, field: Field) -> Any:  # noqa: ANN401 - of the type of the field
    """What a cell says. Raises PhraseSetError."""
    try:
        value = parsed(field, row.cells.get(field.key))
    except FieldError as error:
        raise sheet.fault(path, row, field.key, error.reason) from None
    if value is None and field.is_needed:
        raise sheet.fault(path, row, field.key, sentence("it is empty; fill it in, or remove the row"))
    return value


class _Entries:
    """The entries of one kind, brought to what a sheet says."""

    def __init__(self, path: Path, table: Table, kind: Kind, made: Sheet, found: ReadSheet) -> None:
        self.path, self.table, self.kind, self.found = path, table, kind, found
        self.old = {row.name: row.cells for row in made.rows}

    def bring(self) -> list[Changed]:
        """Changes the table; returns the cells that were changed."""
        names: dict[str, int] = {}
        changes: list[Changed] = []
        for row in self.found.rows:
            name = str(_value(self.path, self.found, row, _ID))
            if name in names:
                raise self.found.fault(
                    self.path,
                    row,
                    "id",
                    sentence("{name!r} stands in row {row} too; give each its own", name=name, row=names[name]),
                )
            names[name] = row.number
            changes += self._row(row, name)
        for name in self.old:
            if name not in names:
                remove_entry(self.table, self.kind, name)
        return changes

    def _row(self, row: ReadRow, name: str) -> list[Changed]:
        is_there = find_entry(self.table, self.kind, name) is not None  # it may have gone with its stage
        old = self.old.get(name) if is_there else None
        fields = [one for one in FIELDS[self.kind] if old is None or not _same(row.cells.get(one.key), old[one.key])]
        if not fields:
            return []
        values = {field.key: _value(self.path, self.found, row, field) for field in fields}
        for needed in (one for one in FIELDS[self.kind] if one.is_needed and one.key not in values):
            _value(self.path, self.found, row, needed)
        self._put(row, name, values)
        if EXAMPLES.key in values:
            set_entry_examples(self.table, name, values[EXAMPLES.key] or ())
        return [Changed(self.found, row, field, name) for field in fields]

    def _put(self, row: ReadRow, name: str, values: dict[str, Any]) -> None:
        old = find_entry(self.table, self.kind, name)
        key = PARENTS.get(self.kind)
        parent = str(values[key] or "") if key in values else old.parent if old else ""
        if set(values) <= {EXAMPLES.key}:
            return
        content = new_content(self.kind, old.table if old else None, {**values, "id": name})
        try:
            put_entry(self.table, self.kind, parent, content)
        except KeyError:
            known = ", ".join(parents(self.table, self.kind))
            reason = sentence("there is no {name!r}; write one of {names}", name=parent, names=known)
            raise self.found.fault(self.path, row, key or "", reason) from None


_ID: Final = Field("id", "", is_needed=True)


def _bring_examples(path: Path, table: Table, made: Sheet, found: ReadSheet) -> None:
    """Makes the examples hold what the sheet of more examples says; those of the entries stay."""
    shown_here = [_line(path, found, ReadRow(0, dict(row.cells)), made) for row in made.rows]
    here = [_line(path, found, row, made) for row in found.rows]
    if here == shown_here:
        return
    left = list(shown_here)
    kept = [one for one in examples(table) if not (one in left and _take(left, one))]
    set_examples(table, [*kept, *here])


def _take(left: list[ExampleLine], one: ExampleLine) -> bool:
    left.remove(one)
    return True


def _line(path: Path, sheet: ReadSheet, row: ReadRow, made: Sheet) -> ExampleLine:
    values = {field.key: _value(path, sheet, row, field) for field in made.fields}
    expect = tuple(map(str, values["expect"] or ()))
    return ExampleLine(str(values["heard"]), expect, str(values["speaker"] or "clerk"), bool(values["fails"]))


def _bring_settings(path: Path, table: Table, made: Sheet, found: ReadSheet) -> None:
    fields = {field.key: field for field in SETTINGS}
    old = {row.name: row.cells["value"] for row in made.rows}
    for row in found.rows:
        field = fields.get(text_of(row.cells.get("key")))
        if field is None:
            raise found.fault(path, row, "key", sentence("no setting has this key; remove the row"))
        if not _same(row.cells.get("value"), old[field.key]):
            told = Field("value", field.title, field.type, field.choices, is_needed=field.is_needed)
            set_setting(table, field, _value(path, found, row, told))


def _check(path: Path, table: Table, changes: list[Changed]) -> None:
    """Raises PhraseSetError if the set has a fault, with the row of it if that can be told."""
    whole = copy.deepcopy(table)
    if "frames" not in whole:
        whole["frames"] = language_frames(str(whole.get("language", "zh")))
    phrases = validate(whole, path)
    read = template_reader(phrases).read
    for one in changes:
        if one.field.is_template or one.field.key == "entries":
            _check_templates(path, read, [*phrases.lists, *phrases.rules, *phrases.slots], one)
    for fault in faults(phrases):
        raise _placed(path, fault, changes)


def _check_templates(path: Path, read: Callable[[str], object], known: list[str], one: Changed) -> None:
    for text in parsed(one.field, one.row.cells.get(one.field.key)) or ():
        try:
            read(text)
        except TemplateError as error:
            hint = suggestion(error.name, known) if error.name else ""
            reason = sentence("{template!r}: {reason}{hint}", template=text, reason=error.reason, hint=hint)
            raise one.sheet.fault(path, one.row, one.field.key, reason) from None


def _placed(path: Path, fault: Sentence, changes: list[Changed]) -> PhraseSetError:
    """A fault with the row that was changed and that it names."""
    for one in changes:
        if repr(one.name) in str(fault):
            return PhraseSetError(
                "{path}, sheet {sheet!r}, row {row}: {fault}",
                path=path,
                sheet=one.sheet.title,
                row=one.row.number,
                fault=fault,
            )
    return PhraseSetError("{path}: {fault}", path=path, fault=fault)
