"""Reports on a period, for people and for programs. The only room with Jinja2, pygal and XlsxWriter.

In: the figures of a period from the record, phrase sets for titles, and a language.
Out: the report, as HTML, XLSX, CSV or JSON.
"""

from counter_listener.reports.csv_json import as_csv, as_json
from counter_listener.reports.definitions import MANNER, definitions_of
from counter_listener.reports.html import as_html, cell_text
from counter_listener.reports.making import gather_data, known_sets, rendered, rendered_text, write_file
from counter_listener.reports.report import Report, make_report
from counter_listener.reports.tables import Column, Row, Table
from counter_listener.reports.xlsx import as_xlsx, table_as_xlsx
