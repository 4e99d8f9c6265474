"""Makes a report of an open record, and writes it as the content of a file in any of its formats."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from counter_listener.domain import (
    BOM,
    N_,
    PhraseSet,
    ReportError,
    Translate,
    UsageError,
    system_reason,
)
from counter_listener.phrases import find_phrase_set, read_phrase_set, sets_at_hand
from counter_listener.record import ReportData, ReportScope, gather_report_data, has_counter, places_in
from counter_listener.reports.csv_json import as_csv, as_json
from counter_listener.reports.html import as_html
from counter_listener.reports.report import Report
from counter_listener.reports.xlsx import as_xlsx

if TYPE_CHECKING:
    from counter_listener.record import Record


def known_sets(name: str | None = None, record: Path | None = None) -> dict[str, PhraseSet]:
    """The phrase set of this name or file, else all that `record` is judged with, by name. Raises PhraseSetError."""
    files = [find_phrase_set(name, record)] if name else sets_at_hand(record)
    sets = [read_phrase_set(file)[0] for file in files]
    return {phrases.name: phrases for phrases in sets}


def gather_data(
    record: Record, scope: ReportScope, phrase_sets: Mapping[str, PhraseSet], shown: int, now: datetime
) -> ReportData:
    """The figures of a report, and its `shown` visits. Raises UsageError for a counter that is not in the record."""
    for counter in scope.counters:
        if not record.query(lambda connection, name=counter: has_counter(connection, name)):  # type: ignore[misc]
            text = N_("The record has no counter {counter!r}; use a name given to check or listen as --counter.")
            raise UsageError(text, counter=counter)
    placed = record.query(places_in)
    for level, wanted in (("branch", scope.branch), ("region", scope.region)):
        if wanted is not None and wanted not in {getattr(each, level) for each in placed}:
            text = N_("No counter belongs to {name!r}; see `counter-listener counters list`.")
            raise UsageError(text, name=wanted)
    ended = scope if scope.since is None or scope.until else replace(scope, until=now)
    stages: dict[str, set[str]] = {}
    for phrases in phrase_sets.values():
        for scenario in phrases.scenario:
            stages.setdefault(scenario.id, set()).update(stage.id for stage in scenario.stage)
    history = record.replaced_streams()
    data = record.query(lambda connection: gather_report_data(connection, ended, shown, stages, left_out=history))
    return replace(data, scope=scope)


def rendered(content: Report, form: str, translate: Translate) -> bytes:
    """The report as the content of a file."""
    if form == "xlsx":
        file = io.BytesIO()
        as_xlsx(content, file, translate)
        return file.getvalue()
    return ((BOM if form == "csv" else "") + rendered_text(content, form, translate)).encode()


def rendered_text(content: Report, form: str, translate: Translate) -> str:
    """The report as text, in any format but xlsx."""
    if form == "html":
        return as_html(content, translate)
    return as_csv(content) if form == "csv" else as_json(content)


def write_file(target: Path, content: bytes) -> None:
    """Writes a file that replaces `target` only when it is complete. Raises ReportError."""
    try:
        with tempfile.TemporaryDirectory(prefix=".report-", dir=target.absolute().parent) as folder:
            part = Path(folder, "part")
            part.touch(mode=0o600)
            part.write_bytes(content)
            part.replace(target)
    except OSError as error:
        text = N_("{path} cannot be written ({why}); check its folder and permissions")
        raise ReportError(text, path=target, why=system_reason(error)) from error
