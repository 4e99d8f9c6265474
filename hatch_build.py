"""Compiles the message catalogues (.po to .mo) when the package is built, in a checkout beside their sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    """The hook that hatchling calls before it builds a wheel, an editable one included, or a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as hatchling calls it
        """Writes a .mo file beside each .po file; git ignores it, so it is named as an artifact."""
        for source in Path(self.root, "counter_listener").rglob("*.po"):
            with source.open("rb") as file, source.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(file))
        build_data["artifacts"].append("counter_listener/**/*.mo")
