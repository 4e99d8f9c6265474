"""`enrol` and `send`: this computer becomes known to a server, and sends its record there."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from counter_listener.cli.help import Command
from counter_listener.cli.log import Log, LogForm, log_format_option
from counter_listener.cli.options import existing_record, record_location, store_option
from counter_listener.domain import (
    N_,
    BusyError,
    CounterListenerError,
    RecordError,
    SendError,
    UsageError,
    _,
    companion,
    current_language,
    ngettext,
    printable,
)

if TYPE_CHECKING:
    from counter_listener.record import Record, Server

LONGEST_PAUSE: Final = 15
"""Times --every after which a server that cannot be reached is tried again, at most."""
STEP: Final = 1.0
"""Seconds of a pause after which the service manager can be told that the sender goes on."""
LOWEST: Final = 19
SEND_CODES: Final = N_("""\
Exit codes:
  0    the server holds every row
  2    bad usage, or this computer is not enrolled
  4    the server cannot be reached, refuses the record, or the record cannot be read
  73   another `send` runs for this record""")


@click.command(cls=Command, epilog="Example: counter-listener enrol --server https://bank.example --code 7KQM-2XPR")
@click.option(
    "--server", "url", metavar="URL", required=True, help="The server, as in its address: https://HOST[:PORT]."
)
@click.option("--code", metavar="CODE", help="The code that the server showed.  [default: it is asked for]")
@click.option("--ca", metavar="FILE", help="The certificate of the server, or of who signed it, PEM; a copy is kept.")
@click.option("--fingerprint", metavar="SHA256", help="Trust the one certificate with this fingerprint.")
@store_option
def enrol(*, url: str, code: str | None, ca: str | None, fingerprint: str | None, store_url: str | None) -> None:
    """Make this computer known to a server, once; from then on `send`, and `listen`, send the record there.

    The code comes from `counters add` or from the page Counters of the server, and is good for one day and one use.
    What is needed later lies beside the record, readable by its owner alone. Without --ca and --fingerprint the server
    must have a certificate that this computer trusts.
    """
    from counter_listener.record import Trust, enrol_here, record_file

    path = record_file(record_location(store_url))
    typed = code or str(click.prompt(_("Code")))
    server = enrol_here(path, url, typed, Trust(ca, fingerprint), current_language())
    text = _("Enrolled at {url} as {name}. `counter-listener send` sends the record.")
    click.echo(text.format(url=printable(server.url), name=printable(server.counter)))


@click.command(cls=Command, epilog="\b\n" + SEND_CODES + "\n\nExample: counter-listener send --every 60")
@click.option("--to", "url", metavar="URL", help="Only if this is the server that the record is enrolled at.")
@click.option(
    "--every", metavar="SECONDS", type=click.FloatRange(1, 86_400), help="Go on, and look for new rows so often."
)
@click.option(
    "--clips/--no-clips", default=False, help="Send the clips of a visit if a reviewer asks for them.  [default: no]"
)
@click.option("--until-eof", is_flag=True, hidden=True, help="End when standard input ends.")
@log_format_option
@store_option
def send(  # noqa: PLR0913 - one parameter per option
    *, url: str | None, every: float | None, clips: bool, until_eof: bool, log_format: LogForm, store_url: str | None
) -> None:
    """Send the rows of the record that the server does not hold yet. Sound is never sent, but for --clips.

    It may be stopped at any moment: the server says up to where it holds the record, checks the chain of hashes, and
    keeps each row once. It signs a receipt, which lies beside the record for `events verify --against`.
    """
    from counter_listener.live import notify

    stop = threading.Event()
    with ExitStack() as stack:
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK") if every else ():
            if number := getattr(signal, name, None):
                stack.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        if until_eof:
            if sys.platform != "win32":
                os.nice(LOWEST)  # listening comes first
            threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
        record = stack.enter_context(existing_record(store_url))
        server = _server(record.path, url)
        stack.enter_context(_only_sender(record.path))
        sender = _Sender(record, server, stack, Log(log_format, dated=every is not None), may_send_clips=clips)
        if every is None:
            sender.send()
            return
        notify("READY=1")
        sender.go_on(every, stop)


def _wait_for_end(stop: threading.Event) -> None:
    if sys.stdin is not None:
        sys.stdin.read()
    stop.set()


def _server(record: Path, url: str | None) -> Server:
    from counter_listener.record import read_server

    server = read_server(record)
    if server is None:
        raise UsageError("This computer is not enrolled; ask for a code and use `counter-listener enrol`.")
    if url is not None and url.rstrip("/") != server.url:
        raise UsageError(
            "The record is enrolled at {url}; enrol it at the other server with `counter-listener enrol`.",
            url=server.url,
        )
    return server


def _only_sender(record: Path) -> ExitStack:
    """Holds the lock of the sender of a record. Raises BusyError."""
    from filelock import FileLock, Timeout

    stack = ExitStack()
    lock = FileLock(companion(record, "sending"), timeout=0, mode=0o600)
    try:
        stack.enter_context(lock)
    except Timeout:
        raise BusyError("Another `send` runs for {record}.", record=str(record)) from None
    except OSError as error:
        raise RecordError("{path} cannot be written; check its folder", path=str(record.parent)) from error
    return stack


class _Sender:
    """Sends one record to one server, again and again."""

    def __init__(
        self, record: Record, server: Server, stack: ExitStack, log: Log, *, may_send_clips: bool = False
    ) -> None:
        from counter_listener.live import Watchdog
        from counter_listener.record import Poster, ServerExchange

        self._record, self._log, self._going_on = record, log, Watchdog(time.monotonic)
        self._may_send_clips = may_send_clips
        poster = stack.enter_context(Poster(server.trust, current_language()))
        self._exchange = ServerExchange(server, poster, self._now)

    def _now(self) -> datetime:
        """The time; the exchange asks for it with each batch, so the sender goes on."""
        self._going_on()
        return datetime.now(UTC)

    def send(self, *, quietly: bool = False) -> None:
        """Sends what is new, and tells how much; `quietly` only if there was some. Raises SendError, RecordError."""
        from counter_listener.record import (
            answer_clip_requests,
            counter_state,
            send_to_server,
            sets_due,
            take_offers,
            take_retention,
        )

        sets_due(self._record.path, datetime.now(UTC))
        state = counter_state(self._record, self._exchange.ahead, {"sends_clips": self._may_send_clips})
        sent = send_to_server(self._exchange, self._record, state)
        take_retention(self._exchange, self._record)
        take_offers(self._exchange, self._record.path)
        sets_due(self._record.path, datetime.now(UTC))
        now = datetime.now(UTC)
        answer_clip_requests(self._exchange, self._record.path, now, may_send=self._may_send_clips)
        if sent.added or not quietly:
            text = ngettext("{count} row was sent", "{count} rows were sent", sent.added).format(count=sent.added)
            line = _("{rows}; the server holds all {last}.").format(rows=text, last=sent.end.seq)
            self._log("sent", line, rows=sent.added, held=sent.end.seq)

    def go_on(self, every: float, stop: threading.Event) -> None:
        """Sends until it is told to stop; a fault is told once, and tried again after longer and longer pauses."""
        told, pause = "", every
        while not stop.is_set():
            try:
                self.send(quietly=not told)
                told, pause = "", every
            except (SendError, RecordError) as error:
                told = self._tell_once(error, told)
                pause = min(pause * 2, every * LONGEST_PAUSE)
            self._wait(pause, stop)

    def _wait(self, seconds: float, stop: threading.Event) -> None:
        until = self._going_on() + seconds
        while (left := until - self._going_on()) > 0 and not stop.wait(min(left, STEP)):
            pass

    def _tell_once(self, error: CounterListenerError, told: str) -> str:
        sentence = printable(error.translated(_))
        if sentence != told:
            self._log("fault", _("Error: {message}").format(message=sentence), level="error")
        return sentence
