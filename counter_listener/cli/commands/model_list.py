"""The models that are here or could be, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from counter_listener.asr import KnownModel, ModelFacts, bundled, installed, known_model, model_origin, registry
from counter_listener.cli.help import pad_columns
from counter_listener.domain import N_, _, printable

SAID: Final = (
    N_("Mandarin"),
    N_("English (US)"),
    N_("no transcriber; see its card, models/README.md"),
)
"""What models/registry.toml says in words."""
UNKNOWN: Final = ModelFacts("?", N_("error rates not known"), "?")
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
        state = _("bundled") if ships else _("installed")
        used = _(", in use") if name == in_use else ""
        yield _line(name, state + used, facts, amount(_size(folder)))
        yield f"    {_(facts.errors)}{'' if ships else _doubt(folder)}"
    for known in registry().models:
        if known.name not in here:
            yield _line(known.name, _("known"), known.facts, f"{'' if known.exact else '~'}{amount(known.size)}")
            yield f"    {_(known.facts.errors)}{_lacking(known)}"


def _line(name: str, state: str, facts: ModelFacts, size: str) -> str:
    return printable(
        f"{name:21} {pad_columns(state, 17)} {pad_columns(_(facts.language), 12)} {size:>9}  {_(facts.licence)}"
    )


def _doubt(folder: Path) -> str:
    origin = model_origin(folder)
    return "" if origin and origin.verified != "no" else _("; held to no checksum when it came")


def _lacking(known: KnownModel) -> str:
    return "" if known.sha256 else _("; no checksum")


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def amount(size: int) -> str:
    """Bytes as people say them, in decimal units as the makers' table has them."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.1f} MB"
