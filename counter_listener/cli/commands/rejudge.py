"""`rejudge`: what another phrase set would change, before anyone switches to it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from counter_listener.cli.options import lines_option, record_location, store_option
from counter_listener.domain import VERDICTS, UsageError, _, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.judging import VerdictChange
    from counter_listener.record import RecordingRow

NOTHING = "-"


@click.command(epilog="Example: counter-listener rejudge --phrases my-branch.toml --since 2026-01-01")
@click.option("--phrases", "phrases_name", metavar="FILE|NAME", required=True, help="The phrase set to try.")
@store_option
@click.option("--since", metavar="TIME", help="Only recordings that began (or were recorded) from this time on.")
@lines_option("For people, or one changed verdict a line.")
def rejudge(*, phrases_name: str, store_url: str | None, since: str | None, form: Literal["table", "jsonl"]) -> None:
    """Judge kept transcripts by another phrase set, and show which verdicts would change. Records nothing.

    Transcripts are there of recordings that were checked with --keep-transcripts. To switch to the phrase set for what
    is in the record: check the recordings with --phrases and --again.
    """
    from counter_listener.audio import parse_time
    from counter_listener.batch import rejudge_transcripts, transcripts_folder
    from counter_listener.judging import load_matcher
    from counter_listener.record import open_record

    matcher = load_matcher(phrases_name)[0]
    after = parse_time(since, zone=None) if since is not None else None
    with open_record(record_location(store_url), create=False) as record:
        folder = transcripts_folder(record.path)
        if not folder.is_dir():
            raise UsageError(
                "{folder} holds no transcripts; check recordings with --keep-transcripts first.", folder=folder
            )
        counts: Counter[tuple[str, str, str]] = Counter()
        judged = changed = 0
        for row, changes in rejudge_transcripts(record, folder, matcher, after):
            judged += 1
            changed += bool(changes)
            counts.update((change.title, change.before or "", change.after or "") for change in changes)
            _show(row, changes, form)
    if form == "table":
        _summary(judged, changed, counts)


def _show(row: RecordingRow, found: list[VerdictChange], form: str) -> None:
    from counter_listener.domain import format_duration

    if form == "jsonl":
        for flip in found:
            click.echo(json.dumps({"source": printable(row.path), **asdict(flip)}, ensure_ascii=False))
        return
    if found:
        click.echo(printable(row.path))
    for flip in found:
        words = f"  {flip.heard}" if flip.heard else ""
        change = f"{verdict(flip.before)} -> {verdict(flip.after)}"
        where = _("visit {number} at {time}").format(number=flip.visit, time=format_duration(flip.at))
        click.echo(printable(f"  {where}  {flip.title}{_(': ')}{change}{words}"))


def _summary(judged: int, changed: int, counts: Counter[tuple[str, str, str]]) -> None:
    text = ngettext(
        "{count} transcript judged; {changed} with verdicts that would change, {all} in all.",
        "{count} transcripts judged; {changed} with verdicts that would change, {all} in all.",
        judged,
    )
    click.echo(text.format(count=judged, changed=changed, all=counts.total()))
    for (title, before, after), count in counts.most_common():
        click.echo(printable(f"  {count:>6} x  {title}{_(': ')}{verdict(before)} -> {verdict(after)}"))


def verdict(told: str | None) -> str:
    """A verdict for people; a stroke where there is none."""
    return _(VERDICTS.get(told, told)) if told else NOTHING
