"""`accounts`: who may sign in to the pages from other computers."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import record_location, store_option
from counter_listener.domain import _, printable

if TYPE_CHECKING:
    from counter_listener.record import Account, AccountRole, Accounts, Token

ROLES = ("clerk", "reviewer", "supervisor", "administrator", "auditor")
role_choice = click.Choice(ROLES)
COUNTER_HELP = "The only counter whose visits a clerk sees."
BRANCH_HELP = "The only branch whose counters the account sees."
REGION_HELP = "The only region whose counters the account sees."


def accounts_of(store_url: str | None) -> Accounts:
    """The accounts that belong to a record. Raises UsageError, RecordError."""
    return accounts_beside(record_location(store_url))


def accounts_beside(location: str) -> Accounts:
    """The accounts that belong to the record at a location; there may be none yet. Raises RecordError."""
    from counter_listener.record import Accounts, accounts_file, record_file

    return Accounts(accounts_file(record_file(location)))


@click.group(cls=TranslatedGroup, epilog="Example: counter-listener accounts list")
def accounts() -> None:
    """Add, change and list the accounts that sign in to the pages of `serve` from other computers.

    They are in a file beside the record. The roles: clerk (sees the visits of one counter), reviewer, supervisor,
    administrator (accounts and system, no verdicts), auditor (sees everything, changes nothing).
    """


@accounts.command(cls=Command, epilog="Example: counter-listener accounts add wang --role supervisor")
@click.argument("name")
@click.option("--role", type=role_choice, required=True, help="What the account may do.")
@click.option("--counter", metavar="NAME", help=COUNTER_HELP)
@click.option("--branch", metavar="NAME", help=BRANCH_HELP)
@click.option("--region", metavar="NAME", help=REGION_HELP)
@store_option
def add(*, name: str, role: AccountRole, store_url: str | None, **scope: str | None) -> None:
    """Add an account. The password is asked for, or read from standard input.

    With --branch or --region it sees the counters of that branch or region alone, on every page and in every export;
    `counters list` shows which those are.
    """
    made = accounts_of(store_url).add(name, role, ask_password(), datetime.now(UTC), **scope)
    click.echo(_("Added: {account}").format(account=described(made)))


@accounts.command(cls=Command, epilog="Example: counter-listener accounts change wang --close")
@click.argument("name")
@click.option("--role", type=role_choice, help="What the account may do from now on.")
@click.option("--counter", metavar="NAME", help=COUNTER_HELP)
@click.option("--branch", metavar="NAME", help=BRANCH_HELP)
@click.option("--region", metavar="NAME", help=REGION_HELP)
@click.option("--password", "new_password", is_flag=True, help="Ask for a new password.")
@click.option("--close/--open", "disabled", default=None, help="Close the account, or open it again.")
@store_option
def change(
    *,
    name: str,
    role: AccountRole | None,
    new_password: bool,
    disabled: bool | None,
    store_url: str | None,
    **scope: str | None,
) -> None:
    """Change an account; whoever is signed in with it has to sign in again.

    An empty --branch or --region lets it see all again.
    """
    kept = accounts_of(store_url)
    password = ask_password() if new_password else None
    changed = kept.change(name, datetime.now(UTC), role=role, password=password, disabled=disabled, **scope)
    click.echo(_("Changed: {account}").format(account=described(changed)))


@accounts.command("list", cls=Command, epilog="Example: counter-listener accounts list --store branch.db")
@store_option
def list_accounts(*, store_url: str | None) -> None:
    """List the accounts."""
    kept = accounts_of(store_url).all()
    for each in kept:
        click.echo(described(each))
    if not kept:
        click.echo(_("There is no account yet."), err=True)


@accounts.group(cls=TranslatedGroup, epilog="Example: counter-listener accounts token list")
def token() -> None:
    """Add, list and revoke the tokens with which programs sign in to the API of `serve`.

    A token has the rights of its account, and ends with it.
    """


@token.command("add", cls=Command, epilog="Example: counter-listener accounts token add wang --title 'monthly figures'")
@click.argument("name")
@click.option("--title", metavar="TEXT", default="", help="What it is for.")
@store_option
def add_token(*, name: str, title: str, store_url: str | None) -> None:
    """Add a token for an account, and print it. It cannot be shown again."""
    _made, secret = accounts_of(store_url).add_token(name, title, datetime.now(UTC))
    click.echo(secret)
    click.echo(_("Keep it safe: whoever has it may do what the account may. It cannot be shown again."), err=True)


@token.command("list", cls=Command, epilog="Example: counter-listener accounts token list")
@click.argument("name", required=False)
@store_option
def list_tokens(*, name: str | None, store_url: str | None) -> None:
    """List the tokens, or those of one account: number, account, title, when they were used last."""
    kept = accounts_of(store_url).tokens(name)
    for each in kept:
        click.echo(described_token(each))
    if not kept:
        click.echo(_("There is no token yet."), err=True)


@token.command("revoke", cls=Command, epilog="Example: counter-listener accounts token revoke 3")
@click.argument("number", type=click.IntRange(1))
@store_option
def revoke_token(*, number: int, store_url: str | None) -> None:
    """Revoke the token with this number, from now on and for good."""
    ended = accounts_of(store_url).end_token(number, datetime.now(UTC))
    click.echo(_("Revoked: {token}").format(token=described_token(ended)))


def described_token(one: Token) -> str:
    """A token in a line."""
    used = _("never used") if one.used is None else _("used {time}").format(time=shown_time(one.used))
    parts = [str(one.id), one.account, one.title or "-", used]
    parts += [_("revoked {time}").format(time=shown_time(one.ended))] if one.ended else []
    return printable("  ".join(parts))


def shown_time(moment: str) -> str:
    """A time of the accounts, in the zone of this machine."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def described(account: Account) -> str:
    """An account in a line."""
    from counter_listener.web import ROLES as TITLES

    parts = [account.name, _(TITLES[account.role])]
    parts += [_("counter {name}").format(name=account.counter)] if account.counter else []
    parts += [_("branch {name}").format(name=account.branch)] if account.branch else []
    parts += [_("region {name}").format(name=account.region)] if account.region else []
    parts += [_("closed")] if account.disabled else []
    return printable("  ".join(parts))


def ask_password() -> str:
    """A password: typed twice at a terminal, else the first line of standard input."""
    if sys.stdin is not None and sys.stdin.isatty():
        return str(click.prompt(_("Password"), hide_input=True, confirmation_prompt=_("Once more")))
    return sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""


def existing_accounts(location: str) -> Accounts | None:
    """The accounts beside a record, if there are any."""
    kept = accounts_beside(location)
    return kept if kept.all() else None
