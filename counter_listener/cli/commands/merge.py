"""`record merge`: the records of counters without a network join another one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from counter_listener.cli.help import Command, TranslatedGroup
from counter_listener.cli.options import key_location, key_option, record_location
from counter_listener.domain import UsageError, current_language, ngettext, printable

if TYPE_CHECKING:
    from counter_listener.record import Record, Sent

Give = Callable[[str], "Sent"]
"""Gives the record in a file to the other side."""
SCHEMES: Final = ("http://", "https://")


@click.group("record", cls=TranslatedGroup, epilog="Example: counter-listener record merge E:/3.db --into branch.db")
def record_group() -> None:
    """Bring records together."""


@record_group.command(cls=Command, epilog="Example: counter-listener record merge E:/3.db E:/4.db --into branch.db")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--into", "target", metavar="FILE|URL", required=True, help="The record, or the server, that gets the rows."
)
@key_option
def merge(*, files: tuple[str, ...], target: str, key: str | None) -> None:
    """Add the rows of records, for example from a stick, to another record or to a server.

    The same checks as for rows that are sent: each row is added once, however often it is merged, and a record that was
    rewritten is refused. The files are only read, and may be write-protected: one of an earlier version is brought up
    to date in a temporary copy. For a server, the record that it is told of here must be enrolled there with `counters
    add NAME --many`: the one in your data folder.
    """
    with ExitStack() as stack:
        give = _to_server(target, stack) if target.startswith(SCHEMES) else _to_record(target, key, stack)
        for file in files:
            sent = give(file)
            rows = ngettext("{count} row was added", "{count} rows were added", sent.added).format(count=sent.added)
            click.echo(f"{printable(file)}: {rows}")


def _to_record(target: str, key: str | None, stack: ExitStack) -> Give:
    from counter_listener.record import merge_record, open_record

    into: Record = stack.enter_context(open_record(record_location(target), key_file=key_location(key)))

    def give(file: str) -> Sent:
        with _newest(file, into.path) as record:
            return merge_record(record, into, datetime.now(UTC), file)

    return give


def _to_server(target: str, stack: ExitStack) -> Give:
    from counter_listener.record import Poster, ServerExchange, read_server, record_file, send_record

    server = read_server(record_file(record_location(None)))
    if server is None or server.url != target.rstrip("/"):
        raise UsageError("This computer is not enrolled at {url}; use `counter-listener enrol`.", url=target)
    poster = stack.enter_context(Poster(server.trust, current_language()))
    exchange = ServerExchange(server, poster, lambda: datetime.now(UTC))

    def give(file: str) -> Sent:
        with _newest(file) as record:
            return send_record(record, exchange)

    return give


@contextmanager
def _newest(file: str, into: Path | None = None) -> Iterator[Record]:
    """The record in a file, into which nothing is written. Raises RecordError, and UsageError if it is `into`."""
    from counter_listener.record import is_server, open_record

    location = record_location(file)
    with ExitStack() as stack:
        record = stack.enter_context(open_record(location, create=False, upgrade=is_server(location)))
        if into is not None and into.exists() and not is_server(location) and record.path.samefile(into):
            raise UsageError("{file} cannot be merged into itself.", file=file)
        if not record.is_newest():
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="counter-listener-"))) / "copy.db"
            record.backup(copy)
            record = stack.enter_context(open_record(copy, create=False))
        yield record
