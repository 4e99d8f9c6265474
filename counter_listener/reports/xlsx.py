"""A report as a spreadsheet: one sheet a table, with filters, number formats, frozen heads and charts of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from counter_listener.domain import Translate, printable
from counter_listener.reports.report import Report, verdict_titles
from counter_listener.reports.tables import Column, Row, Table

AS_TEXT: Final = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": True,
    "nan_inf_to_errors": True,
}
"""What somebody heard or named is text, whatever it looks like."""
FORMATS: Final[Mapping[str, str]] = {
    "count": "#,##0",
    "share": "0.0%",
    "points": "0.0",
    "rate": "0.0",
    "change_share": "+0.0%;-0.0%;0.0%",
    "change_points": "+0.0;-0.0;0.0",
    "seconds": "[h]:mm:ss",
    "time": "yyyy-mm-dd hh:mm:ss",
}
DAY_SECONDS: Final = 86_400
"""A spreadsheet counts time in days."""
HEAD: Final = 2
"""Lines above a table: its title and its note."""
HEAD_HEIGHT: Final = 46
"""Points: three lines."""
SHORT: Final = 32
"""Rows up to which a table's chart stands below it, where it is printed at full width."""
WIDEST: Final = 48
"""Letters of a column."""
LONGEST: Final = 32_000
"""Letters of a cell; a spreadsheet takes 32 767."""
HEAD_COLOUR: Final = "#1F5F9E"
"""Written into the cells: LibreOffice leaves out what a table's style says of its head."""
COLOURS: Final = {"unknown": "#C9D2DB", "not_heard": "#B3362B"}
STYLE: Final = "Table Style Light 9"

Formats = Mapping[str, Format]


def as_xlsx(report: Report, file: BinaryIO, _: Translate) -> None:
    """Write the workbook to an open file."""
    with xlsxwriter.Workbook(file, AS_TEXT) as book:
        book.set_properties({"title": _("Courtesy at the counter"), "created": report.made.replace(tzinfo=None)})
        formats = _formats(book)
        for table in report.tables:
            sheet = book.add_worksheet(_sheet_name(table.title))
            _fill(sheet, _readable(table, _), formats, _)
            _draw(book, sheet, table, _)


def _formats(book: Workbook) -> dict[str, Format]:
    made = {kind: book.add_format({"num_format": code, "valign": "top"}) for kind, code in FORMATS.items()}
    made["yes"] = book.add_format({"valign": "top", "align": "center"})
    made["text"] = book.add_format({"valign": "top"})
    made["wrapped"] = book.add_format({"valign": "top", "text_wrap": True})
    made["title"] = book.add_format({"bold": True, "font_size": 14})
    made["note"] = book.add_format({"font_color": "#5D6B79"})
    made["head"] = book.add_format(
        {"bold": True, "text_wrap": True, "valign": "top", "font_color": "#FFFFFF", "bg_color": HEAD_COLOUR}
    )
    return made


def _sheet_name(title: str) -> str:
    """At most 31 letters, without those that a spreadsheet keeps for itself."""
    return "".join(letter for letter in title if letter not in "[]:*?/\\")[:31]


def _readable(table: Table, _: Translate) -> Table:
    """The table with verdicts and kinds in the reader's language."""
    if table.id == "summary":
        units = {"count": _("number"), "share": "%", "points": _("points"), "seconds": _("time")}
        columns = [Column("unit_title", one.title) if one.key == "unit" else one for one in table.columns]
        told = [{**row, "unit_title": units[row["unit"]]} for row in table.rows]
        return Table(table.id, table.title, columns, told, table.note)
    if table.id != "evidence":
        return table
    names = verdict_titles(_)
    rows = [{**row, "verdict": names.get((row["kind"], row["verdict"]), row["verdict"])} for row in table.rows]
    return Table(table.id, table.title, table.columns, rows, table.note)


def _fill(sheet: Worksheet, table: Table, formats: Formats, _: Translate) -> None:
    sheet.write_string(0, 0, table.title, formats["title"])
    sheet.write_string(1, 0, table.note, formats["note"])
    sheet.freeze_panes(HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)
    sheet.set_row(HEAD, HEAD_HEIGHT)
    last = HEAD + max(1, len(table.rows))
    heads = _unique([column.title for column in table.columns])
    sheet.add_table(
        HEAD,
        0,
        last,
        len(table.columns) - 1,
        {
            "name": f"report_{table.id}",
            "style": STYLE,
            "columns": [{"header": head, "header_format": formats["head"]} for head in heads],
        },
    )
    for number, column in enumerate(table.columns):
        cells = [_value(row.get(column.key), _kind(row, column), _) for row in table.rows]
        _set_width(sheet, number, column, heads[number], cells)
        for line, (row, cell) in enumerate(zip(table.rows, cells, strict=True), HEAD + 1):
            _write(sheet, line, number, cell, formats[_format(row, column)])


