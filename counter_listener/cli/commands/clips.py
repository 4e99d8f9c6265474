"""`clips`: the seconds of sound that are kept around verdicts in question: list them, remove them, their key."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import clip_key_location, clip_key_option, existing_record, store_option
from counter_listener.domain import N_, UsageError, _, format_duration, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.record import KeptClip

HEADINGS = (N_("visit"), N_("at"), N_("length"), N_("until"), N_("key"))


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener clips list")
def clips() -> None:
    """Clips of sound that `listen` keeps around verdicts in question, if its settings ask for it: list, purge, key."""


@clips.command("list", cls=Command, epilog="Example: counter-listener clips list --visit live-20260115T010000-1a2b3c-1")
@click.option("--visit", metavar="ID", help="Only those of this visit.")
@clip_key_option
@store_option
def list_clips(*, visit: str | None, clip_key: str | None, store_url: str | None) -> None:
    """List the clips: visit, second of the stream, length, until when, and the key that opens each.

    A key in brackets is not on this computer. What is past its date is not listed; it is removed on the way.
    """
    from counter_listener.record import clips_folder, kept_clips, read_clip_keys, sweep_clips

    keys = read_clip_keys(clip_key_location(clip_key)).public
    with existing_record(store_url) as record:
        sweep_clips(record.path, record.query, datetime.now(UTC))
        found = kept_clips(clips_folder(record.path), visit)
    if found:
        click.echo("  ".join(map(_, HEADINGS)))
    for clip in found:
        click.echo("  ".join(_cells(clip, keys)))
    size = sum(clip.size for clip in found) / 1e6
    text = ngettext("{count} clip, {size:.1f} MB", "{count} clips, {size:.1f} MB", len(found))
    click.echo(text.format(count=len(found), size=size), err=True)


def _cells(clip: KeptClip, keys: tuple[str, ...]) -> tuple[str, ...]:
    from counter_listener.record import fingerprint

    facts = clip.facts
    if facts is None:
        return printable(clip.visit), format_duration(clip.number / 1000), _("damaged")
    name = fingerprint(facts.key)
    return (
        printable(clip.visit),
        format_duration(facts.start),
        format_duration(facts.end - facts.start),
        f"{facts.gone_at.astimezone():%Y-%m-%d %H:%M}",
        name if facts.key in keys else f"[{name}]",
    )


@clips.command("purge", cls=Command, epilog="Example: counter-listener clips purge --before 2026-01-12 --yes")
@click.option("--before", metavar="DATE", help="Only those that were made before this date.  [default: all]")
@click.option("--visit", metavar="ID", help="Only those of this visit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
def purge_clips(*, before: str | None, visit: str | None, yes: bool, store_url: str | None) -> None:
    """Remove clips before their date; the verdicts stay. This cannot be undone.

    Clips go by themselves at their date, and with their visit (`purge`).
    """
    from counter_listener.audio import parse_time
    from counter_listener.record import clips_folder, kept_clips, remove_clips

    limit = parse_time(before, zone=None) if before else None
    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("A purge cannot be undone. Without a terminal to confirm it, add --yes.")
    with existing_record(store_url) as record:
        found = kept_clips(clips_folder(record.path), visit)
    chosen = [clip for clip in found if limit is None or clip.facts is None or _made(clip) < limit]
    if not yes:
        text = ngettext("Remove {count} clip?", "Remove {count} clips?", len(chosen))
        click.confirm(text.format(count=len(chosen)), abort=True)
    removed = remove_clips(chosen)
    click.echo(ngettext("{count} clip removed", "{count} clips removed", removed).format(count=removed) + _("."))


def _made(clip: KeptClip) -> datetime:
    return datetime.fromisoformat(clip.facts.made if clip.facts else "")


@clips.command("key", cls=Command, epilog="Example: counter-listener clips key")
@click.option("--new", is_flag=True, help="Make a new key first; the old ones still open the clips that they sealed.")
@clip_key_option
def key(*, new: bool, clip_key: str | None) -> None:
    """Print the public key for which clips are encrypted, and the fingerprints of all keys. The first is made here.

    Run it on the computer whose pages play the clips, and write the public key into `[clips] key` in counter.toml of
    each counter. The private keys are in one file, for its owner alone: keep a copy. Without it no clip can be played.
    """
    from counter_listener.record import fingerprint, make_clip_keys, renew_clip_keys

    path = clip_key_location(clip_key)
    keys = renew_clip_keys(path) if new else make_clip_keys(path)
    click.echo(keys.public[0])
    for public in keys.public:
        text = _("in use: {key}") if public == keys.public[0] else _("older: {key}")
        click.echo(text.format(key=fingerprint(public)), err=True)
    click.echo(_("The private keys are in {path}; keep a copy.").format(path=printable(str(path))), err=True)
