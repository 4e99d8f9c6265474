"""What the record says of itself: its end, purges, changes of the key, the models that were used. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from counter_listener.record.browse import VISITS
from counter_listener.record.head_table import stored_head
from counter_listener.record.heads import Head
from counter_listener.record.purge import STREAM
from counter_listener.record.rows import parse_detail
from counter_listener.record.schema import EVENTS, RECORDINGS, chain_tail

NEWEST: Final = 1_000
"""Visits by which the models in use are told."""
PURGES: Final = 20


@dataclass(frozen=True, slots=True)
class Purge:
    """A purge that was done."""

    at: datetime
    before: str
    """What happened before this time was removed; ISO 8601 in UTC."""
    rows: int
    held: int = 0
    """Visits that stayed because they were under a hold."""
    by_rules: bool = False
    """Whether each branch had a time of its own; `before` is then the latest."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """What the record says of itself."""

    rows: int
    """Number of its last row."""
    head: Head | None
    """Its signed head."""
    recordings: int
    models: list[tuple[str, str]]
    """Models and phrase sets of the newest visits, each pair once, the newest first."""
    purges: list[Purge]
    """The newest first."""


def record_state(connection: sa.Connection) -> RecordState:
    """What the record says of itself."""
    newest = sa.select(VISITS.c.seq).order_by(VISITS.c.seq.desc()).limit(NEWEST)
    used = sa.select(EVENTS.c.model, EVENTS.c.phrases).where(EVENTS.c.seq.in_(newest)).order_by(EVENTS.c.seq.desc())
    purged = sa.select(EVENTS.c.recorded, EVENTS.c.detail).where(EVENTS.c.stream == STREAM)
    return RecordState(
        rows=chain_tail(connection)[0],
        head=stored_head(connection)[1],
        recordings=int(connection.execute(sa.select(sa.func.count()).select_from(RECORDINGS)).scalar_one()),
        models=list(dict.fromkeys((row.model, row.phrases) for row in connection.execute(used))),
        purges=[
            _purge(row.recorded, row.detail)
            for row in connection.execute(purged.order_by(EVENTS.c.seq.desc()).limit(PURGES))
        ],
    )


def _purge(recorded: str, detail: str) -> Purge:
    parsed = parse_detail(detail)
    return Purge(
        at=datetime.fromisoformat(recorded),
        before=str(parsed.get("before", "")),
        rows=_number(parsed.get("rows")),
        held=_number(parsed.get("held")),
        by_rules=parsed.get("by_rules") is True,
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
