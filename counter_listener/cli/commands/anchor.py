"""`events verify` and `events anchor`: whether the record is what it was, and what proves it later."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from counter_listener.cli.help import Command
from counter_listener.cli.options import (
    ExitCode,
    existing_record,
    key_location,
    key_option,
    record_location,
    store_option,
)
from counter_listener.domain import N_, RecordError, ReportError, UsageError, _, ngettext, printable, system_reason

if TYPE_CHECKING:
    from counter_listener.record import Broken, Head, Receipt, Verification

MAX_ANCHOR: Final = 10_000
"""Bytes of a file with an anchor; it has a few hundred."""
SHOWN: Final = 40
"""Characters of a text that is no anchor, which an error shows."""
UNSIGNED: Final = N_("""\
It is not signed. So this cannot show that its end was cut off, or that somebody changed a row and computed the chain
again from there on. `counter-listener events anchor` signs it.""")
UNANCHORED: Final = N_("""\
Without an anchor this cannot show that an older copy was put back, that another record was put in its place, or that
somebody rewrote it and signed it with another key. Make anchors with `counter-listener events anchor`, keep them
elsewhere, and add --against ANCHOR.""")
UNSEEN: Final = N_("Rows that were added after the anchor can still be rewritten by whoever holds the key.")


@click.command(cls=Command, epilog="Example: counter-listener events verify --against anchor-2026-01-15.json")
@store_option
@click.option(
    "--against",
    "anchor",
    metavar="ANCHOR",
    help="What `events anchor` made: its file, or the text of its QR code; or the receipt of a server.",
)
@click.pass_context
def verify(ctx: click.Context, *, store_url: str | None, anchor: str | None) -> None:
    """Check that nobody changed the record: every row of its hash chain, its guards and its signature.

    It names the first row that is wrong, and changes nothing. With --against it also finds what a record cannot show by
    itself: an older copy that was put back, another record, a chain that was computed and signed again.
    """
    head = read_anchor(anchor) if anchor is not None else None
    with existing_record(store_url if store_url is not None else ctx.obj, upgrade=False) as record:
        found = record.verify(head)
    if found.broken is not None:
        click.echo(broken_text(found.rows, found.broken), err=True)
        sys.exit(ExitCode.NO_RECORD)
    click.echo("\n".join(intact_text(found, head)))


@click.command(cls=Command, epilog="Example: counter-listener events anchor -o D:/anchors/2026-01-15.json")
@store_option
@key_option
@click.option("-o", "--output", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write it to a new file.")
@click.option("--qr", is_flag=True, help="Show it as a QR code in the terminal.")
@click.option("--send", "url", metavar="URL", help="Send it to a server by HTTPS.")
@click.option("--new-key", is_flag=True, help="From now on sign with the key in --key, which is made if there is none.")
@click.pass_context
def anchor(
    ctx: click.Context,
    /,
    *,
    store_url: str | None,
    key: str | None,
    new_key: bool,
    **ways: Any,  # noqa: ANN401 - three options
) -> None:
    """Make an anchor: the signed end of the record, which later proves that nobody rewrote what is in it now.

    It holds numbers and hashes alone, no word and no verdict. Keep it where nobody who can write the record can write:
    on another computer, on paper, with another person. `events verify --against` compares it with the record. Without
    --output, --qr or --send it is printed.
    """
    head = signed_head(store_url if store_url is not None else ctx.obj, key_location(key), new_key=new_key)
    if ways["file"] is not None:
        _write(ways["file"], head)
    if ways["qr"]:
        click.echo(qr_code(head.as_line()))
        click.echo(head.as_line())
    if ways["url"] is not None:
        _send(ways["url"], head)
    if not any(ways.values()):
        click.echo(head.as_json())


def signed_head(store_url: str | None, key_file: Path | None, *, new_key: bool) -> Head:
    """The signed head of an intact record, which is signed first if it never was. Raises RecordError, UsageError."""
    from counter_listener.record import open_record

    with existing_record(store_url) as record:
        found = record.verify()
    if found.broken is not None:
        click.echo(broken_text(found.rows, found.broken), err=True)
        sys.exit(ExitCode.NO_RECORD)
    if not found.rows:
        raise RecordError("the record holds no row yet; check a recording or listen first")
    if found.head is not None and not new_key:
        return found.head
    if key_file is None:
        raise UsageError("An anchor must be signed; give the file of a key with --key.")
    with open_record(record_location(store_url), create=False, key_file=None if new_key else key_file) as record:
        now = datetime.now(UTC)
        head = record.change_key(key_file, now) if new_key else record.head(now)
    if head is None:
        raise UsageError("An anchor must be signed; give the file of a key with --key.")
    return head


def read_anchor(given: str) -> Head | Receipt:
    """The anchor or the receipt in a file, or in the text itself. Raises RecordError."""
    file, named = Path(given), False
    with suppress(OSError, ValueError):  # the text of an anchor is longer than the name of a file may be
        named = file.is_file()
    if not named:
        return _anchor_in(given, repr(given[:SHOWN]))
    try:
        with file.open("rb") as content:
            return _anchor_in(content.read(MAX_ANCHOR).decode("utf-8", "replace"), str(file))
    except OSError as error:
        text = N_("{path} cannot be read ({why}); check its folder and permissions")
        raise RecordError(text, path=file, why=system_reason(error)) from None


def _anchor_in(text: str, name: str) -> Head | Receipt:
    from counter_listener.record import read_head, read_receipt

    return read_receipt(text, name) if '"receipt"' in text else read_head(text, name)


def broken_text(rows: int, broken: Broken) -> str:
    """What is wrong with a record, and where."""
    row = _("row {seq}: ").format(seq=broken.seq) if broken.seq is not None else ""
    text = _("Error: the record was changed or damaged after {count} valid rows; {row}{wrong}")
    return text.format(count=rows, row=row, wrong=broken.wrong.translated(_))


def intact_text(found: Verification, anchor: Head | Receipt | None) -> list[str]:
    """What verifying an intact record has shown, and what it cannot show."""
    from counter_listener.record import Head, fingerprint

    text = _("{count} rows; the chain is intact. Its last link is {link}")
    lines = [text.format(count=found.rows, link=found.tail)]
    if found.head is not None:
        text = _("Signed on {time} with the key {key}.")
        lines.append(text.format(time=_local(found.head.signed), key=fingerprint(found.head.key)))
    if anchor is None:
        return [*lines, _(UNANCHORED if found.head is not None else UNSIGNED)]
    if not isinstance(anchor, Head):
        text = _("A server holds it up to row {seq}, and signed that on {time} with the key {key}.")
        lines.append(text.format(seq=anchor.seq, time=_local(anchor.signed), key=fingerprint(anchor.key)))
    since = found.last - anchor.seq
    rows = ngettext("{count} row was added since", "{count} rows were added since", since).format(count=since)
    text = _("It still holds what was anchored on {time}, row {seq}; {rows}.")
    if found.anchor_purged:
        text = _("It continues what was anchored on {time}, row {seq}, which a purge has removed; {rows}.")
    return [*lines, text.format(time=_local(anchor.signed), seq=anchor.seq, rows=rows), _(UNSEEN)]


def qr_code(text: str) -> str:
    """A text as a QR code of half blocks, white on black, for a terminal. Raises UsageError if that is too narrow."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make_qr(text, error="l").terminal(drawn, compact=True)
    lines = drawn.getvalue().splitlines()
    columns = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and columns < len(lines[0]):
        raise UsageError(
            "The terminal has {columns} columns, and the QR code needs {needed}; make it wider, or use --output.",
            columns=columns,
            needed=len(lines[0]),
        )
    return "\n".join(click.style(line, fg="bright_white", bg="black") for line in lines)


def _write(file: Path, head: Head) -> None:
    """Writes an anchor to a new file. Raises ReportError."""
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), "w", encoding="utf-8") as written:
            written.write(head.as_json() + "\n")
    except FileExistsError:
        text = N_("{file} already exists, and an anchor is never replaced; give another name")
        raise ReportError(text, file=file) from None
    except OSError as error:
        text = N_("{path} cannot be written ({why}); check its folder and permissions")
        raise ReportError(text, path=file, why=system_reason(error)) from None
    click.echo(_("Row {seq} of the record is anchored in {file}.").format(seq=head.seq, file=printable(str(file))))


def _send(url: str, head: Head) -> None:
    from counter_listener.domain import url_without_secrets
    from counter_listener.record import send_anchor

    send_anchor(url, head)
    text = _("Row {seq} of the record is anchored at {where}.")
    click.echo(text.format(seq=head.seq, where=url_without_secrets(url)))


def _local(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"
