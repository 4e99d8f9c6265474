"""What lies beside a record and belongs to it: one table of names, for those who write it and for a backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Kind = Literal[
    "phrases",
    "accounts",
    "transcripts",
    "jobs",
    "memory",
    "retention",
    "clips",
    "server",
    "certificate",
    "receipt",
    "listening",
    "sending",
]


@dataclass(frozen=True, slots=True)
class _Name:
    pattern: str
    """With the name of the record, with or without its ending."""
    backed_up: bool = True


NAMES: Final[dict[Kind, _Name]] = {
    "phrases": _Name("{name}.phrases"),
    "accounts": _Name("{stem}.accounts.db"),
    "transcripts": _Name("{name}.transcripts"),
    "jobs": _Name("{name}.jobs"),
    "memory": _Name("{name}.server.json"),
    "retention": _Name("{stem}.retention.json"),
    "clips": _Name("{name}.clips", backed_up=False),  # sound goes at its date: a backup would keep it
    # the token of a counter: whoever has a backup must not be able to send for it; a new code gives a new one
    "server": _Name("{stem}.server.json", backed_up=False),
    "certificate": _Name("{stem}.server-ca.pem", backed_up=False),
    "receipt": _Name("{stem}.receipt.json", backed_up=False),
    "listening": _Name("{name}.listening-{of}.lock", backed_up=False),
    "sending": _Name("{name}.sending.lock", backed_up=False),
}


def companion(record: Path, what: Kind, of: str = "") -> Path:
    """Where something lies beside a record; `of` tells several of a kind apart."""
    return record.with_name(NAMES[what].pattern.format(name=record.name, stem=record.stem, of=of))


def backed_up(record: Path) -> Iterator[Path]:
    """What a backup of a record copies with it, as far as it is there."""
    return (companion(record, what) for what, name in NAMES.items() if name.backed_up)
