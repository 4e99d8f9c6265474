"""`retention` and `hold`: how long something is kept, and what no purge removes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import existing_record, key_location, key_option, login_name, store_option
from counter_listener.domain import N_, UsageError, _, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.record import Hold, Level, Retention, Rule, Scope, Who

Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])
LEVELS: dict[Level, str] = {
    "everything": N_("the whole record"),
    "region": N_("region {name}"),
    "branch": N_("branch {name}"),
    "counter": N_("counter {name}"),
    "visit": N_("visit {name}"),
}
"""What a rule or a hold is for."""
DAYS = click.IntRange(0, 36_500)
place_options = (
    click.option("--branch", metavar="NAME", help="For this branch."),
    click.option("--region", metavar="NAME", help="For this region."),
    click.option("--everything", is_flag=True, help="For the whole record."),
)
hold_options = (
    *place_options,
    click.option("--counter", metavar="NAME", help="For this counter."),
    click.option("--visit", metavar="ID", help="For this visit."),
    click.option("--from", "since", metavar="DAY", default="", help="What ended on this day or later, as 2026-01-31."),
    click.option("--to", "until", metavar="DAY", default="", help="What began on this day or earlier."),
)


def with_options(options: tuple[Callable[[Wrapped], Wrapped], ...]) -> Callable[[Wrapped], Wrapped]:
    """Gives a command several options."""

    def wrap(command: Wrapped) -> Wrapped:
        for option in reversed(options):
            command = option(command)
        return command

    return wrap


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener retention set --everything --visits 365")
def retention() -> None:
    """How long visits and kept transcripts are kept: for a branch, for a region, for everything.

    The rule of a branch goes before that of its region, and that before the one for everything. `purge --by-retention`
    removes what is past its date; without a rule nothing is. Each change is a row of the record.
    """


@retention.command("list", cls=Command, epilog="Example: counter-listener retention list")
@store_option
def list_rules(*, store_url: str | None) -> None:
    """List the rules, the widest first; on a counter also those that its server handed out."""
    with existing_record(store_url) as record:
        rules = _read(record).rules
    for rule in rules:
        click.echo(described_rule(rule))
    if not rules:
        click.echo(_("There is no rule; nothing is removed by `purge --by-retention`."), err=True)


@retention.command("set", cls=Command, epilog="Example: counter-listener retention set --branch East --visits 180")
@with_options(place_options)
@click.option("--visits", type=DAYS, metavar="DAYS", help="Keep visits so long; 0 takes the rule away.")
@click.option("--transcripts", type=DAYS, metavar="DAYS", help="Keep transcripts so long; 0 takes the rule away.")
@store_option
@key_option
def set_retention(
    *, visits: int | None, transcripts: int | None, store_url: str | None, key: str | None, **given: str | bool | None
) -> None:
    """Set for how many days something is kept. What is not given stays as it is.

    A recording in the record goes with the last of its visits. A transcript goes at the latest with its recording.
    """
    from counter_listener.record import Rule, set_rule

    scope = scope_of(given)
    with existing_record(store_url, key_file=key_location(key)) as record:
        old = next((each for each in _read(record).rules if each.scope == scope), Rule(scope))
        wanted = Rule(scope, _days(visits, old.visits), _days(transcripts, old.transcripts))
        set_rule(record, wanted, _who(), datetime.now(UTC))
    click.echo(described_rule(wanted))


def _days(wanted: int | None, before: int | None) -> int | None:
    return before if wanted is None else wanted or None


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener hold set --counter 3 --reason 'complaint 17'")
def hold() -> None:
    """Legal holds: what no purge removes until the hold is lifted.

    A hold that is set on a server keeps its rows there, also when a counter purges its own; a counter that sends its
    record gets the holds that concern it with the next `send`. Setting, changing and lifting are rows of the record.
    """


@hold.command("list", cls=Command, epilog="Example: counter-listener hold list --all")
@click.option("--all", "every", is_flag=True, help="Also those that were lifted.")
@store_option
def list_holds(*, every: bool, store_url: str | None) -> None:
    """List the holds that are in force; on a counter also those that its server handed out."""
    with existing_record(store_url) as record:
        holds = [each for each in _read(record).holds if every or each.in_force]
    for each in holds:
        click.echo(described_hold(each))
    if not holds:
        click.echo(_("There is no hold in force."), err=True)


@hold.command(
    "set", cls=Command, epilog="Example: counter-listener hold set --branch East --from 2026-01-01 --reason audit"
)
@click.option("--id", "name", metavar="HOLD", default="", help="Change the dates and the reason of this hold.")
@with_options(hold_options)
@click.option("--reason", metavar="TEXT", required=True, help="Why; it stands in the record.")
@store_option
@key_option
def set_one(  # noqa: PLR0913 - one parameter per option
    *,
    name: str,
    since: str,
    until: str,
    reason: str,
    store_url: str | None,
    key: str | None,
    **given: str | bool | None,
) -> None:
    """Set a hold, and print its name. Without dates it holds everything of its branch, region, counter or visit."""
    from counter_listener.record import Hold, Scope, day_end, day_start, set_hold

    scope = Scope() if name else scope_of(given)
    wanted = Hold(name, scope, day_start(since), day_end(until), reason)
    with existing_record(store_url, key_file=key_location(key)) as record:
        click.echo(set_hold(record, wanted, _who(), datetime.now(UTC)))


@hold.command(cls=Command, epilog="Example: counter-listener hold lift H1 --reason 'the case is closed'")
@click.argument("name")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it stands in the record.")
@store_option
@key_option
def lift(*, name: str, reason: str, store_url: str | None, key: str | None) -> None:
    """Lift a hold. NAME is as `hold list` shows it. What is past its date goes with the next purge."""
    from counter_listener.record import lift_hold

    with existing_record(store_url, key_file=key_location(key)) as record:
        lift_hold(record, name, reason, _who(), datetime.now(UTC))
    click.echo(_("Lifted: {name}").format(name=printable(name)))


def scope_of(given: Mapping[str, str | bool | None]) -> Scope:
    """What the options name. Raises UsageError unless it is one thing."""
    from counter_listener.record import Scope

    named = [level for level in LEVELS if given.get(level)]
    if len(named) != 1:
        raise UsageError(
            "Name one thing: {names}.", names=", ".join(f"--{level}" for level in LEVELS if level in given)
        )
    name = given[named[0]]
    return Scope(named[0], name if isinstance(name, str) else "")


def described_scope(scope: Scope) -> str:
    """What a rule or a hold is for."""
    return _(LEVELS[scope.level]).format(name=scope.name)


def described_rule(rule: Rule) -> str:
    """A rule in a line."""
    parts = [described_scope(rule.scope), *_told_days(rule)]
    return printable("  ".join([*parts, rule.by] if rule.by else parts))


def _told_days(rule: Rule) -> list[str]:
    kept = (
        (rule.visits, ngettext("visits {count} day", "visits {count} days", rule.visits or 0)),
        (rule.transcripts, ngettext("transcripts {count} day", "transcripts {count} days", rule.transcripts or 0)),
    )
    return [text.format(count=days) for days, text in kept if days is not None] or [_("no rule of its own")]


def described_hold(each: Hold) -> str:
    """A hold in a line."""
    parts = [
        each.id,
        described_scope(each.scope),
        _day(each.since, _("from {day}")),
        _day(each.last_day, _("to {day}")),
    ]
    parts += [each.reason, _day(each.at, "{day}"), each.by]
    if each.lifted_at:
        parts.append(
            _("lifted {day} by {name}: {reason}").format(
                day=_day(each.lifted_at, "{day}"), name=each.lifted_by, reason=each.lifted_reason
            )
        )
    return printable("  ".join(part for part in parts if part))


def _day(moment: str | datetime | None, text: str) -> str:
    if not moment:
        return ""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return text.format(day=f"{at.astimezone():%Y-%m-%d}")


def _read(record: Any) -> Retention:  # noqa: ANN401 - imported when it is needed
    from counter_listener.record import all_retention

    found: Retention = record.query(lambda connection: all_retention(connection, record.path))
    return found


def _who() -> Who:
    from counter_listener.record import Who

    return Who(login_name())
