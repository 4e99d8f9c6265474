"""The table with the signed head of the chain: one row, which is written anew with every change of the record."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from counter_listener.domain import RecordError
from counter_listener.record.chain import Tail, linked
from counter_listener.record.files import path_text
from counter_listener.record.heads import Head, fingerprint
from counter_listener.record.purge import KEY
from counter_listener.record.rows import Origin, iso, note_row
from counter_listener.record.schema import EVENTS, chain_tail, column, insert_rows, next_number

if TYPE_CHECKING:
    from counter_listener.record.signing import SigningKey

HEAD: Final = sa.table("head", *(column(field.name) for field in fields(Head)))
NEW_KEY: Final = "`counter-listener events anchor --new-key`"


def stored_head(connection: sa.Connection) -> tuple[str, Head | None]:
    """The id of the record, and its signed head; None if it was never signed."""
    row = connection.execute(sa.select(HEAD)).one()
    return str(row.record), None if row.key is None else Head(*row)


def key_for(connection: sa.Connection, key_file: Path) -> SigningKey:
    """The key in a file, which is made if the record was never signed. Raises RecordError if it is another key."""
    from counter_listener.record.signing import open_key  # cryptography: 0.1 s

    head = stored_head(connection)[1]
    key = open_key(key_file, create=head is None)
    if head is not None and key.public != head.key:
        raise RecordError(
            "the record is signed with the key {theirs}, and {path} holds the key {ours}; name the right file with"
            " --key, or change the key with {command}",
            theirs=fingerprint(head.key),
            path=path_text(key_file),
            ours=fingerprint(key.public),
            command=NEW_KEY,
        )
    return key


def replace_key(connection: sa.Connection, key_file: Path, now: datetime) -> tuple[SigningKey, Head]:
    """The key in a file, which is made if there is none, and the head signed with it; a row tells of another key."""
    from counter_listener.record.signing import open_key  # cryptography: 0.1 s

    key, before = open_key(key_file, create=True), stored_head(connection)[1]
    if before is not None and before.key != key.public:
        detail = {"key": fingerprint(key.public), "replaces": fingerprint(before.key)}
        origin = Origin(KEY, KEY, None, now, "", "", "")
        note = note_row("key", detail, origin, now, next_number(connection, KEY))
        insert_rows(connection, EVENTS, linked([note], chain_tail(connection)))
    return key, _signed(connection, key, chain_tail(connection), now)


def sign_end(connection: sa.Connection, key: SigningKey | None, tail: Tail, recorded: datetime) -> Head | None:
    """Signs the end of the chain in the transaction that wrote it. Returns the head; None if the record is not signed.

    Raises RecordError if the record is signed with another key.
    """
    require_key(connection, key)
    return _signed(connection, key, tail, recorded) if key else None


def require_key(connection: sa.Connection, key: SigningKey | None) -> None:
    """Raises RecordError if the record is signed, and not with this key."""
    before = stored_head(connection)[1]
    if before is not None and (key is None or key.public != before.key):
        raise RecordError(
            "the record is signed with the key {theirs}, and nothing can be added without it; name its file with --key,"
            " or change the key with {command}",
            theirs=fingerprint(before.key),
            command=NEW_KEY,
        )


def _signed(connection: sa.Connection, key: SigningKey, tail: Tail, now: datetime) -> Head:
    head = key.sign(stored_head(connection)[0], *tail, iso(now))
    columns = ("seq", "chain", "signed", "key", "signature")
    connection.execute(sa.update(HEAD).values({name: getattr(head, name) for name in columns}))
    return head
