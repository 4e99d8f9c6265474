"""Writes settings into counter.toml: what stands in it beside them, and every comment, stays as it is."""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from counter_listener.domain import N_, ConfigError, system_reason
from counter_listener.live.config import read_config, template, with_flags
from counter_listener.phrases import edited


def write_config(path: Path, changes: Mapping[str, object]) -> bool:
    """Makes the file hold these settings; False if it does already.

    A file that is not there is written with every setting explained. Raises ConfigError if the file cannot be read or
    written, or for a setting that cannot be used.
    """
    with_flags(read_config(path if path.exists() else None), dict(changes))
    before = path.read_text(encoding="utf-8-sig") if path.exists() else None
    text = before if before is not None else template()
    wanted = edited(text, {**tomllib.loads(text), **changes})
    if wanted == before:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, wanted)
    except OSError as error:
        why = N_("{path} cannot be written ({why}); check its folder and permissions")
        raise ConfigError(why, path=path, why=system_reason(error)) from None
    return True


def _replace(path: Path, text: str) -> None:
    """Writes a file that takes the place of the old one only when it is complete, with the same permissions."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(prefix=".counter-", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        part.chmod(mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
