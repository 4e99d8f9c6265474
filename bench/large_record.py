"""Writes a large record at once, as `check` and `listen` write it row by row: the chain is the same."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from counter_listener.record import EVENTS, RECORDINGS, START, Columns, linked, open_record

CHUNK: Final = 5_000
"""Rows per insert."""


def write_record(path: Path, rows: Iterator[Columns]) -> int:
    """Writes rows without `seq` and `chain`, recordings before their events, to a new record.

    Returns the number of events. They are flushed once, at the end.
    """
    with open_record(path):
        pass
    chained = linked(rows, (0, START))
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    written = 0
    with engine.begin() as connection:
        while chunk := list(islice(chained, CHUNK)):
            for table, name in ((RECORDINGS, "sha256"), (EVENTS, "uid")):
                if of_table := [row for row in chunk if name in row]:
                    connection.execute(sa.insert(table), of_table)
            written += sum("uid" in row for row in chunk)
    return written
