"""A report as CSV and as JSON: the same tables, with the stable ids and column keys of docs/supervisor.md."""

import json
from datetime import datetime

from counter_listener.domain import printable
from counter_listener.record import as_csv_lines, csv_line
from counter_listener.reports.report import Report


def as_csv(report: Report) -> str:
    """All tables one below the other: `table` is the id of the table, and each column occurs once for all tables."""
    rows = [{"table": table.id, **row} for table in report.tables for row in table.rows]
    columns = tuple(dict.fromkeys(key for row in rows for key in row))
    plain = ({key: _plain(value) for key, value in row.items()} for row in rows)
    return "".join(f"{line}\r\n" for line in (csv_line(columns), *as_csv_lines(plain, columns)))


def as_json(report: Report) -> str:
    """One object: what the report covers, then `tables` by id, each a list of rows."""
    scope = report.data.scope
    content = {
        "report": "counter-listener",
        "made": report.made.isoformat(timespec="seconds"),
        "language": report.lang,
        "since": _plain(scope.since),
        "until": _plain(scope.until),
        "counters": [printable(counter) for counter in scope.counters],
        "phrase_sets": [{"name": printable(name), "sha256": printable(digest)} for name, digest in report.data.sets],
        "tables": {
            table.id: [{key: _json_cell(value) for key, value in row.items()} for row in table.rows]
            for table in report.tables
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _json_cell(value: object) -> object:
    return printable(value) if isinstance(value, str) else _plain(value)


def _plain(value: object) -> object:
    """Times as ISO 8601 with their time zone; numbers with six decimals."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return round(value, 6) if isinstance(value, float) else value
