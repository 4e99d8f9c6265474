"""A report as a spreadsheet: one sheet per table, with filters, number formats, frozen headings and charts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from counter_listener.domain import KINDS, Translate, format_duration, printable, visit_word, written
from counter_listener.reports.report import Report, outcome_title, verdict_title
from counter_listener.reports.tables import Column, Row, Table, text_width

OPTIONS: Final = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": True,
    "nan_inf_to_errors": True,
}
"""Names and recognised words are text, whatever they look like."""
HEADING_COLOUR: Final = "#1F5F9E"
"""Set in the cells, because LibreOffice ignores the heading colour of a table style."""
FORMATS: Final[Mapping[str, Mapping[str, object]]] = {
    "count": {"valign": "top", "num_format": "#,##0"},
    "share": {"valign": "top", "num_format": "0.0%"},
    "points": {"valign": "top", "num_format": "0.0"},
    "rate": {"valign": "top", "num_format": "0.0"},
    "change_share": {"valign": "top", "num_format": "+0.0%;-0.0%;0.0%"},
    "change_points": {"valign": "top", "num_format": "+0.0;-0.0;0.0"},
    "seconds": {"valign": "top", "num_format": "[h]:mm:ss"},
    "time": {"valign": "top", "num_format": "yyyy-mm-dd hh:mm:ss"},
    "yes": {"valign": "top", "align": "center"},
    "text": {"valign": "top"},
    "wrapped": {"valign": "top", "text_wrap": True},
    "title": {"bold": True, "font_size": 14},
    "link": {"valign": "top", "font_color": HEADING_COLOUR, "underline": 1},
    "note": {"font_color": "#5D6B79"},
    "heading": {"bold": True, "text_wrap": True, "valign": "top", "font_color": "#FFFFFF", "bg_color": HEADING_COLOUR},
}
HEADING: Final = 2
"""Row of the column headings, from 0; the title and the note of the table are above it."""
SHORT: Final = 32
"""With at most that many rows, the chart is below the table, where it is printed at full width."""
MAX_LINKS: Final = 60_000
"""Of a sheet: a spreadsheet takes 65 530."""
MAX_WIDTH: Final = 48
"""Width of a column, in Latin letters."""
COLOURS: Final = {"unknown": "#C9D2DB", "not_heard": "#B3362B"}
VERDICT_BARS: Final = ("bar", "percent_stacked", ("heard", "unknown", "not_heard"))
CHARTS: Final[Mapping[str, tuple[str, str | None, tuple[str, ...]]]] = {
    "stages": VERDICT_BARS,
    "steps": VERDICT_BARS,
    "classes": ("bar", None, ("forbidden",)),
    "hours": ("column", None, ("pass_share",)),
    "weekdays": ("column", None, ("pass_share",)),
    "weeks": ("line", None, ("pass_share",)),
    "days": ("line", None, ("pass_share",)),
}
"""Type, subtype and the columns that are drawn, by table."""

Formats = Mapping[str, Format]


def as_xlsx(report: Report, file: BinaryIO, _: Translate) -> None:
    """Write the workbook to an open file."""
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"title": _("Courtesy at the counter"), "created": report.made.replace(tzinfo=None)})
        formats = {kind: book.add_format(properties) for kind, properties in FORMATS.items()}
        for table in (each for each in report.tables if each.rows):
            name = "".join(letter for letter in table.title if letter not in "[]:*?/\\")[:31]  # what Excel allows
            sheet = book.add_worksheet(name)
            _fill(sheet, _readable(table, _), formats, _)
            if table.id in CHARTS and table.rows:
                _draw(book, sheet, table)


def table_as_xlsx(table: Table, file: BinaryIO, made: datetime, _: Translate) -> None:
    """Writes one table as a workbook to an open file."""
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        book.set_properties({"title": table.title, "created": made.replace(tzinfo=None)})
        formats = {kind: book.add_format(properties) for kind, properties in FORMATS.items()}
        _fill(book.add_worksheet(table.title[:31]), table, formats, _)


def _told(row: Row, _: Translate) -> Row:
    """The words of a row of the visits."""
    return {"grade": visit_word(row["grade"], row["outcome"], _), "outcome": outcome_title(row, _)}


def _readable(table: Table, _: Translate) -> Table:
    """The table with verdicts, outcomes and units in the reader's language."""
    if table.id in ("summary", "reviews"):
        units = {"count": _("number"), "share": "%", "points": _("points"), "seconds": _("time"), "rate": _("number")}
        columns = [replace(column, key="unit_title") if column.key == "unit" else column for column in table.columns]
        return replace(table, columns=columns, rows=[{**row, "unit_title": units[row["unit"]]} for row in table.rows])
    if table.id == "visits":
        return replace(table, rows=[{**row, **_told(row, _)} for row in table.rows])
    if table.id == "evidence":
        told = [
            {
                **{key: verdict_title(row, _, key) for key in ("verdict", "review")},
                "kind": _(KINDS[row["kind"]]),
                "heard": row["heard"] and written(row["heard"]),
            }
            for row in table.rows
        ]
        return replace(table, rows=[{**row, **more} for row, more in zip(table.rows, told, strict=True)])
    return table


