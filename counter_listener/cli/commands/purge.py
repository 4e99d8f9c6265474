"""`purge`: removes what is old from the record and beside it, but for what is under a legal hold."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import existing_record, key_location, key_option, login_name, store_option
from counter_listener.domain import UsageError, _, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.record import Held, Limits, Purged, Record


@click.command(cls=Command, epilog="Example: counter-listener purge --before 2025-07-01")
@click.option("--before", metavar="DATE", help="Remove visits that ended before this date.")
@click.option("--by-retention", is_flag=True, help="Remove what is past the date of its rule: see `retention`.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@store_option
@key_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(  # noqa: PLR0913 - one parameter per option
    *, before: str | None, by_retention: bool, dry_run: bool, store_url: str | None, key: str | None, yes: bool
) -> None:
    """Remove old visits, recordings and kept transcripts permanently. The purge itself is recorded.

    A visit goes once it ended before DATE, a recording once it ended before DATE and none of its visits is left. Where
    no wall time is known, and where a clock was ahead, the time of checking counts. Of a transcript that is kept, what
    was said before DATE goes. With --by-retention each branch has its own date. What is under a legal hold stays.
    """
    if (before is None) != by_retention:
        raise UsageError("Give either --before DATE or --by-retention.")
    if not (yes or dry_run) and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("A purge cannot be undone. Without a terminal to confirm it, add --yes.")
    with existing_record(store_url, key_file=None if dry_run else key_location(key)) as record:
        limits, words = _limits(record, before)
        if dry_run:
            _tell(record.would_remove(limits), limits)
            return
        if not yes:
            click.confirm(_question(limits, by_retention=by_retention), abort=True)
        note = {"by": login_name(), **({"by_rules": True} if by_retention else {})}
        _tell_done(*_purge(record, (limits, words), note))


def _limits(record: Record, before: str | None) -> tuple[Limits, Limits]:
    """The limits of visits and of transcripts."""
    from counter_listener.audio import parse_time
    from counter_listener.record import NEVER, Limits, all_retention, iso

    if before is not None:
        return Limits(iso(parse_time(before, zone=None))), NEVER
    found, now = record.query(lambda connection: all_retention(connection, record.path)), datetime.now(UTC)
    if not found.rules:
        raise UsageError("There is no rule of retention yet; set one with `counter-listener retention set`.")
    return found.limits("visits", now), found.limits("transcripts", now)


def _question(limits: Limits, *, by_retention: bool) -> str:
    if by_retention:
        return _("Remove everything that is past the date of its rule? This cannot be undone.")
    text = _("Remove every visit that ended before {time:%Y-%m-%d %H:%M}? This cannot be undone.")
    return text.format(time=datetime.fromisoformat(limits.latest).astimezone())


def _purge(record: Record, limits: tuple[Limits, Limits], note: dict[str, object]) -> tuple[Purged, int]:
    from counter_listener.batch import purge_all

    return purge_all(record, *limits, datetime.now(UTC), note)


def _tell_done(done: Purged, transcripts: int) -> None:
    text = ngettext("{count} row removed", "{count} rows removed", done.rows).format(count=done.rows)
    if transcripts:
        more = ngettext(", and {count} kept transcript", ", and {count} kept transcripts", transcripts)
        text += more.format(count=transcripts)
    if done.clips:
        text += ngettext(", and {count} clip", ", and {count} clips", done.clips).format(count=done.clips)
    click.echo(text + _("."))
    _tell_held(done.held)


def _tell(found: Purged, limits: Limits) -> None:
    text = ngettext("{count} row would be removed.", "{count} rows would be removed.", found.rows)
    click.echo(text.format(count=found.rows))
    for counter, visits in sorted(found.visits.items(), key=lambda each: each[0] or ""):
        limit = datetime.fromisoformat(str(limits.of(counter))).astimezone()
        line = ngettext(
            "counter {counter}: {count} visit before {day}", "counter {counter}: {count} visits before {day}", visits
        )
        click.echo("  " + line.format(counter=printable(counter or "-"), count=visits, day=f"{limit:%Y-%m-%d}"))
    _tell_held(found.held)


def _tell_held(held: Held) -> None:
    if held.visits:
        names = ", ".join(f"{name} ({count})" for name, count in held.holds.items())
        text = ngettext(
            "{count} visit stays, because it is under a legal hold: {names}.",
            "{count} visits stay, because they are under a legal hold: {names}.",
            held.visits,
        )
        click.echo(text.format(count=held.visits, names=printable(names)))
