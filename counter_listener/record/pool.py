"""A few open connections to one record, for a server with many threads: some that read, and one that writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Final

from counter_listener.domain import RecordError
from counter_listener.record.store import Record, open_record

READERS: Final = 4
"""Connections that read at once. Each may keep 16 MB of the file in memory."""
PATIENCE: Final = 60.0
"""Seconds to wait for a connection."""


class RecordPool:
    """The connections to a record, opened when they are needed. The record must exist."""

    def __init__(self, location: str, *, key_file: Path | None = None, readers: int = READERS) -> None:
        self._location, self._key_file = location, key_file
        self._stack = ExitStack()
        self._lock, self._writing = Lock(), Lock()
        self._free: LifoQueue[Record | None] = LifoQueue()
        self._writer: Record | None = None
        for _ in range(readers):
            self._free.put(None)

    @contextmanager
    def reading(self) -> Iterator[Record]:
        """A record that nobody else uses inside the block. Raises RecordError."""
        record = self._take()
        try:
            if record is None:
                record = self._open(None)
            yield record
        finally:
            self._free.put(record)

    @contextmanager
    def writing(self) -> Iterator[Record]:
        """The record whose key is open, for one thread at a time. Raises RecordError."""
        if not self._writing.acquire(timeout=PATIENCE):
            raise RecordError("too many want to write to the record at once; try again")
        try:
            if self._writer is None:
                self._writer = self._open(self._key_file)
            yield self._writer
        finally:
            self._writing.release()

    def close(self) -> None:
        """Closes all connections; nobody may use one any more."""
        with self._lock:
            self._stack.close()

    def _take(self) -> Record | None:
        try:
            return self._free.get(timeout=PATIENCE)
        except Empty as error:
            raise RecordError("too many want to read the record at once; try again") from error

    def _open(self, key_file: Path | None) -> Record:
        with self._lock:
            return self._stack.enter_context(open_record(self._location, create=False, key_file=key_file))
