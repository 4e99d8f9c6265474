"""`notify`: tries the messages that a server sends."""

from __future__ import annotations

from pathlib import Path

import click

from counter_listener.cli.commands.serve import require_web
from counter_listener.cli.help import Command
from counter_listener.domain import ConfigError, SendError, _


@click.command(cls=Command, epilog="Example: counter-listener notify --settings server.toml --test")
@click.option(
    "--settings",
    "settings_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="The settings of the server, with the table [notify] (docs/it.md).",
)
@click.option("--test", is_flag=True, help="Send a test message. Without it the addresses are checked only.")
def notify(*, settings_file: Path, test: bool) -> None:
    """Check the addresses that messages of a server go to, and send them a test message.

    Messages tell of offences, silent counters and full disks: numbers and the names of counters, and never a word of a
    visit.
    """
    require_web()
    from counter_listener.web import check_server_file, read_server_file, send_test

    given = read_server_file(settings_file)
    if not (given.notify.urls or given.notify.urls_file):
        raise ConfigError("{path}: the table [notify] names no address in 'urls' or 'urls_file'.", path=settings_file)
    check_server_file(given)
    if not test:
        click.echo(_("The addresses can be used. With --test a message is sent to them."))
        return
    if failed := send_test(given):
        raise SendError(
            "The message was not taken by {count} of the addresses: {kinds}", count=len(failed), kinds=", ".join(failed)
        )
    click.echo(_("The message was taken by every address."))
