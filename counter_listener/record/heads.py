"""The signed head of the chain, and its form as an anchor: JSON in a file, or one line that fits a QR code.

A chain alone can be cut off at its end, or computed again from a changed row on. Both change its head, the last link.
So the head is signed, and an anchor is a signed head that is kept where nobody who can write the record can write.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from counter_listener.domain import RecordError

FORMAT: Final = "counter-listener/1"
"""The value of `anchor` in the JSON form, which later versions change."""
PREFIX: Final = "CL1"
"""The first field of the line."""
LENGTHS: Final = {"record": 16, "chain": 32, "key": 32, "signature": 64}
"""Bytes of each field that is written in hex digits."""
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
SHORT_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{6})")
MAX_SEQ: Final = 2**63 - 1
FINGERPRINT_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain, signed."""

    record: str
    """Id of the record, drawn when it was made; 32 hex digits."""
    seq: int
    """Number of the last row."""
    chain: str
    """Link of the last row; 64 hex digits."""
    signed: str
    """When it was signed, ISO 8601 in UTC with microseconds."""
    key: str
    """The Ed25519 public key (RFC 8032); 64 hex digits."""
    signature: str
    """Of `message`; 128 hex digits."""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return head_message(self.record, self.seq, self.chain, self.signed)

    def as_json(self) -> str:
        """The anchor as a JSON object on several lines."""
        return json.dumps({"anchor": FORMAT, **asdict(self)}, indent=1)

    def as_line(self) -> str:
        """The anchor in one line of capital letters, digits and full stops, of which a QR code holds most."""
        columns = asdict(self)
        short = {name: _base32(columns[name]) for name in LENGTHS}
        signed = re.sub(r"\+00:00|[-:.]", "", self.signed)
        fields = (PREFIX, short["record"], str(self.seq), short["chain"], signed, short["key"], short["signature"])
        return ".".join(fields)


def head_message(record: str, seq: int, chain: str, signed: str) -> bytes:
    """What is signed for a head with these fields."""
    return f"counter-listener-head 1\n{record}\n{seq}\n{chain}\n{signed}\n".encode("ascii", "backslashreplace")


def fingerprint(key: str) -> str:
    """A short name of a public key for people: hex digits of its SHA-256 in groups of four."""
    digits = hashlib.sha256(key.encode()).hexdigest()[:FINGERPRINT_DIGITS]
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def read_head(text: str, name: str) -> Head:
    """The anchor in either form. Raises RecordError, about `name`, if it is none; its signature is not checked."""
    text = text.strip()
    try:
        columns = _from_json(text) if text.startswith("{") else _from_line(text.upper())
        head = Head(**columns)
        check_signed(asdict(head), least=1)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise RecordError(
            "{name} is no anchor, or it is damaged; give what `counter-listener events anchor` wrote: its file, or its"
            " line that begins with {prefix}",
            name=name,
            prefix=PREFIX,
        ) from error
    return head


def _from_json(text: str) -> dict[str, Any]:
    columns = json.loads(text)
    if columns.pop("anchor") != FORMAT:
        raise ValueError("the anchor of another version")
    return {name: columns[name] for name in Head.__dataclass_fields__}


def _from_line(line: str) -> dict[str, Any]:
    prefix, record, seq, chain, signed, key, signature = "".join(line.split()).split(".")
    if prefix != PREFIX:
        raise ValueError("the line of another version")
    if not (moment := SHORT_TIME.fullmatch(signed)):
        raise ValueError("no time")
    columns = {"record": record, "chain": chain, "key": key, "signature": signature}
    return {
        **{name: _unbase32(value) for name, value in columns.items()},
        "seq": int(seq),
        "signed": "{}-{}-{}T{}:{}:{}.{}+00:00".format(*moment.groups()),
    }


def check_signed(columns: Mapping[str, object], least: int) -> None:
    """Raises ValueError if these cannot be the fields of a signed link, of a row with a number from `least` on."""
    digits = all(
        isinstance(text := columns[name], str) and re.fullmatch(rf"[0-9a-f]{{{2 * length}}}", text)
        for name, length in LENGTHS.items()
    )
    seq, signed = columns["seq"], columns["signed"]
    numbered = isinstance(seq, int) and type(seq) is int and least <= seq <= MAX_SEQ
    if not digits or not numbered or not isinstance(signed, str) or not TIME.fullmatch(signed):
        raise ValueError("a field that nothing signed has")
    datetime.fromisoformat(signed)


def _base32(digits: str) -> str:
    return base64.b32encode(bytes.fromhex(digits)).decode().rstrip("=")


def _unbase32(text: str) -> str:
    return base64.b32decode(text + "=" * (-len(text) % 8)).hex()
