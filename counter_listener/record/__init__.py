"""ROOM"""

from counter_listener.record.aggregates import gather, knows_counter
from counter_listener.record.export import COLUMNS, as_csv_lines, as_json_lines, csv_line, row_of
from counter_listener.record.figures import (
    FEW,
    Evidence,
    Gathered,
    Scope,
    Share,
    ShownVisit,
    Spread,
    Sums,
    Told,
    added_up,
)
from counter_listener.record.judgements import Judging
from counter_listener.record.lock import only_listener
from counter_listener.record.rows import Origin, Recording, RecordingRow, Row, event_facts, iso
from counter_listener.record.store import LIVE, Store, open_store
from counter_listener.record.store_file import record_file

__all__ = [
    "COLUMNS",
    "FEW",
    "LIVE",
    "Evidence",
    "Gathered",
    "Judging",
    "Origin",
    "Recording",
    "RecordingRow",
    "Row",
    "Scope",
    "Share",
    "ShownVisit",
    "Spread",
    "Store",
    "Sums",
    "Told",
    "added_up",
    "as_csv_lines",
    "as_json_lines",
    "csv_line",
    "event_facts",
    "gather",
    "iso",
    "knows_counter",
    "only_listener",
    "open_store",
    "record_file",
    "row_of",
]
