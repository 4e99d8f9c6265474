"""What a counter knows of its server: a file beside the record, for its owner alone; and the newest receipt."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from counter_listener.domain import SendError, UsageError, companion, sentence, url_without_secrets
from counter_listener.record.files import file_errors, path_text, private_part
from counter_listener.record.posting import Posted, Poster, Trust
from counter_listener.record.receipts import Receipt

MOST_BYTES: Final = 100_000
FINGERPRINT_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Server:
    """The server that a counter sends its record to."""

    url: str
    """Without the path of the API."""
    counter: str
    """What this computer is called there."""
    token: str
    key: str | None = None
    """The public key with which the server signs; None if it signs nothing."""
    ca: str | None = None
    """File of the certificate that is trusted."""
    fingerprint: str | None = None
    """SHA-256 of the certificate of the server."""

    @property
    def trust(self) -> Trust:
        """By what the server is known."""
        return Trust(self.ca, self.fingerprint)


def server_file(record: Path) -> Path:
    """The file that names the server of a record."""
    return companion(record, "server")


def receipt_file(record: Path) -> Path:
    """The file with the newest receipt for a record."""
    return companion(record, "receipt")


def read_server(record: Path) -> Server | None:
    """The server that a record is sent to; None if this computer was not enrolled. Raises UsageError."""
    path = server_file(record)
    with file_errors(path_text(path)):
        if not path.exists():
            return None
        content = path.read_bytes()[:MOST_BYTES]
    try:
        return Server(**json.loads(content))
    except (ValueError, TypeError) as error:
        text = "{path} names no server, or it is damaged; enrol this computer again"
        raise UsageError(text, path=path_text(path)) from error


def enrol_here(record: Path, url: str, code: str, trust: Trust, lang: str) -> Server:
    """Makes this computer known to a server by a code, and keeps what it needs from then on.

    Raises SendError, UsageError, RecordError.
    """
    url = url.rstrip("/")
    if trust.ca is not None:
        trust = replace(trust, ca=str(_kept_ca(record, Path(trust.ca))))
    if trust.fingerprint is not None:
        trust = replace(trust, fingerprint=checked_fingerprint(trust.fingerprint))
    with Poster(trust, lang) as poster:
        answer = poster.post(f"{url}/api/v1/enrol", json.dumps({"code": code}).encode())
    if not answer.ok or not isinstance(answer.values.get("token"), str):
        raise refusal(url, answer)
    values = answer.values
    server = Server(url, str(values["counter"]), str(values["token"]), values.get("key"), trust.ca, trust.fingerprint)
    write_private(server_file(record), json.dumps(asdict(server), indent=1, ensure_ascii=False).encode())
    return server


def refusal(url: str, answer: Posted) -> SendError:
    """The error for an answer that is no success."""
    where, told = url_without_secrets(url), answer.values.get("error")
    if answer.status == 404:  # noqa: PLR2004 - RFC 9110
        return SendError("{where} receives nothing; it must run `counter-listener serve --receive`.", where=where)
    if isinstance(told, str):
        return SendError("{where} refuses: {told}", where=where, told=told)
    why = sentence("the server answers {status} {reason}", status=answer.status, reason=answer.reason)
    return SendError("{where} took nothing: {why}.", where=where, why=why)


def keep_receipt(record: Path, receipt: Receipt) -> None:
    """Keeps the newest receipt beside the record; a full disk does no harm, for the server makes another."""
    with suppress(OSError):
        write_private(receipt_file(record), receipt.as_json().encode())


def checked_fingerprint(given: str) -> str:
    """A fingerprint as hex digits. Raises UsageError."""
    digits = "".join(letter for letter in given.lower() if letter not in ": ").removeprefix("sha256")
    if len(digits) != FINGERPRINT_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise UsageError("--fingerprint takes the SHA-256 of a certificate, 64 hex digits, not {given!r}.", given=given)
    return digits


def _kept_ca(record: Path, given: Path) -> Path:
    """A copy of the certificate beside the record: the stick from which it came is pulled out."""
    try:
        content = given.read_bytes()[:MOST_BYTES]
    except OSError as error:
        raise UsageError("{path} cannot be read; give the file of a certificate, PEM", path=path_text(given)) from error
    kept = companion(record, "certificate")
    with file_errors(path_text(kept)):
        write_private(kept, content)
    return kept


def write_private(path: Path, content: bytes) -> None:
    """Writes a file for its owner alone, complete or not at all. Raises OSError."""
    with private_part(path, content) as part:
        part.replace(path)
