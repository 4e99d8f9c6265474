"""ROOM"""

from counter_listener.reports.html import as_html
from counter_listener.reports.plain import BOM, as_csv, as_json
from counter_listener.reports.report import Report, make_report
from counter_listener.reports.xlsx import as_xlsx
