"""What the server remembers of what it did by itself: a JSON file beside the record, replaced as a whole."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from counter_listener.domain import companion
from counter_listener.record import record_file


def memory_file(store: str) -> Path:
    """Where the memory of a record's server lies: beside the record, or in the data folder if that is no file."""
    record = record_file(store)
    return companion(record, "memory")


class Memory:
    """A table for each thing that the server does. What cannot be written to the disk is remembered until it ends."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = Lock()
        self._tables = _read(file)

    def get(self, name: str) -> dict[str, Any]:
        """A copy of a table; empty if there is none yet."""
        with self._lock:
            copy: dict[str, Any] = json.loads(json.dumps(self._tables.get(name, {})))
            return copy

    def put(self, name: str, table: dict[str, Any]) -> None:
        """Replaces a table by a copy of this one."""
        with self._lock:
            if self._tables.get(name) == table:
                return
            self._tables[name] = json.loads(json.dumps(table))
            with suppress(OSError):  # the disk is full: a message or a report may come twice after a restart
                _write(self.file, self._tables)


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: table for name, table in found.items() if isinstance(table, dict)} if isinstance(found, dict) else {}


def _write(file: Path, tables: dict[str, dict[str, Any]]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            json.dump(tables, part, ensure_ascii=False, indent=1)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(file)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
