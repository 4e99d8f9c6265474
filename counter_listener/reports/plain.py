"""A report as CSV and as JSON: the same tables, with the stable names of docs/REPORT.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from counter_listener.domain import printable
from counter_listener.record import as_csv_lines, csv_line
from counter_listener.reports.report import Report

BOM: Final = "\ufeff"
"""Excel takes a CSV file for the code page of its country unless it begins with this."""


def as_csv(report: Report) -> str:
    """Every table below each other: the column `table` names it, and each column stands once for all of them."""
    rows = [{"table": table.id, **row} for table in report.tables for row in table.rows]
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    plain = ({key: _plain(value) for key, value in row.items()} for row in rows)
    return "".join(f"{line}\r\n" for line in (csv_line(columns), *as_csv_lines(plain, columns)))


def as_json(report: Report) -> str:
    """One object: what the report is about, then `tables` by name, each a list of rows."""
    return json.dumps({**heading(report), "tables": dict(_tables(report))}, ensure_ascii=False, indent=1) + "\n"


def heading(report: Report) -> dict[str, Any]:
    """What the report is about."""
    scope = report.gathered.scope
    return {
        "report": "counter-listener",
        "made": report.made.isoformat(timespec="seconds"),
        "language": report.lang,
        "since": _plain(scope.since),
        "until": _plain(scope.until),
        "counters": [printable(one) for one in scope.counters],
        "phrase_sets": [
            {"name": printable(name), "sha256": printable(digest)} for name, digest in report.gathered.sets
        ],
    }


def _tables(report: Report) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for table in report.tables:
        yield table.id, [{key: _clean(_plain(value)) for key, value in row.items()} for row in table.rows]


def _plain(value: object) -> object:
    """Times as ISO 8601 with their zone; figures to six decimals, which is more than they hold."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return round(value, 6) if isinstance(value, float) else value


def _clean(value: object) -> object:
    return printable(value) if isinstance(value, str) else value
