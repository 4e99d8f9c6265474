"""Events as flat rows, and rows as lines of JSON or CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from counter_listener.domain import Event, json_line, printable

Cell = object
_NAMES = """
    source visit kind stage phrase verdict at score heard step title wall counter wording end speaker required class
    severity late said_at reason grade passed seconds counts message
"""
COLUMNS: Final = tuple(_NAMES.split())
"""The columns of a CSV file, in order."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""


def export_row(
    event: Event, *, source: str, stream: str, counter: str | None = None, began: datetime | None = None
) -> dict[str, Cell]:
    """One event as a flat row: the columns of every event, then the fields of its kind.

    `at` and `end` are seconds into the stream; `wall` is the wall time if `began`, the start of the stream, is known.
    """
    wall = began + timedelta(seconds=event.at) if began else None
    row: dict[str, Cell] = {
        "source": source,
        "visit": f"{stream}-{event.visit}" if event.visit else None,
        "kind": event.kind,
        "stage": event.stage,
        "phrase": event.phrase,
        "verdict": event.verdict,
        "at": round(event.at, 2),
        "score": event.score,
        "heard": event.heard,
        "step": event.step,
        "wall": wall.isoformat(timespec="milliseconds") if wall else None,
        "counter": counter,
    }
    return {**row, **event.detail}


def as_json_lines(rows: Iterable[Mapping[str, Cell]]) -> Iterator[str]:
    """One JSON object per row, with the keys in the order of the row."""
    return map(json_line, rows)


def as_csv_lines(rows: Iterable[Mapping[str, Cell]], columns: tuple[str, ...] = COLUMNS) -> Iterator[str]:
    """One line per row. A cell that a spreadsheet would take for a formula gets a leading apostrophe."""
    for row in rows:
        yield csv_line([_csv_cell(row.get(column)) for column in columns])


def csv_line(cells: Iterable[Cell]) -> str:
    """Cells as one line of CSV, without a line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _csv_cell(value: Cell) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return " ".join(f"{key}={count}" for key, count in value.items())
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(FORMULA) else text
