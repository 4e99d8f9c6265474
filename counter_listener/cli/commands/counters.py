"""`counters`: the counters that send their records to this one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import key_location, key_option, login_name, record_location, store_option
from counter_listener.domain import N_, _, printable

if TYPE_CHECKING:
    from counter_listener.record import Counter

STATES = {
    "ok": N_("record is whole"),
    "rewritten": N_("record was rewritten"),
    "cut": N_("record was cut off"),
    "replaced": N_("record was replaced"),
}
"""What is known of the record of a counter."""


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener counters add 3 --branch 'West Street'")
def counters() -> None:
    """The counters that send their records to this one: add, list, accept, close.

    Their rows come to a server that runs `serve --receive`, or by `record merge` from a stick.
    """


@counters.command(cls=Command, epilog="Example: counter-listener counters add 3 --branch 'West Street' --region North")
@click.argument("name")
@click.option("--branch", metavar="NAME", help="The branch it belongs to.")
@click.option("--region", metavar="NAME", help="The region of the branch.")
@click.option("--many", is_flag=True, help="Its record holds rows of several counters, as that of a branch's server.")
@store_option
@key_option
def add(  # noqa: PLR0913 - one parameter per option
    *, name: str, branch: str | None, region: str | None, many: bool, store_url: str | None, key: str | None
) -> None:
    """Add a counter, and print the code that is typed at it once (`enrol`). NAME is its name in the record.

    For a counter that is known already it makes a new code, for example for a new computer; its token ends when the
    code is used. Who added it is noted in the record.
    """
    from counter_listener.record import Counter, add_counter_by, open_record

    with open_record(record_location(store_url), key_file=key_location(key)) as record:
        code = add_counter_by(record, Counter(name, branch, region, many), login_name(), datetime.now(UTC))
    click.echo(code)
    text = _("Type it at the counter within a day: counter-listener enrol --server URL --code {code}")
    click.echo(text.format(code=code), err=True)


@counters.command("set", cls=Command, epilog="Example: counter-listener counters set 3 --branch 'East Street'")
@click.argument("name")
@click.option("--branch", metavar="NAME", help="The branch it belongs to; an empty one for none.")
@click.option("--region", metavar="NAME", help="The region it belongs to; an empty one for none.")
@store_option
@key_option
def set_counter(*, name: str, branch: str | None, region: str | None, store_url: str | None, key: str | None) -> None:
    """Set which branch and which region a counter belongs to. What is not given stays.

    Accounts of a branch or a region see its counters alone. NAME is the counter's name in the record; it need not send
    its record here. That it was changed, and who did it, is noted in the record.
    """
    from counter_listener.record import Place, all_places, open_record, set_place

    with open_record(record_location(store_url), create=False, key_file=key_location(key)) as record:
        known = {each.name: each for each in record.query(all_places)}
        old = known.get(name, Place(name))
        wanted = Place(name, old.branch if branch is None else branch, old.region if region is None else region)
        set_place(record, wanted, login_name(), datetime.now(UTC))
    parts = [name, wanted.branch or "-", wanted.region or "-"]
    click.echo(printable("  ".join(parts)))


@counters.command("list", cls=Command, epilog="Example: counter-listener counters list --store branch.db")
@store_option
def list_counters(*, store_url: str | None) -> None:
    """List the counters: name, branch, region, when it was heard from, rows that are here, state of its record."""
    from counter_listener.record import counters as all_counters
    from counter_listener.record import open_record

    with open_record(record_location(store_url)) as record:
        found = record.query(all_counters)
    for each in found:
        click.echo(described(each))
    if not found:
        click.echo(_("There is no counter yet; add one with `counter-listener counters add`."), err=True)


@counters.command(cls=Command, epilog="Example: counter-listener counters accept 3")
@click.argument("name")
@store_option
@key_option
def accept(*, name: str, store_url: str | None, key: str | None) -> None:
    """From now on take the record of a counter that was rewritten, cut off or replaced, as it is now.

    What was received before stays. To be done once it is known why, for example because a backup was put back.
    Who did it is noted in the record.
    """
    from counter_listener.record import accept_record_by, open_record

    with open_record(record_location(store_url), key_file=key_location(key)) as record:
        found = accept_record_by(record, name, login_name(), datetime.now(UTC))
    click.echo(_("Accepted: the record of {name} as it is now.").format(name=printable(found.name)))


@counters.command(cls=Command, epilog="Example: counter-listener counters close 3")
@click.argument("name")
@store_option
@key_option
def close(*, name: str, store_url: str | None, key: str | None) -> None:
    """End the token of a counter, for example of a computer that was lost. Its rows stay.

    Who did it is noted in the record.
    """
    from counter_listener.record import close_counter_by, open_record

    with open_record(record_location(store_url), key_file=key_location(key)) as record:
        found = close_counter_by(record, name, login_name(), datetime.now(UTC))
    click.echo(_("Closed: {name}").format(name=printable(found.name)))


@counters.command(cls=Command, epilog="Example: counter-listener counters receipt 3 > receipt-3.json")
@click.argument("name")
@store_option
@key_option
def receipt(*, name: str, store_url: str | None, key: str | None) -> None:
    """Print the receipt for the record of a counter: an anchor for `events verify --against` at that counter."""
    from counter_listener.record import open_record, receipt_for

    with open_record(record_location(store_url), create=False, key_file=key_location(key)) as record:
        click.echo(receipt_for(record, name, datetime.now(UTC)).as_json())


def described(counter: Counter) -> str:
    """A counter in a line."""
    heard = _("never heard from") if counter.heard is None else _shown_time(counter.heard)
    parts = [counter.name, counter.branch or "-", counter.region or "-", heard]
    parts += [_("{count} rows").format(count=counter.rows), _(STATES.get(counter.chain, counter.chain))]
    parts += [counter.fault.translated(_)] if counter.fault else []
    parts += [] if counter.enrolled else [_("not enrolled")]
    return printable("  ".join(parts))


def _shown_time(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
