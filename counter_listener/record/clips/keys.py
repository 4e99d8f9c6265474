"""The keys of clips: who keeps clips needs the public key alone, who plays them the private one.

The file holds private keys as PEM (PKCS #8, X25519), the newest first. Clips are encrypted with the newest; the others
open the clips that are older.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from counter_listener.domain import RecordError
from counter_listener.record.files import file_errors, path_text, private_part

MAX_BYTES: Final = 100_000
BLOCK: Final = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ClipKeys:
    """Private keys, the newest first; none where there is no file."""

    private: tuple[X25519PrivateKey, ...] = field(default=(), repr=False)

    @property
    def public(self) -> tuple[str, ...]:
        """The public keys in hex digits, the newest first."""
        return tuple(key.public_key().public_bytes_raw().hex() for key in self.private)

    def find(self, public: str) -> X25519PrivateKey | None:
        """The private key to a public one."""
        return next((key for key, name in zip(self.private, self.public, strict=True) if name == public), None)


def read_clip_keys(path: Path) -> ClipKeys:
    """The keys in a file; none if it is not there. Raises RecordError."""
    with file_errors(path_text(path)):
        if not path.exists():
            return ClipKeys()
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    try:
        keys = [serialization.load_pem_private_key(block, password=None) for block in BLOCK.findall(content)]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        keys = []
    private = tuple(key for key in keys if isinstance(key, X25519PrivateKey))
    if not private or len(private) != len(keys):
        raise RecordError(
            "{path} holds no key of clips (X25519, PEM); put the right file there, or take this one away and make a new"
            " key with `counter-listener clips key`",
            path=path_text(path),
        )
    return ClipKeys(private)


def make_clip_keys(path: Path) -> ClipKeys:
    """The keys in a file, which is made with a new key for its owner alone if it is not there. Raises RecordError."""
    found = read_clip_keys(path)
    return found if found.private else renew_clip_keys(path)


def renew_clip_keys(path: Path) -> ClipKeys:
    """Puts a new key before those in a file; the file is complete or as it was. Raises RecordError."""
    keys = ClipKeys((X25519PrivateKey.generate(), *read_clip_keys(path).private))
    content = b"".join(_pem(key) for key in keys.private)
    with file_errors(path_text(path)), private_part(path, content) as part:
        part.replace(path)
    return read_clip_keys(path)


def _pem(key: X25519PrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
