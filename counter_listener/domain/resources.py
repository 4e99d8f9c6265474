"""Folders: the files that ship with the program, and the user's data."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
"""The folder of the package counter_listener."""


def bundled_folder(kind: str) -> Path:
    """The folder of a kind of bundled file: `models`, `phrase_sets` or `recordings`."""
    installed = PACKAGE / "shipped" / kind
    checkout = {"recordings": Path("tests", "fixtures")}.get(kind, Path(kind))
    return installed if installed.is_dir() else PACKAGE.parent / checkout


def data_folder() -> Path:
    """The user's folder for the record and for installed models. It may not exist yet."""
    from platformdirs import user_data_path

    return user_data_path("counter-listener", appauthor=False)


def settings_folder() -> Path:
    """The user's folder for settings, which is never the folder of the record. It may not exist yet."""
    from platformdirs import user_config_path

    folder = user_config_path("counter-listener", appauthor=False, roaming=True)
    return folder if folder != data_folder() else Path.home() / ".config" / "counter-listener"