def _fill(sheet: Worksheet, table: Table, formats: Formats, _: Translate) -> None:
    sheet.write_string(0, 0, table.title, formats["title"])
    sheet.write_string(1, 0, table.note, formats["note"])
    sheet.freeze_panes(HEADING + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADING)
    sheet.set_row(HEADING, 46)  # in points: three lines of text
    headings = _unique([column.title for column in table.columns])
    sheet.add_table(
        HEADING,
        0,
        HEADING + max(1, len(table.rows)),
        len(table.columns) - 1,
        {
            "name": f"report_{table.id}",
            "style": "Table Style Light 9",
            "columns": [{"header": heading, "header_format": formats["heading"]} for heading in headings],
        },
    )
    for number, column in enumerate(table.columns):
        values = [_value(row.get(column.key), _kind(row, column), _) for row in table.rows]
        sheet.set_column(number, number, _column_width(column, headings[number], values))
        for line, (row, value) in enumerate(zip(table.rows, values, strict=True), HEADING + 1):
            if column.key == "link" and value and line - HEADING <= MAX_LINKS:
                sheet.write_url(line, number, str(value), formats["link"], f"▶ {format_duration(row['at'])}")
            else:
                _write(sheet, line, number, value, formats[_format(row, column)])


def _unique(titles: Sequence[str]) -> list[str]:
    """The titles with a number after each repeated one: a spreadsheet rejects a table with two equal headings."""
    seen: dict[str, int] = {}
    headings = []
    for title in titles:
        seen[title.lower()] = count = seen.get(title.lower(), 0) + 1
        headings.append(title if count == 1 else f"{title} ({count})")
    return headings


def _kind(row: Row, column: Column) -> str:
    """The kind of a cell; each row of the summary has a unit of its own."""
    return str(row["unit"]) if column.kind == "rate" and "unit" in row else column.kind


def _format(row: Row, column: Column) -> str:
    kind = _kind(row, column)
    if column.key == "change" and kind in {"share", "points"}:
        return f"change_{kind}"
    return "wrapped" if column.key in {"text", "recording"} else kind


def _value(value: Any, kind: str, _: Translate) -> Any:  # noqa: ANN401 - cells hold values of any type
    if value is None:
        return None
    if kind == "yes":
        return _("yes") if value else _("no")
    if kind == "seconds":
        return value / 86_400  # in days
    return printable(value)[:32_000] if isinstance(value, str) else value  # a spreadsheet allows 32 767 letters


def _write(sheet: Worksheet, line: int, number: int, value: object, form: Format) -> None:
    """By the method for its type, so that text is never read as a formula, a link or a number."""
    match value:
        case None:
            sheet.write_blank(line, number, None, form)
        case datetime():
            sheet.write_datetime(line, number, value, form)
        case int() | float():
            sheet.write_number(line, number, value, form)
        case _:
            sheet.write_string(line, number, str(value), form)


def _column_width(column: Column, heading: str, values: Sequence[object]) -> int:
    """In Latin letters."""
    if column.kind != "text":
        return 19 if column.kind == "time" else 12
    longest = max((text_width(str(value)) for value in values if value is not None), default=0)
    return min(100 if column.key == "text" else MAX_WIDTH, max(longest, text_width(heading) // 2, 8) + 2)


def _draw(book: Workbook, sheet: Worksheet, table: Table) -> None:
    """The chart of a table, below it or, if it is long, to the right of it."""
    kind, subtype, keys = CHARTS[table.id]
    chart = book.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})
    first, last = HEADING + 1, HEADING + len(table.rows)
    for key in keys:
        number = next(number for number, column in enumerate(table.columns) if column.key == key)
        chart.add_series(
            {
                "name": [sheet.get_name(), HEADING, number],
                "categories": [sheet.get_name(), first, 0, last, 0],
                "values": [sheet.get_name(), first, number, last, number],
                "fill": {"color": COLOURS.get(key, HEADING_COLOUR)},
                "line": {"color": COLOURS.get(key, HEADING_COLOUR)},
                "gap": 60,
            }
        )
    chart.set_title({"name": table.title})
    if len(keys) == 1:
        chart.set_legend({"none": True})
    every = {"interval_unit": 1} if len(table.rows) <= SHORT else {}
    if kind == "bar":  # its categories are on the vertical axis
        chart.set_y_axis({"reverse": True, **every})
    else:
        chart.set_x_axis(every)
    if keys[0].endswith("share"):
        chart.set_y_axis({"min": 0, "max": 1, "num_format": "0%"})
    chart.set_size({"width": 720, "height": 320 if kind != "bar" else max(320, 80 + 26 * len(table.rows))})
    if len(table.rows) <= SHORT:
        sheet.insert_chart(last + 3, 0, chart)
    else:
        sheet.insert_chart(HEADING, len(table.columns) + 1, chart)
