"""ROOM"""

from counter_listener.record.aggregates import gather_report_data, has_counter
from counter_listener.record.export import COLUMNS, as_csv_lines, as_json_lines, csv_line, export_row
from counter_listener.record.figures import (
    FEW,
    DurationStatistics,
    ReportData,
    ReportScope,
    Share,
    ShownEvent,
    ShownVisit,
    VerdictCounts,
    VisitTotals,
    sum_totals,
)
from counter_listener.record.judgements import Judgement
from counter_listener.record.lock import lock_counter
from counter_listener.record.rows import Origin, Recording, RecordingRow, Row, event_columns, event_from_row, iso
from counter_listener.record.store import LIVE, Record, open_record
from counter_listener.record.store_file import record_file
