"""The receipt of a server: up to which row it holds a record, signed with the key of the server's own record.

It is an anchor (heads.py) that the machine of the counter can keep but not make.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from counter_listener.domain import RecordError
from counter_listener.record.heads import check_signed

FORMAT: Final = "counter-listener/1"
"""The value of `receipt` in the JSON form."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The last row of a record that a server holds, signed by the server."""

    record: str
    """Id of the record; 32 hex digits."""
    seq: int
    chain: str
    """Link of that row; 64 hex digits."""
    signed: str
    """When it was signed, by the server's clock; ISO 8601 in UTC with microseconds."""
    key: str
    """The server's Ed25519 public key; 64 hex digits."""
    signature: str
    """Of `message`; 128 hex digits."""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return receipt_message(self.record, self.seq, self.chain, self.signed)

    def as_dict(self) -> dict[str, object]:
        """As JSON writes it."""
        return {"receipt": FORMAT, **asdict(self)}

    def as_json(self) -> str:
        """The receipt as a JSON object on several lines."""
        return json.dumps(self.as_dict(), indent=1)


def receipt_message(record: str, seq: int, chain: str, signed: str) -> bytes:
    """What is signed for a receipt with these fields."""
    return f"counter-listener-receipt 1\n{record}\n{seq}\n{chain}\n{signed}\n".encode("ascii", "backslashreplace")


def receipt_from(columns: object) -> Receipt:
    """The receipt in a JSON object; its signature is not checked. Raises ValueError for anything else."""
    if not isinstance(columns, dict) or columns.get("receipt") != FORMAT:
        raise ValueError("no receipt")
    try:
        found = Receipt(**{name: columns[name] for name in Receipt.__dataclass_fields__})
        check_signed(asdict(found), least=0)
    except (KeyError, TypeError) as error:
        raise ValueError("a field that no receipt has") from error
    return found


def read_receipt(text: str, name: str) -> Receipt:
    """The receipt in a file. Raises RecordError, about `name`, if it is none."""
    try:
        return receipt_from(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise RecordError("{name} is no receipt of a server, or it is damaged", name=name) from error