def _kind(row: Row, column: Column) -> str:
    """Of the summary each row has a unit of its own."""
    return str(row["unit"]) if column.kind == "rate" and "unit" in row else column.kind


def _format(row: Row, column: Column) -> str:
    kind = _kind(row, column)
    if column.key == "change" and kind in {"share", "points"}:
        return f"change_{kind}"
    wrapped = kind == "text" and column.key in {"text", "recording"}
    return "wrapped" if wrapped else kind if kind in FORMATS or kind == "yes" else "text"


def _value(value: Any, kind: str, _: Translate) -> Any:  # noqa: ANN401 - cells hold what they hold
    if value is None:
        return None
    if kind == "yes":
        return _("yes") if value else _("no")
    if kind == "seconds":
        return value / DAY_SECONDS
    return printable(value)[:LONGEST] if isinstance(value, str) else value


def _write(sheet: Worksheet, line: int, number: int, cell: object, form: Format) -> None:
    """Always by the method for its type, so that no text is ever taken for something else."""
    match cell:
        case None:
            sheet.write_blank(line, number, None, form)
        case datetime():
            sheet.write_datetime(line, number, cell, form)
        case int() | float():
            sheet.write_number(line, number, cell, form)
        case _:
            sheet.write_string(line, number, str(cell), form)


def _set_width(sheet: Worksheet, number: int, column: Column, head: str, cells: Sequence[object]) -> None:
    if column.kind in FORMATS or column.kind == "yes":
        sheet.set_column(number, number, 19 if column.kind == "time" else 12)
        return
    longest = max((_width(str(cell)) for cell in cells if cell is not None), default=0)
    cap = 100 if column.key == "text" else WIDEST
    sheet.set_column(number, number, min(cap, max(longest, _width(head) // 2, 8) + 2))


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)  # noqa: PLR2004 - from there letters are wide


def _unique(titles: Sequence[str]) -> list[str]:
    """A spreadsheet's table refuses two heads that are alike."""
    seen: dict[str, int] = {}
    made = []
    for title in titles:
        seen[title.lower()] = seen.get(title.lower(), 0) + 1
        made.append(title if seen[title.lower()] == 1 else f"{title} ({seen[title.lower()]})")
    return made


def _draw(book: Workbook, sheet: Worksheet, table: Table, _: Translate) -> None:
    """The chart of a table, to the right of it."""
    for kind, subtype, keys in _charts(table):
        chart = book.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})
        first, last = HEAD + 1, HEAD + len(table.rows)
        for key in keys:
            column = next(n for n, one in enumerate(table.columns) if one.key == key)
            chart.add_series(
                {
                    "name": [sheet.get_name(), HEAD, column],
                    "categories": [sheet.get_name(), first, 0, last, 0],
                    "values": [sheet.get_name(), first, column, last, column],
                    "fill": {"color": COLOURS.get(key, HEAD_COLOUR)},
                    "line": {"color": COLOURS.get(key, HEAD_COLOUR)},
                    "gap": 60,
                }
            )
        chart.set_title({"name": table.title})
        if len(keys) == 1:
            chart.set_legend({"none": True})
        if keys[0].endswith("share"):
            chart.set_y_axis({"min": 0, "max": 1, "num_format": "0%"})
        if kind == "bar":
            chart.set_y_axis({"reverse": True})
        if len(table.rows) <= SHORT:
            chart.set_x_axis({"interval_unit": 1})
        chart.set_size({"width": 720, "height": 320})
        below = len(table.rows) <= SHORT
        sheet.insert_chart(*((last + 3, 0) if below else (HEAD, len(table.columns) + 1)), chart)


def _charts(table: Table) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Kind, subtype and the columns drawn."""
    if not table.rows:
        return
    if table.id in {"weeks", "days"}:
        yield "line", None, ("pass_share",)
    elif table.id in {"hours", "weekdays"}:
        yield "column", None, ("pass_share",)
    elif table.id in {"stages", "steps"}:
        yield "bar", "percent_stacked", ("heard", "unknown", "not_heard")
    elif table.id == "classes":
        yield "bar", None, ("forbidden",)
