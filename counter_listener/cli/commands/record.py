"""`events` and `backup`: read and copy the record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import (
    Format,
    csv_mark,
    existing_record,
    format_option,
    store_option,
)
from counter_listener.domain import KINDS, N_, VERDICTS, _, backed_up, printable

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


@click.command(cls=Command, epilog="Example: counter-listener backup D:/backup/events-2026-01.db")
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def backup(*, file: Path, store_url: str | None) -> None:
    """Copy the complete record to FILE, even while it is being written, and beside FILE what lies beside the record.

    That is: the phrase sets of its pages, its accounts, kept transcripts, jobs, and what its server remembers. FILE is
    a record like the first one. The key that signs the record is not copied: keep a copy of it elsewhere. Nor is the
    token of an enrolled counter: enrol it anew.
    """
    with existing_record(store_url) as record:
        beside = list(zip(backed_up(record.path), backed_up(file.absolute()), strict=True))
        record.backup(file, beside)
    click.echo(_("The record was copied to {file}.").format(file=printable(str(file))))
    for source, target in beside:
        if source.exists():
            click.echo(_("Beside it: {file}").format(file=printable(target.name)))


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
