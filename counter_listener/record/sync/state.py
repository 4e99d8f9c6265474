"""What a counter tells its server of itself with each batch."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from counter_listener import __version__
from counter_listener.record.schema import EVENTS
from counter_listener.record.store import Record

MACHINE: Final = ("visit_opened", "visit_closed", "gap")
"""Kinds of rows that tell which model and phrase set are in use."""


def counter_state(record: Record, ahead: float | None, more: Mapping[str, object] | None = None) -> dict[str, object]:
    """The version, the model and the phrase set in use, free disk; `ahead` is how much its clock is ahead."""
    used = record.query(_in_use)
    state = {
        "version": __version__,
        "disk_free": shutil.disk_usage(record.path.parent).free,
        "ahead": None if ahead is None else round(ahead, 1),
        **used,
        **(more or {}),
    }
    return {name: value for name, value in state.items() if value is not None}


def _in_use(connection: sa.Connection) -> dict[str, object]:
    newest = sa.select(EVENTS).where(EVENTS.c.kind.in_(MACHINE)).order_by(EVENTS.c.seq.desc()).limit(1)
    row = connection.execute(newest).first()
    if row is None:
        return {}
    return {"model": row.model, "phrases": row.phrases, "phrases_hash": row.phrases_hash, "last_row": row.recorded}
