"""`report`: what supervisors read about the record, as a web page, a spreadsheet or plain tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import beside_record, csv_mark, existing_record, record_location, store_option
from counter_listener.domain import (
    N_,
    UsageError,
    current_language,
    ngettext,
    printable,
    translator,
)

if TYPE_CHECKING:
    from counter_listener.domain import PhraseSet
    from counter_listener.record import ReportScope

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
    from counter_listener.reports import gather_data, make_report, rendered, rendered_text, write_file

    form = form or _format_of(output)
    if form == "xlsx" and output is None:
        raise UsageError("A spreadsheet needs a file; name it with -o FILE.")
    report_scope, phrase_sets = parse_scope(beside_record(record_location(store_url)), **scope)
    with existing_record(store_url) as record:
        data = gather_data(record, report_scope, phrase_sets, shown, datetime.now(UTC))
    recorded = {name: phrase_sets[name] for name, _hash in data.sets if name in phrase_sets}
    lang, now = current_language(), datetime.now(UTC).astimezone()
    translate = translator(lang)
    content = make_report(data, recorded, recording_url, lang=lang, made=now, zone=None, translate=translate)
    if output is None:
        sys.stdout.write((csv_mark() if form == "csv" else "") + rendered_text(content, form, translate))
        return
    write_file(output, rendered(content, form, translate))
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
    record: Path | None,
    since: str | None,
    until: str | None,
    counters: Sequence[str],
    phrases_name: str | None,
    branch: str | None = None,
    region: str | None = None,
) -> tuple[ReportScope, dict[str, PhraseSet]]:
    """What the report covers, and the phrase sets in force in the record by name. Raises UsageError, PhraseSetError."""
    from counter_listener.audio import parse_time
    from counter_listener.record import ReportScope
    from counter_listener.reports import known_sets

    start, end = (None if time is None else parse_time(time, zone=None) for time in (since, until))
    if start and end and start >= end:
        raise UsageError("--since must be before --until.")
    phrase_sets = known_sets(phrases_name, record)
    name = next(iter(phrase_sets)) if phrases_name else None
    return ReportScope(start, end, tuple(counters), branch, region, phrases=name), phrase_sets


def recording_url(recording: str) -> str | None:
    """The file URL of a recording; None for a transcript, or if the file is no longer there."""
    path = Path(recording)
    with suppress(OSError, ValueError):  # a name that is too long, or with a NUL
        if path.is_absolute() and path.suffix != ".jsonl" and path.is_file():
            return path.as_uri()
    return None
