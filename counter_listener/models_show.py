"""The models that are here or could be, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from counter_listener.models import bundled, installed
from counter_listener.models_kept import origin_of
from counter_listener.privacy import printable
from counter_listener.registry import Facts, KnownModel, known_model, registry

UNKNOWN: Final = Facts("?", "error rates not known", "?")
GIGABYTE: Final = 1_000_000_000


def model_lines(in_use: str) -> Iterator[str]:
    """Two lines a model: those at hand, then those that could be fetched.

    `in_use` is the model that is taken where none is asked for. Sizes are of the folder, or of what is to be fetched.
    """
    here = installed()
    for name, folder in here.items():
        ships = name in bundled()
        known = known_model(name)
        facts = registry().bundled if ships else known.facts if known else UNKNOWN
        state = "bundled" if ships else "installed"
        used = ", in use" if name == in_use else ""
        yield _line(name, state + used, facts, amount(_size(folder)))
        yield f"    {facts.errors}{'' if ships else _doubt(folder)}"
    for known in registry().models:
        if known.name not in here:
            yield _line(known.name, "known", known.facts, f"{'' if known.exact else '~'}{amount(known.size)}")
            yield f"    {known.facts.errors}{_lacking(known)}"


def _line(name: str, state: str, facts: Facts, size: str) -> str:
    return printable(f"{name:21} {state:17} {facts.language:12} {size:>9}  {facts.licence}")


def _doubt(folder: Path) -> str:
    origin = origin_of(folder)
    return "" if origin and origin.verified != "no" else "; held to no checksum when it came"


def _lacking(known: KnownModel) -> str:
    return "" if known.sha256 else "; no checksum"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def amount(size: int) -> str:
    """Bytes as people say them, in decimal units as the makers' table has them."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.1f} MB"
