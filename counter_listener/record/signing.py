"""The key that signs the head of the chain: an Ed25519 private key in a file. The only module with cryptography.

The file is PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from counter_listener.domain import RecordError
from counter_listener.record.files import FILE_MODE, file_errors, path_text, private_part
from counter_listener.record.heads import Head, head_message
from counter_listener.record.receipts import Receipt, receipt_message

MAX_BYTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key."""

    private: Ed25519PrivateKey = field(repr=False)
    public: str
    """The public key in hex digits."""

    def sign_receipt(self, record: str, seq: int, chain: str, signed: str) -> Receipt:
        """The receipt with these fields, signed."""
        signature = self.private.sign(receipt_message(record, seq, chain, signed))
        return Receipt(record, seq, chain, signed, self.public, signature.hex())

    def sign_text(self, text: bytes) -> str:
        """The signature of a text, in hex digits."""
        return self.private.sign(text).hex()

    def sign(self, record: str, seq: int, chain: str, signed: str) -> Head:
        """The head with these fields, signed."""
        signature = self.private.sign(head_message(record, seq, chain, signed))
        return Head(record, seq, chain, signed, self.public, signature.hex())


def is_signature_valid(head: Head | Receipt) -> bool:
    """Whether the key that it names signed it."""
    return is_signed(head.message, head.key, head.signature)


def is_signed(text: bytes, key: str, signature: str) -> bool:
    """Whether a key, in hex digits, signed a text."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def open_key(path: Path, *, create: bool) -> SigningKey:
    """The key in a file. With `create` a missing file and its folder are made, for their owner. Raises RecordError."""
    with file_errors(path_text(path)):
        if create and not path.exists():
            _make_key(path)
        if not path.exists():
            raise RecordError("the key {path} does not exist; name its file with --key", path=path_text(path))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise RecordError(
            "{path} holds no Ed25519 private key without a password; name the right file with --key, or a new one,"
            " which is then made",
            path=path_text(path),
        )
    return SigningKey(private, private.public_key().public_bytes_raw().hex())


def _make_key(path: Path) -> None:
    """Makes a key file, complete or not at all. If another program makes it at the same time, its file stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with private_part(path, pem) as part, suppress(FileExistsError):
        _name_once(part, path)


def _name_once(part: Path, path: Path) -> None:
    """Gives a file a second name. Raises FileExistsError if the name is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a stick with FAT has no second names
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb") as file:
            file.write(part.read_bytes())
