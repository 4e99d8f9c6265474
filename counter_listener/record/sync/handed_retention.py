"""Rules of retention and legal holds that a server hands out with its answers, signed, to the counters they concern."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from counter_listener.domain import SendError, sentence, url_without_secrets
from counter_listener.record.figures import Place
from counter_listener.record.places import all_places
from counter_listener.record.retention_file import all_retention, as_handed, handed_retention, keep_handed
from counter_listener.record.signing import is_signed
from counter_listener.record.store import Record
from counter_listener.record.sync.counters import Counter
from counter_listener.record.sync.send import ServerExchange

HEAD: Final = "counter-listener-retention 1\n"
"""What the signed text begins with."""


def signed_retention(record: Record, counter: Counter) -> dict[str, str] | None:
    """What concerns a counter, and all that send by it, as an object of JSON; None without a key to sign it.

    Raises RecordError.
    """
    if record.key is None:
        return None

    def told(connection: sa.Connection) -> str:
        found = all_retention(connection, record.path)
        return as_handed(found, _places(connection, counter))

    text = record.query(told)
    return {"retention": text, "signature": record.key.sign_text(_message(text))}


def _places(connection: sa.Connection, counter: Counter) -> list[Place]:
    own = Place(counter.name, counter.branch, counter.region)
    if not counter.many:
        return [own]
    near = (each for each in all_places(connection) if each.name != counter.name)
    same = [each for each in near if counter.branch in (None, each.branch) and counter.region in (None, each.region)]
    return [own, *same]


def take_retention(exchange: ServerExchange, record: Record) -> None:
    """Keeps beside the record what the server handed out with its last answer. A server without a key hands out none.

    Raises SendError for what the server did not sign, RecordError.
    """
    given, key = exchange.retention, exchange.server.key
    if given is None or key is None:
        return
    text, signature = str(given.get("retention")), str(given.get("signature"))
    try:
        right = is_signed(_message(text), key, signature)
        found = handed_retention(text) if right else None
    except (ValueError, TypeError, KeyError):
        found = None
    if found is None:
        why = sentence("its rules of retention are not signed with the key that it had when this computer was enrolled")
        raise SendError("{where} is not trusted: {why}", where=url_without_secrets(exchange.server.url), why=why)
    keep_handed(record.path, text, needed=bool(found.rules or found.holds))


def _message(text: str) -> bytes:
    return (HEAD + text).encode()
