"""`rejudge`: what another phrase set would change, before anyone switches to it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import click

from counter_listener.cli.options import lines_option, store_option, store_place
from counter_listener.domain import VERDICTS, UsageError, _, many, printable
from counter_listener.judging import load_phrases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counter_listener.batch import Kept
    from counter_listener.domain import Event
    from counter_listener.judging import Flip
    from counter_listener.matching import Matcher
    from counter_listener.record import RecordingRow, Store

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
    from counter_listener.batch import folder_of, read_kept
    from counter_listener.record import open_store

    matcher = load_phrases(phrases_name)[0]
    after = parse_time(since, zone=None) if since is not None else None
    with open_store(store_place(store_url), create=False) as store:
        folder = folder_of(store.path)
        if not folder.is_dir():
            raise UsageError(
                "{folder} holds no transcripts; check recordings with --keep-transcripts first.", folder=folder
            )
        recordings = {row.sha256: row for row in store.recordings()}
        counts: Counter[tuple[str, str, str]] = Counter()
        judged = changed = 0
        for kept in read_kept(folder):
            row = recordings.get(kept.sha256)
            if row is None or not _wanted(row, after):
                continue
            judged += 1
            found = list(_flips(store, kept, matcher))
            changed += bool(found)
            counts.update((flip.title, flip.before or "", flip.after or "") for flip in found)
            _show(row, found, form)
    if form == "table":
        _summary(judged, changed, counts)


def _wanted(row: RecordingRow, after: datetime | None) -> bool:
    from counter_listener.record import iso

    return after is None or (row.started or row.recorded) >= iso(after)


def _flips(store: Store, kept: Kept, matcher: Matcher) -> Iterator[Flip]:
    from counter_listener.cli.recorder import event_of
    from counter_listener.judging import flips
    from counter_listener.pipeline import judged, timed

    judging = store.judging(kept.sha256)
    before: list[Event] = [event_of(row) for row in store.read(stream=judging.stream)] if judging else []
    one_visit = bool(kept.options.get("one_visit"))
    after = judged(timed(kept.items, kept.seconds), matcher, one_visit=one_visit)
    return flips(before, list(after))


def _show(row: RecordingRow, found: list[Flip], form: str) -> None:
    from counter_listener.domain import clock

    if form == "jsonl":
        for flip in found:
            click.echo(json.dumps({"source": printable(row.path), **asdict(flip)}, ensure_ascii=False))
        return
    if found:
        click.echo(printable(row.path))
    for flip in found:
        words = f"  {flip.heard}" if flip.heard else ""
        change = f"{verdict(flip.before)} -> {verdict(flip.after)}"
        where = _("visit {number} at {time}").format(number=flip.visit, time=clock(flip.at))
        click.echo(printable(f"  {where}  {flip.title}{_(': ')}{change}{words}"))


def _summary(judged: int, changed: int, counts: Counter[tuple[str, str, str]]) -> None:
    text = many(
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
