"""Manifests: one `manifest.tsv` in each folder of recordings, with a licence and an attribution on every line."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.build.errors import BuildError
from models.build.held_out import check_licence

NAME: Final = "manifest.tsv"
COLUMNS: Final = ("path", "text", "speaker", "licence", "attribution")


class ManifestError(BuildError):
    """A manifest is missing or lacks a column."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of a person, or of a noise or a room (then `text` is empty)."""

    path: Path
    text: str
    speaker: str
    """The person; for a noise, what produces it."""
    licence: str
    """As spelled in held_out.LICENCES."""
    attribution: str


def read_manifest(folder: Path) -> list[Recording]:
    """All recordings of a folder, in the order of its manifest.

    Raises ManifestError, and held_out.ExcludedDataError for a licence that is not in LICENCES.
    """
    file = folder / NAME
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            reader = csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ManifestError(f"{file} cannot be read ({reason}); give a folder of recordings with a manifest.") from None
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or ())]:
        raise ManifestError(f"{file} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}, separated by tabs.")
    return [
        Recording(
            folder / row["path"], row["text"], row["speaker"], check_licence(row["licence"]), row["attribution"] or ""
        )
        for row in rows
    ]
