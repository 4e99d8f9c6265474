"""`serve`: the pages in the browser."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.commands.accounts import accounts_beside, existing_accounts
from counter_listener.cli.help import Command
from counter_listener.cli.log import Log, LogForm, log_format_option
from counter_listener.cli.options import (
    clip_key_location,
    clip_key_option,
    existing_record,
    key_location,
    key_option,
    login_name,
    record_location,
    store_option,
)
from counter_listener.domain import Lang, Sentence, UsageError, _, current_language, translator

if TYPE_CHECKING:
    import socket

    from counter_listener.record import Accounts
    from counter_listener.web import Address, ServerFile, Settings

PORT: Final = 8765
JOB_COMMAND: Final = (sys.executable, "-m", "counter_listener.cli.job_process")
"""Starts the process that checks recordings for the pages."""


@click.command(cls=Command, epilog="Example: counter-listener serve --store branch.db")
@store_option
@key_option
@clip_key_option
@click.option(
    "--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Listen on this address of the machine."
)
@click.option(
    "--port",
    metavar="NUMBER",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Listen on this port; 0 takes any free one.",
)
@click.option("--cert", metavar="FILE", type=click.Path(path_type=Path), help="The certificate for HTTPS, PEM.")
@click.option(
    "--cert-key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The key of the certificate, PEM.  [default: it stands in the same file]",
)
@click.option(
    "--name",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name under which browsers reach the server; may be repeated. With it, sign-in is needed.",
)
@click.option(
    "--behind-proxy", is_flag=True, help="Another server takes the requests by HTTPS and hands them on to this one."
)
@click.option(
    "--appeal-days",
    metavar="DAYS",
    type=click.IntRange(1, 365),
    default=7,
    show_default=True,
    help="Days from the end of a visit in which clerks can dispute its verdicts.",
)
@click.option(
    "--settings",
    "settings_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What the server does by itself: reports, messages, figures, jobs (TOML; docs/it.md).  [default: nothing]",
)
@log_format_option
@click.option("--receive", is_flag=True, help="Counters may send their rows here: see `counters add`.")
@click.option(
    "--phrases-at",
    metavar="HH:MM",
    type=click.DateTime(["%H:%M"]),
    default="06:00",
    show_default=True,
    help="When a phrase set that was put in force on the pages begins to hold at the counters.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the browser; print the link only.")
@click.option("--demo", is_flag=True, help="Show a made-up record of the bundled recordings, and keep nothing of it.")
def serve(  # noqa: PLR0913 - one parameter per option
    *,
    store_url: str | None,
    key: str | None,
    clip_key: str | None,
    host: str,
    port: int,
    cert: Path | None,
    cert_key: Path | None,
    names: tuple[str, ...],
    behind_proxy: bool,
    appeal_days: int,
    settings_file: Path | None,
    log_format: LogForm,
    receive: bool,
    phrases_at: datetime,
    no_browser: bool,
    demo: bool,
) -> None:
    """Show the record in the browser: which visits failed and why, with the sound.

    On this machine it opens the browser with a link that works once, and no password is needed. On any other address it
    needs accounts, and HTTPS by --cert or by another server in front of it (--behind-proxy). Ctrl-C ends it.
    """
    require_web()
    from counter_listener.web import Address, Settings, bind

    address = Address(host, port, cert, cert_key, names, behind_proxy)
    check_address(address.is_local, secure=address.secure, demo=demo, store_url=store_url)
    log, server = Log(log_format), read_server(settings_file)
    with ExitStack() as stack, bind(address) as listening:
        kept = made_record(stack) if demo else (checked_record(store_url, receive), key_location(key))
        once, lang = secrets.token_urlsafe(24), current_language()
        accounts = needed_accounts(kept[0], is_local=address.is_local), None if demo else accounts_beside(kept[0])
        settings = Settings(
            *(kept[0], _clock, lang, kept[1], *accounts),
            local_user=login_name(),
            once=once,
            **reached_by(address),
            appeals=timedelta(days=appeal_days),
            demo=demo,
            server=server,
            job_command=() if demo else JOB_COMMAND,
            log=partial(write_line, log, lang),
            receive=receive and not demo,
            clip_key=clip_key_location(clip_key),
            phrases_at=phrases_at.time(),
        )
        link = address.url(listening.getsockname()[1]) + (f"sign-in/once?key={once}" if address.is_local else "")
        run(settings, address, listening, log, partial(_tell, log, link, open_it=not no_browser))


def reached_by(address: Address) -> dict[str, Any]:
    """The settings that follow from how browsers reach the server."""
    return {"names": address.known_names(), "secure": address.secure, "behind_proxy": address.behind_proxy}


def run(settings: Settings, address: Address, listening: socket.socket, log: Log, ready: Callable[[], None]) -> None:
    """Serves until the order to stop; calls `ready` when requests are taken."""
    from counter_listener.live import Watchdog
    from counter_listener.web import serve as run_server

    run_until_stopped(log, partial(run_server, settings, address, listening, ready, Watchdog(time.monotonic)))


def require_web() -> None:
    """Raises UsageError if what the pages need is not installed."""
    try:
        from counter_listener.web import create_app  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError("The pages need the extra: pip install 'counter-listener[web]'.") from None


def read_server(settings_file: Path | None) -> ServerFile:
    """What the server is to do by itself, which can be done. Raises ConfigError."""
    from counter_listener.web import ServerFile, check_server_file, read_server_file

    if settings_file is None:
        return ServerFile()
    given = read_server_file(settings_file)
    check_server_file(given)
    return given


def write_line(log: Log, lang: Lang, event: str, text: Sentence, *, failed: bool) -> None:
    """Writes a line of the server's log, from any of its threads."""
    log(event, text.translated(translator(lang)), level="error" if failed else "info")


