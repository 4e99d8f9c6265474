"""`report`: what supervisors read about the record, as a web page, a spreadsheet or plain tables."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import csv_mark, existing_record, store_option
from counter_listener.domain import (
    BOM,
    N_,
    ReportError,
    UsageError,
    bundled_folder,
    current_language,
    ngettext,
    printable,
    system_reason,
    translator,
)

if TYPE_CHECKING:
    from counter_listener.domain import PhraseSet, Translate
    from counter_listener.record import Record, ReportData, ReportScope
    from counter_listener.reports import Report

FORMATS: Final = ("html", "xlsx", "csv", "json")


@click.command(
    cls=Command, epilog="Example: counter-listener report --since 2026-01-01 --until 2026-02-01 -o january.html"
)
@click.option("--since", metavar="TIME", help="Only what happened at or after this time.")
@click.option("--until", metavar="TIME", help="Only what happened before this time.")
@click.option("--counter", "counters", metavar="NAME", multiple=True, help="Only this counter; may be repeated.")
@click.option("--branch", metavar="NAME", help="Only the counters of this branch.")
@click.option("--region", metavar="NAME", help="Only the counters of this region.")
@click.option(
    "--phrases", "phrases_name", metavar="FILE|NAME", help="Only visits judged with this phrase set.  [default: any]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="A web page, a spreadsheet, or plain tables.  [default: from FILE's name, else html]",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The file to write; an existing file is replaced.  [default: standard output]",
)
@click.option(
    "--visits",
    "shown",
    metavar="N",
    type=click.IntRange(0, 10_000),
    default=100,
    show_default=True,
    help="How many visits are shown with their evidence, the lowest scores first.",
)
@store_option
def report(
    *,
    form: str | None,
    output: Path | None,
    shown: int,
    store_url: str | None,
    **scope: Any,  # noqa: ANN401 - click has checked them
) -> None:
    """Report on the record: visits, phrases, rules, offences and complaints, by counter and time.

    As a web page that needs no network (html), a spreadsheet (xlsx), or plain tables (csv, json).
    docs/supervisor.md explains every column.
    """
    from counter_listener.reports import make_report

    form = form or _format_of(output)
    if form == "xlsx" and output is None:
        raise UsageError("A spreadsheet needs a file; name it with -o FILE.")
    report_scope, phrase_sets = parse_scope(**scope)
    with existing_record(store_url) as record:
        data = report_data(record, report_scope, phrase_sets, shown)
    recorded = {name: phrase_sets[name] for name, _hash in data.sets if name in phrase_sets}
    lang, now = current_language(), datetime.now(UTC).astimezone()
    translate = translator(lang)
    content = make_report(data, recorded, recording_url, lang=lang, made=now, zone=None, translate=translate)
    if output is None:
        sys.stdout.write((csv_mark() if form == "csv" else "") + render_text(content, form, translate))
        return
    write_file(output, render(content, form, translate))
    visits = content.total.visits
    text = ngettext("Reported on {count} visit in {file}", "Reported on {count} visits in {file}", visits)
    click.echo(text.format(count=visits, file=printable(str(output))), err=True)


def _format_of(output: Path | None) -> str:
    """The format that the ending of a file's name stands for. Raises UsageError for an unknown ending."""
    if output is None:
        return "html"
    ending = output.suffix.lower().removeprefix(".")
    ending = "html" if ending == "htm" else ending
    if ending not in FORMATS:
        text = N_("{output!r} has no ending that stands for a format; add --format {names}.")
        raise UsageError(text, output=printable(str(output)), names="|".join(FORMATS))
    return ending


def parse_scope(  # noqa: PLR0913 - one for each option
    since: str | None,
    until: str | None,
    counters: Sequence[str],
    phrases_name: str | None,
    branch: str | None = None,
    region: str | None = None,
) -> tuple[ReportScope, dict[str, PhraseSet]]:
    """What the report covers, and the available phrase sets by name. Raises UsageError, PhraseSetError."""
    from counter_listener.audio import parse_time
    from counter_listener.phrases import find_phrase_set, read_phrase_set
    from counter_listener.record import ReportScope

    start, end = (None if time is None else parse_time(time, zone=None) for time in (since, until))
    if start and end and start >= end:
        raise UsageError("--since must be before --until.")
    files = [find_phrase_set(phrases_name)] if phrases_name else sorted(bundled_folder("phrase_sets").glob("*.toml"))
    phrase_sets = [read_phrase_set(file)[0] for file in files]
    name = phrase_sets[0].name if phrases_name else None
    scope = ReportScope(start, end, tuple(counters), branch, region, phrases=name)
    return scope, {phrases.name: phrases for phrases in phrase_sets}


def report_data(record: Record, scope: ReportScope, phrase_sets: dict[str, PhraseSet], shown: int) -> ReportData:
    """The figures of the report, and its `shown` visits. Raises UsageError for a counter that is not in the record."""
    from counter_listener.record import all_places, gather_report_data, has_counter

    for counter in scope.counters:
        if not record.query(lambda connection, name=counter: has_counter(connection, name)):  # type: ignore[misc]
            text = N_("The record has no counter {counter!r}; use a name given to check or listen as --counter.")
            raise UsageError(text, counter=counter)
    placed = record.query(all_places)
    for level, wanted in (("branch", scope.branch), ("region", scope.region)):
        if wanted is not None and wanted not in {getattr(each, level) for each in placed}:
            text = N_("No counter belongs to {name!r}; see `counter-listener counters list`.")
            raise UsageError(text, name=wanted)
    ended = scope if scope.since is None or scope.until else replace(scope, until=datetime.now(UTC))
    stages: dict[str, set[str]] = {}
    for phrases in phrase_sets.values():
        for scenario in phrases.scenario:
            stages.setdefault(scenario.id, set()).update(stage.id for stage in scenario.stage)
    history = record.replaced_streams()
    data = record.query(lambda connection: gather_report_data(connection, ended, shown, stages, left_out=history))
    return replace(data, scope=scope)


def recording_url(recording: str) -> str | None:
    """The file URL of a recording; None for a transcript, or if the file is no longer there."""
    path = Path(recording)
    with suppress(OSError, ValueError):  # a name that is too long, or with a NUL
        if path.is_absolute() and path.suffix != ".jsonl" and path.is_file():
            return path.as_uri()
    return None


def render(content: Report, form: str, translate: Translate) -> bytes:
    """The report as the content of a file."""
    from counter_listener.reports import as_xlsx

    if form == "xlsx":
        file = io.BytesIO()
        as_xlsx(content, file, translate)
        return file.getvalue()
    return ((BOM if form == "csv" else "") + render_text(content, form, translate)).encode()


def render_text(content: Report, form: str, translate: Translate) -> str:
    """The report as text, in any format but xlsx."""
    from counter_listener.reports import as_csv, as_html, as_json

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
