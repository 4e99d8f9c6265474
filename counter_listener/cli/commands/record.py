"""`events`, `purge` and `backup`: read, clean and copy the record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import (
    Format,
    csv_mark,
    existing_record,
    format_option,
    key_location,
    key_option,
    store_option,
)
from counter_listener.domain import KINDS, N_, VERDICTS, UsageError, _, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.record import Row

COLUMNS = ("seq", "wall", "counter", "visit", "at", "kind", "stage", "phrase", "verdict", "score", "heard")
HEADINGS = (
    *(N_("row"), N_("time"), N_("counter"), N_("visit"), N_("second"), N_("kind")),
    *(N_("stage"), N_("phrase"), N_("verdict"), N_("score"), N_("words heard")),
)
"""The headings of COLUMNS, for people."""


@click.group(
    cls=TranslatedGroup,
    invoke_without_command=True,
    epilog="Example: counter-listener events --since 2026-01-15 --verdict forbidden --format csv",
)
@store_option
@click.option("--visit", metavar="ID", help="Only this visit.")
@click.option("--since", metavar="TIME", help="Only what happened at or after this time.")
@click.option("--phrase", metavar="ID", help="Only this phrase, forbidden phrase or rule.")
@click.option(
    "--verdict",
    type=click.Choice(["heard", "not_heard", "unknown", "forbidden", "broken"]),
    help="Only events with this verdict.",
)
@click.option("--history", is_flag=True, help="Include verdicts that were replaced when a recording was judged again.")
@format_option("For people, or one event per line.", "table", "jsonl", "csv")
@click.pass_context
def events(
    ctx: click.Context,
    /,
    *,
    store_url: str | None,
    since: str | None,
    history: bool,
    form: Format,
    **filters: str | None,
) -> None:
    """Show the events of the record, or verify that nobody changed it."""
    ctx.obj = store_url
    if ctx.invoked_subcommand:
        return
    from counter_listener.audio import parse_time

    after = parse_time(since, zone=None) if since is not None else None
    with existing_record(store_url) as record:
        rows = record.read(since=after, **filters)
        replaced = frozenset[str]() if history else record.replaced_streams()
        _print_rows((row for row in rows if row.stream not in replaced), form)


@click.command(cls=Command, epilog="Example: counter-listener purge --before 2025-07-01")
@click.option("--before", metavar="DATE", required=True, help="Remove visits that ended before this date.")
@store_option
@key_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(*, before: str, store_url: str | None, key: str | None, yes: bool) -> None:
    """Remove old visits, recordings and kept transcripts permanently. The purge itself is recorded.

    A visit goes once it ended before DATE, a recording once it ended before DATE and none of its visits is left. Where
    no wall time is known, and where a clock was ahead, the time of checking counts. Of a transcript that is kept, what
    was said before DATE goes.
    """
    from counter_listener.audio import parse_time
    from counter_listener.batch import purge_transcripts, transcripts_folder
    from counter_listener.record import clips_folder, kept_clips

    day = parse_time(before, zone=None)
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("A purge cannot be undone. Without a terminal to confirm it, add --yes.")
    with existing_record(store_url, key_file=key_location(key)) as record:
        if not yes:
            text = _("Remove every visit that ended before {time:%Y-%m-%d %H:%M}? This cannot be undone.")
            click.confirm(text.format(time=day), abort=True)
        before_it = len(kept_clips(clips_folder(record.path)))
        rows = record.purge(day, datetime.now(UTC))
        clips = before_it - len(kept_clips(clips_folder(record.path)))
        transcripts = purge_transcripts(transcripts_folder(record.path), record.kept_from(day))
    text = ngettext("{count} row removed", "{count} rows removed", rows).format(count=rows)
    if transcripts:
        more = ngettext(", and {count} kept transcript", ", and {count} kept transcripts", transcripts)
        text += more.format(count=transcripts)
    if clips > 0:
        text += ngettext(", and {count} clip", ", and {count} clips", clips).format(count=clips)
    click.echo(text + _("."))


@click.command(cls=Command, epilog="Example: counter-listener backup D:/backup/events-2026-01.db")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def backup(*, file: Path, store_url: str | None) -> None:
    """Copy the complete record to FILE, even while it is being written, and beside FILE what lies beside the record.

    That is: the phrase sets of its pages, its accounts, and kept transcripts. FILE is a record like the first one. The
    key that signs the record is not copied: keep a copy of it elsewhere.
    """
    with existing_record(store_url) as record:
        beside = list(zip(companions(record.path), companions(file.absolute()), strict=True))
        record.backup(file, beside)
    click.echo(_("The record was copied to {file}.").format(file=printable(str(file))))
    for source, target in beside:
        if source.exists():
            click.echo(_("Beside it: {file}").format(file=printable(target.name)))


def companions(record: Path) -> tuple[Path, ...]:
    """What may lie beside a record and belongs to it: phrase sets, accounts, kept transcripts."""
    from counter_listener.batch import transcripts_folder
    from counter_listener.phrases import sets_folder
    from counter_listener.record import accounts_file

    return (sets_folder(record), accounts_file(record), transcripts_folder(record))


def _print_rows(rows: Iterable[Row], form: Format) -> None:
    from counter_listener.record import as_csv_lines, as_json_lines, csv_line

    flat = map(flat_row, rows)
    if form == "table":
        click.echo("  ".join(map(_, HEADINGS)))
        for row in flat:
            click.echo("  ".join(printable(_cell(row, name)) for name in COLUMNS))
        return
    if form == "csv":
        click.echo(csv_mark() + csv_line(COLUMNS))
    for line in as_json_lines(flat) if form == "jsonl" else as_csv_lines(flat, COLUMNS):
        click.echo(line)


def flat_row(row: Row) -> dict[str, object]:
    """A row of the record with its details as further columns."""
    columns = asdict(row)
    try:
        detail = json.loads(row.detail)
    except ValueError:  # the row was changed; `events verify` reports it
        return columns
    del columns["detail"]
    return {**columns, **detail} if isinstance(detail, dict) else columns


def _cell(row: dict[str, object], name: str) -> str:
    """A cell for people: titles instead of ids, as far as the row has them."""
    value = row.get(name)
    if value is None:
        return "-"
    if name == "phrase":
        return str(row.get("title") or value)
    return _({"kind": KINDS, "verdict": VERDICTS}.get(name, {}).get(str(value), "")) or str(value)
