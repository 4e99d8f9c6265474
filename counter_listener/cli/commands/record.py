"""`events`, `purge` and `backup`: read and keep the record."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import TranslatedGroup
from counter_listener.cli.options import NO_RECORD, Format, format_option, record_location, store_option
from counter_listener.domain import KINDS, N_, VERDICTS, UsageError, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from counter_listener.record import Record, Row

COLUMNS = ("seq", "wall", "counter", "visit", "at", "kind", "stage", "phrase", "verdict", "score", "heard")
HEADINGS = (
    *(N_("row"), N_("time"), N_("counter"), N_("visit"), N_("second"), N_("kind")),
    *(N_("stage"), N_("phrase"), N_("verdict"), N_("score"), N_("words heard")),
)
"""Of the same columns, for people."""


def record(store_url: str | None) -> AbstractContextManager[Record]:
    """The record as it is; none is made."""
    from counter_listener.record import open_record

    return open_record(record_location(store_url), create=False)


@click.group(
    cls=TranslatedGroup,
    invoke_without_command=True,
    epilog="Example: counter-listener events --since 2026-01-15 --verdict forbidden --format csv",
)
@store_option
@click.option("--visit", metavar="ID", help="Only this visit.")
@click.option("--since", metavar="TIME", help="Only what happened from this time on.")
@click.option("--phrase", metavar="ID", help="Only this phrase, offence or rule.")
@click.option(
    "--verdict",
    type=click.Choice(["heard", "not_heard", "unknown", "forbidden", "broken"]),
    help="Only events with this verdict.",
)
@click.option("--history", is_flag=True, help="Verdicts too that were replaced when a recording was judged anew.")
@format_option
@click.pass_context
def events(  # noqa: PLR0913 - one parameter an option
    ctx: click.Context,
    *,
    store_url: str | None,
    visit: str | None,
    since: str | None,
    phrase: str | None,
    verdict: str | None,
    history: bool,
    form: Format,
) -> None:
    """Show the events of the record, or verify that nobody changed it."""
    ctx.obj = store_url
    if ctx.invoked_subcommand:
        return
    from counter_listener.audio import parse_time

    after = parse_time(since, zone=None) if since is not None else None
    with record(store_url) as store:
        rows = store.read(visit=visit, since=after, phrase=phrase, verdict=verdict)
        replaced = frozenset[str]() if history else store.replaced()
        _print_rows((row for row in rows if row.stream not in replaced), form)


@events.command(epilog="Example: counter-listener events verify")
@store_option
@click.pass_context
def verify(ctx: click.Context, *, store_url: str | None) -> None:
    """Check the chain of the record, row by row, and name the first that is broken.

    What it cannot show: rows cut off at the very end, for nothing follows them. Note down the last link that it prints;
    a record that still holds that link has not been cut off before it.
    """
    with record(store_url if store_url is not None else ctx.obj) as store:
        found = store.verify()
    if found.broken is None:
        text = _("{count} rows, the chain is whole. Its last link is {link}")
        click.echo(text.format(count=found.rows, link=found.head))
        return
    row = _("row {seq}: ").format(seq=found.broken.seq) if found.broken.seq is not None else ""
    text = _("Error: the record was changed or damaged after {count} right rows; {row}{wrong}")
    click.echo(text.format(count=found.rows, row=row, wrong=found.broken.wrong.translated(_)), err=True)
    sys.exit(NO_RECORD)


@click.command(epilog="Example: counter-listener purge --before 2025-07-01")
@click.option("--before", metavar="DATE", required=True, help="Visits that ended before this date go.")
@store_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(*, before: str, store_url: str | None, yes: bool) -> None:
    """Remove old visits from the record for good, and kept transcripts with them; the purge records itself."""
    from counter_listener.audio import parse_time
    from counter_listener.batch import remove_transcripts, transcripts_folder

    day = parse_time(before, zone=None)
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("A purge cannot be undone; where nobody can be asked, say --yes.")
    with record(store_url) as store:
        if not yes:
            text = _("Remove every visit that ended before {time:%Y-%m-%d %H:%M}? This cannot be undone.")
            click.confirm(text.format(time=day), abort=True)
        rows = store.purge(day, datetime.now(UTC))
        transcripts = remove_transcripts(transcripts_folder(store.path), (row.sha256 for row in store.recordings()))
    told = ngettext("{count} row removed", "{count} rows removed", rows).format(count=rows)
    if transcripts:
        text = ngettext(", and {count} kept transcript", ", and {count} kept transcripts", transcripts)
        told += text.format(count=transcripts)
    click.echo(told + _("."))


@click.command(epilog="Example: counter-listener backup D:/backup/events-2026-01.db")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def backup(*, file: Path, store_url: str | None) -> None:
    """Copy the record to FILE, whole, even while it is being written."""
    with record(store_url) as store:
        store.backup(file)
    click.echo(_("The record was copied to {file}.").format(file=file))


def _print_rows(rows: Iterable[Row], form: Format) -> None:
    from counter_listener.record import as_csv_lines, as_json_lines, csv_line

    flat = (flat_row(row) for row in rows)
    if form == "table":
        _print_table(flat)
        return
    if form == "csv":
        click.echo(csv_line(COLUMNS))
    for line in as_json_lines(flat) if form == "jsonl" else as_csv_lines(flat, COLUMNS):
        click.echo(line)


def flat_row(row: Row) -> dict[str, object]:
    """A row of the record with its details beside its columns."""
    import json
    from dataclasses import asdict

    columns = asdict(row)
    try:
        detail = json.loads(row.detail)
    except ValueError:  # somebody changed it; `events verify` says so
        return columns
    del columns["detail"]
    return {**columns, **detail} if isinstance(detail, dict) else columns


def _print_table(rows: Iterable[dict[str, object]]) -> None:
    from counter_listener.domain import printable

    click.echo("  ".join(map(_, HEADINGS)))
    for row in rows:
        click.echo("  ".join(printable(_cell(row, name)) for name in COLUMNS))


def _cell(row: dict[str, object], name: str) -> str:
    told = row.get(name)
    if told is None:
        return "-"
    return _({"kind": KINDS, "verdict": VERDICTS}.get(name, {}).get(str(told), "")) or str(told)
