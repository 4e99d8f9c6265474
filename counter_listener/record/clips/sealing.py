"""The file of a clip: what it is, readable, and the sound, encrypted for one key.

It is MAGIC, the length of the header (four bytes, the highest first), the header (JSON), and the sound as HPKE
(RFC 9180) in base mode seals it: X25519, HKDF-SHA256, ChaCha20-Poly1305, with all that stands before it as `info`. So
the sound opens only with the header that it was sealed with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from counter_listener.domain import ClipError
from counter_listener.record.clips.keys import ClipKeys

MAGIC: Final = b"counter-listener-clip 1\n"
LENGTH_BYTES: Final = 4
MAX_HEADER: Final = 1_000_000
SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a clip is."""

    visit: str
    """The id of the visit, at the counter that heard it."""
    start: float
    """Seconds into the stream."""
    end: float
    verdicts: tuple[str, ...]
    """The uids of the events that it is kept for."""
    made: str
    """ISO 8601 in UTC."""
    until: str
    """When it goes; ISO 8601 in UTC."""
    key: str
    """The public key for which it is encrypted, in hex digits."""

    @property
    def gone_at(self) -> datetime:
        """When it goes."""
        return datetime.fromisoformat(self.until)


def seal(facts: ClipFacts, sound: bytes) -> bytes:
    """The content of a file. Raises ValueError for a key that is none."""
    header = json.dumps(asdict(facts), sort_keys=True, ensure_ascii=False).encode()
    info = MAGIC + len(header).to_bytes(LENGTH_BYTES, "big") + header
    return info + SUITE.encrypt(sound, X25519PublicKey.from_public_bytes(bytes.fromhex(facts.key)), info=info)


def read_facts(file: BinaryIO) -> ClipFacts:
    """What a file says that it is; no more of it is read. Raises ClipError, OSError."""
    begin = file.read(len(MAGIC) + LENGTH_BYTES)
    return _split(begin + file.read(min(MAX_HEADER, _header_bytes(begin))))[0]


def unseal(content: bytes, keys: ClipKeys) -> tuple[ClipFacts, bytes]:
    """What a clip is, and its sound. Raises ClipError."""
    facts, size = _split(content)
    key = keys.find(facts.key)
    if key is None:
        raise ClipError("this clip is encrypted for another key, which is not here, so it cannot be played")
    try:
        return facts, SUITE.decrypt(content[size:], key, info=content[:size])
    except (InvalidTag, ValueError):
        raise _damaged() from None


def _split(content: bytes) -> tuple[ClipFacts, int]:
    """What a file says that it is, and where its sound begins."""
    begin, size = len(MAGIC) + LENGTH_BYTES, _header_bytes(content)
    if not content.startswith(MAGIC) or not 0 < size <= min(MAX_HEADER, len(content) - begin):
        raise _damaged()
    try:
        values = json.loads(content[begin : begin + size])
        facts = _facts(values)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _damaged() from None
    return facts, begin + size


def _header_bytes(content: bytes) -> int:
    return int.from_bytes(content[len(MAGIC) : len(MAGIC) + LENGTH_BYTES], "big")


def _facts(values: Mapping[str, object]) -> ClipFacts:
    given = {each.name: values[each.name] for each in fields(ClipFacts)}
    verdicts = given["verdicts"]
    if not isinstance(verdicts, list) or not all(isinstance(each, str) for each in verdicts):
        raise ValueError
    texts = {name: given[name] for name in ("visit", "made", "until", "key")}
    if not all(isinstance(each, str) for each in texts.values()):
        raise ValueError
    if any(datetime.fromisoformat(str(texts[name])).utcoffset() is None for name in ("made", "until")):
        raise ValueError
    start, end = given["start"], given["end"]
    if not (isinstance(start, int | float) and isinstance(end, int | float) and 0 <= start <= end < float("inf")):
        raise ValueError
    plain = {name: str(text) for name, text in texts.items()}
    return ClipFacts(start=float(start), end=float(end), verdicts=tuple(map(str, verdicts)), **plain)


def _damaged() -> ClipError:
    return ClipError("this clip is damaged or was changed, so it cannot be played")
