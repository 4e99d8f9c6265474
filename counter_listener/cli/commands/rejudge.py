"""`rejudge`: which verdicts another phrase set would change."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import beside_record, existing_record, format_option, record_location, store_option
from counter_listener.domain import VERDICTS, UsageError, _, format_duration, json_line, ngettext, printable, written

if TYPE_CHECKING:
    from counter_listener.judging import VerdictChange
    from counter_listener.record import RecordingRow


@click.command(cls=Command, epilog="Example: counter-listener rejudge --phrases my-branch.toml --since 2026-01-01")
@click.option("--phrases", "phrases_name", metavar="FILE|NAME", required=True, help="The phrase set to try.")
@store_option
@click.option("--since", metavar="TIME", help="Only recordings that began (or were recorded) at or after this time.")
@format_option("For people, or one changed verdict per line.")
def rejudge(*, phrases_name: str, store_url: str | None, since: str | None, form: Literal["table", "jsonl"]) -> None:
    """Judge kept transcripts with another phrase set, and show which verdicts would change. Records nothing.

    Transcripts exist for recordings that were checked with --keep-transcripts. To apply the phrase set to the record,
    check the recordings again with --phrases and --again.
    """
    from counter_listener.audio import parse_time
    from counter_listener.batch import rejudge_transcripts, transcripts_folder
    from counter_listener.judging import load_matcher

    matcher = load_matcher(phrases_name, beside=beside_record(record_location(store_url)))[0]
    after = parse_time(since, zone=None) if since is not None else None
    with existing_record(store_url) as record:
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


def _show(row: RecordingRow, changes: list[VerdictChange], form: str) -> None:
    if form == "jsonl":
        for change in changes:
            click.echo(json_line({"source": row.path, **asdict(change)}))
        return
    if changes:
        click.echo(printable(row.path))
    for change in changes:
        words = f"  {written(change.heard)}" if change.heard else ""
        verdicts = f"{verdict_text(change.before)} -> {verdict_text(change.after)}"
        where = _("visit {number} at {time}").format(number=change.visit, time=format_duration(change.at))
        click.echo(printable(f"  {where}  {change.title}{_(': ')}{verdicts}{words}"))


def _summary(judged: int, changed: int, counts: Counter[tuple[str, str, str]]) -> None:
    text = ngettext(
        "{count} transcript judged; {changed} with verdicts that would change, {all} in all.",
        "{count} transcripts judged; {changed} with verdicts that would change, {all} in all.",
        judged,
    )
    click.echo(text.format(count=judged, changed=changed, all=counts.total()))
    for (title, before, after), count in counts.most_common():
        click.echo(printable(f"  {count:>6} x  {title}{_(': ')}{verdict_text(before)} -> {verdict_text(after)}"))


def verdict_text(verdict: str | None) -> str:
    """A verdict for people; a dash if there is none."""
    return _(VERDICTS.get(verdict, verdict)) if verdict else "-"
