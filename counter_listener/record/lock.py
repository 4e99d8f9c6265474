"""One listener for each counter of a record: a lock that dies with its process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from counter_listener.domain import BusyError, RecordError, sentence, system_reason
from counter_listener.record.store_file import prepare_file, record_file, shown


@contextmanager
def lock_counter(place: str, counter: str) -> Iterator[None]:
    """Holds the lock of a counter in the record at `place` (a file or URL).

    Raises BusyError where another listener has it, StoreError where the record's folder cannot be written.
    """
    from filelock import FileLock, Timeout

    record = record_file(place)
    try:
        prepare_file(record, create=True)
        lock = FileLock(_lock_file(record, counter), timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        name = sentence("counter {counter!r}", counter=counter) if counter else sentence("the counter without a name")
        raise BusyError(
            "A listener already listens at {name} for {record}; stop it, or give this one another --counter.",
            name=name,
            record=shown(record),
        ) from None
    except OSError as error:
        raise RecordError(
            "{record} cannot be used: {why}; see to its folder and rights.",
            record=shown(record),
            why=system_reason(error),
        ) from None
    try:
        yield
    finally:
        lock.release()


def _lock_file(record: Path, counter: str) -> Path:
    """Beside the record; counters have names of any kind, so their digest stands for them."""
    digest = hashlib.sha256(counter.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return record.with_name(f"{record.name}.listening-{digest}.lock")
