"""`report`: what a supervisor reads, from the record."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from counter_listener.cli.commands.record import record
from counter_listener.cli.options import store_option
from counter_listener.domain import ReportError, UsageError, ngettext, printable, system_reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counter_listener.domain import PhraseSet, Translate
    from counter_listener.record import Record, ReportData, ReportScope
    from counter_listener.reports import Report

FORMATS: Final = ("html", "xlsx", "csv", "json")


@click.command(epilog="Example: counter-listener report --since 2026-01-01 --until 2026-02-01 -o january.html")
@click.option("--since", metavar="TIME", help="Only what happened from this time on.")
@click.option("--until", metavar="TIME", help="Only what happened before this time.")
@click.option("--counter", "counters", metavar="NAME", multiple=True, help="Only this counter; may be given again.")
@click.option(
    "--phrases", "phrases_name", metavar="FILE|NAME", help="Only visits judged by this phrase set.  [default: by any]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="A web page, a spreadsheet, or plain tables.  [default: told from FILE's name, else html]",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write it; one that is there is replaced.  [default: standard output]",
)
@click.option(
    "--visits",
    "shown",
    metavar="N",
    type=click.IntRange(0, 10_000),
    default=100,
    show_default=True,
    help="How many visits are shown with their evidence, those with the lowest score first.",
)
@store_option
def report(  # noqa: PLR0913 - one parameter an option
    *,
    since: str | None,
    until: str | None,
    counters: tuple[str, ...],
    phrases_name: str | None,
    form: str | None,
    output: Path | None,
    shown: int,
    store_url: str | None,
) -> None:
    """Report on the record: visits, phrases, rules, offences and complaints, by counter and time.

    As a web page that needs no network (html), a spreadsheet (xlsx), or plain tables (csv, json). docs/REPORT.md says
    what every column means.
    """
    from counter_listener.domain import current_language, translator

    form = form or _told_from(output)
    if form == "xlsx" and output is None:
        raise UsageError("A spreadsheet needs a file; name it with -o FILE.")
    lang = current_language()
    say = translator(lang)
    scope, sets = asked_scope(since, until, counters, phrases_name)
    with record(store_url) as store:
        found = gathered(store, scope, sets, shown)
    made = _made(found, sets, lang, say)
    if output is None:
        sys.stdout.write(_text(made, form, say))
        return
    with replaced(output) as file:
        write(made, form, file, say)
    text = ngettext("Reported on {count} visit in {file}", "Reported on {count} visits in {file}", made.total.visits)
    click.echo(text.format(count=made.total.visits, file=printable(str(output))), err=True)


def _told_from(output: Path | None) -> str:
    """The format that a file's name asks for. Raises UsageError for a name that asks for none of ours."""
    if output is None:
        return "html"
    ending = output.suffix.lower().removeprefix(".")
    ending = "html" if ending == "htm" else ending
    if ending not in FORMATS:
        raise UsageError(
            "{output!r} does not tell its format; add --format {names}.",
            output=printable(str(output)),
            names="|".join(FORMATS),
        )
    return ending


def asked_scope(
    since: str | None, until: str | None, counters: Sequence[str], phrases_name: str | None
) -> tuple[ReportScope, dict[str, PhraseSet]]:
    """What the report is about, and the phrase sets at hand by name. Raises UsageError and PhraseSetError."""
    from counter_listener.audio import parse_time
    from counter_listener.domain import bundled_folder
    from counter_listener.phrases import find_phrase_set, read_phrase_set
    from counter_listener.record import ReportScope

    start, end = (None if one is None else parse_time(one, zone=None) for one in (since, until))
    if start and end and start >= end:
        raise UsageError("--since must be before --until.")
    files = [find_phrase_set(phrases_name)] if phrases_name else sorted(bundled_folder("phrase_sets").glob("*.toml"))
    read = [read_phrase_set(file)[0] for file in files]
    name = read[0].name if phrases_name else None
    return ReportScope(start, end, tuple(counters), name), {one.name: one for one in read}


def gathered(store: Record, scope: ReportScope, sets: dict[str, PhraseSet], shown: int) -> ReportData:
    """All that the report says. Raises UsageError for a counter that the record does not know."""
    from dataclasses import replace

    from counter_listener.record import gather_report_data, has_counter

    for counter in scope.counters:
        if not store.ask(lambda connection, name=counter: has_counter(connection, name)):  # type: ignore[misc]
            raise UsageError(
                "The record knows no counter {counter!r}; name it as --counter of check or listen did.", counter=counter
            )
    ended = scope if scope.since is None or scope.until else replace(scope, until=datetime.now(UTC))
    stages: dict[str, set[str]] = {}
    for one in (one for phrases in sets.values() for one in phrases.scenario):
        stages.setdefault(one.id, set()).update(stage.id for stage in one.stage)
    history = store.replaced()
    found = store.ask(lambda connection: gather_report_data(connection, ended, shown, stages, left_out=history))
    return replace(found, scope=scope)


def _made(found: ReportData, sets: dict[str, PhraseSet], lang: str, say: Translate) -> Report:
    from counter_listener.reports import make_report

    of_record = {name: sets[name] for name, _ in found.sets if name in sets}
    return make_report(found, of_record, playable, lang=lang, made=datetime.now(UTC).astimezone(), zone=None, say=say)


def playable(recording: str) -> str | None:
    """The file URL of a recording that is still where it was; None else, and for transcripts."""
    path = Path(recording)
    try:
        there = path.is_absolute() and path.suffix != ".jsonl" and path.is_file()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return None
    return path.as_uri() if there else None


def write(made: Report, form: str, file: BinaryIO, say: Translate) -> None:
    """The report in its format, to an open file."""
    if form == "xlsx":
        from counter_listener.reports import as_xlsx

        as_xlsx(made, file, say)
        return
    if form == "csv":
        from counter_listener.reports import BOM

        file.write(BOM.encode())
    file.write(_text(made, form, say).encode())


def _text(made: Report, form: str, say: Translate) -> str:
    if form == "html":
        from counter_listener.reports import as_html

        return as_html(made, say)
    from counter_listener.reports import as_csv, as_json

    return as_csv(made) if form == "csv" else as_json(made)


@contextmanager
def replaced(target: Path) -> Iterator[BinaryIO]:
    """A file beside `target` that takes its place when the block ends well. Raises ReportError."""
    handle = io.BytesIO()
    yield handle
    part: str | None = None
    try:
        number, part = tempfile.mkstemp(prefix=".report-", dir=target.absolute().parent)
        with os.fdopen(number, "wb") as file:
            file.write(handle.getbuffer())
        os.replace(part, target)  # noqa: PTH105 - Path.replace says the same
    except OSError as error:
        if part is not None:
            Path(part).unlink(missing_ok=True)
        raise ReportError(
            "{path} cannot be written ({why}); see to its folder and rights", path=target, why=system_reason(error)
        ) from error