def made_record(stack: ExitStack) -> tuple[str, Path | None]:
    """The location and the key of a record that is made for a demo, and removed with the stack."""
    from counter_listener.cli.demo_record import demo_record

    return stack.enter_context(demo_record())


def checked_record(store_url: str | None, create: bool) -> str:  # noqa: FBT001 - one fact
    """The location of the record, which can be opened. Raises UsageError, RecordError."""
    from counter_listener.record import open_record

    if create:
        with open_record(record_location(store_url)):
            pass
    with existing_record(store_url):
        return record_location(store_url)


def run_until_stopped(log: Log, run: Callable[[], None]) -> None:
    """Runs the server until SIGINT or SIGTERM; what was made for a demo is removed after either."""
    from counter_listener.live import notify

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run()
    except KeyboardInterrupt:
        notify("STOPPING=1")
        log("stopped", _("Stopped."), err=True)


def check_address(is_local: bool, *, secure: bool, demo: bool, store_url: str | None) -> None:  # noqa: FBT001 - one fact each
    """Raises UsageError for options that contradict each other, and if the network could read what is served."""
    if demo and store_url is not None:
        raise UsageError("--demo makes a record of its own; leave out --store.")
    if is_local:
        return
    if not secure:
        raise UsageError(
            "Passwords and visits may cross the network by HTTPS only; give --cert FILE, or --behind-proxy if another"
            " server does that."
        )
    if demo:
        raise UsageError("--demo has no accounts; show it on 127.0.0.1.")


def needed_accounts(location: str, *, is_local: bool) -> Accounts | None:
    """The accounts that sign in; None on the machine itself. Raises UsageError if there are none but should be."""
    kept = None if is_local else existing_accounts(location)
    if kept is None and not is_local:
        raise UsageError("Nobody could sign in: add an account with `counter-listener accounts add`.")
    return kept


def _clock() -> datetime:
    return datetime.now(UTC)


def _tell(log: Log, link: str, *, open_it: bool) -> None:
    """Prints the link, opens it where a browser with a window can be expected, and tells a service manager."""
    from counter_listener.live import notify

    if log.form == "json":
        log("ready", _("The pages are here: {link}").format(link=link.partition("?key=")[0]))
    else:
        text = _("The pages are here, for one sign-in: {link}") if "?key=" in link else _("The pages are here: {link}")
        click.echo(text.format(link=link))
        click.echo(_("Ctrl-C ends the server."), err=True)
    notify("READY=1")
    if open_it and has_window():
        webbrowser.open(link)


def has_window() -> bool:
    """Whether a browser with a window can be expected."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
