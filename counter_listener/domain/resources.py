"""Where things are: what ships with the program, and what it keeps for its user."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
"""The package's folder."""


def bundled_folder(kind: str) -> Path:
    """The folder of what ships: `models`, `phrase_sets` or `recordings`."""
    installed = HERE / "shipped" / kind
    checkout = {"recordings": Path("tests", "fixtures")}.get(kind, Path(kind))
    return installed if installed.is_dir() else HERE.parent / checkout


def data_folder() -> Path:
    """The user's own folder for the record and for installed models; it may not be there yet."""
    from platformdirs import user_data_path

    return user_data_path("counter-listener", appauthor=False)
