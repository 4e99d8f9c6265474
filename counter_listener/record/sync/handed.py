"""Phrase sets that a server hands out: signed, with the hour from which they hold, proven before they are used.

Beside the record of the counter, in the folder of phrase sets: `NAME.next` waits, with `NAME.next.json` saying from
when; at that hour it becomes `NAME.toml`, which `listen` and `check` take instead of the set that ships.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from counter_listener.domain import PhraseSetError, SendError, Sentence, sentence, url_without_secrets
from counter_listener.phrases import sets_folder
from counter_listener.record.files import file_errors, path_text
from counter_listener.record.signing import is_signed
from counter_listener.record.store import Record
from counter_listener.record.sync.enrolment import refusal, write_private
from counter_listener.record.sync.send import ServerExchange

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A phrase set that a server hands out."""

    name: str
    sha256: str
    """Of its file."""
    since: str
    """From when it holds; ISO 8601 with a zone."""
    signature: str = ""
    """Of `message`, by the key of the server; hex digits."""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return f"counter-listener-phrases 1\n{self.name}\n{self.sha256}\n{self.since}\n".encode()


def signed_offer(record: Record, name: str, digest: str, since: datetime) -> dict[str, object]:
    """An offer, signed with the key of the record, as an object of JSON."""
    offer = Offer(name, digest, since.isoformat())
    return {**asdict(offer), "signature": record.key.sign_text(offer.message) if record.key else ""}


def take_offers(exchange: ServerExchange, record: Path) -> None:
    """Fetches the sets that the server offered with its last answer and that are not here yet, and proves them.

    A server without a key hands out none. Raises SendError for a set that is not signed by the server, or does not pass
    its own examples.
    """
    for given in exchange.offers if exchange.server.key else ():
        offer = _checked(given, exchange)
        folder = sets_folder(record)
        waiting = folder / f"{offer.name}.next"
        if any(_digest(path) == offer.sha256 for path in (folder / f"{offer.name}.toml", waiting)):
            continue
        content = _fetched(offer, exchange)
        with file_errors(path_text(folder)):
            write_private(waiting, content)
            try:
                _prove(waiting, offer, exchange)
                write_private(waiting.with_suffix(".next.json"), json.dumps(asdict(offer)).encode())
            except BaseException:
                waiting.unlink(missing_ok=True)
                raise


def sets_due(record: Path, now: datetime) -> list[str]:
    """Takes the sets into force whose hour has come. Returns their names. Raises RecordError."""
    taken, folder = [], sets_folder(record)
    with file_errors(path_text(folder)):
        for told in sorted(folder.glob("*.next.json")):
            offer = Offer(**json.loads(told.read_bytes()))
            waiting = folder / f"{offer.name}.next"
            if datetime.fromisoformat(offer.since) > now:
                continue
            if _digest(waiting) == offer.sha256:
                waiting.replace(folder / f"{offer.name}.toml")
                taken.append(offer.name)
            told.unlink()
    return taken


def _checked(given: object, exchange: ServerExchange) -> Offer:
    try:
        values = given if isinstance(given, dict) else {}
        offer = Offer(**{name: str(values[name]) for name in Offer.__dataclass_fields__})
        moment = datetime.fromisoformat(offer.since)
    except (KeyError, TypeError, ValueError):
        raise _not_taken(exchange, "?", sentence("it is not signed by the server")) from None
    key = exchange.server.key or ""
    named = NAME.fullmatch(offer.name) and moment.utcoffset() is not None
    if not named or not is_signed(offer.message, key, offer.signature):
        raise _not_taken(exchange, offer.name[:100], sentence("it is not signed by the server"))
    return offer


def _fetched(offer: Offer, exchange: ServerExchange) -> bytes:
    server = exchange.server
    body = json.dumps({"name": offer.name, "sha256": offer.sha256}).encode()
    answer = exchange.poster.post(f"{server.url}/api/v1/handed", body, server.token)
    text = answer.values.get("text")
    if not answer.ok or not isinstance(text, str):
        raise refusal(server.url, answer)
    content = text.encode()
    if sha256(content).hexdigest() != offer.sha256:
        raise _not_taken(exchange, offer.name, sentence("it is not signed by the server"))
    return content


def _prove(path: Path, offer: Offer, exchange: ServerExchange) -> None:
    from counter_listener.judging import load_matcher

    try:
        load_matcher(str(path))
    except PhraseSetError as error:
        raise _not_taken(exchange, offer.name, error.sentence) from error


def _not_taken(exchange: ServerExchange, name: str, why: Sentence) -> SendError:
    where = url_without_secrets(exchange.server.url)
    return SendError("the phrase set {name} of {where} is not taken: {why}", name=name, where=where, why=why)


def _digest(path: Path) -> str | None:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else None
