"""Who saved a version of a phrase set, and who put one in force: rows of the record, of the kind `access`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, cast

import sqlalchemy as sa

from counter_listener.record.expressions import detail_text
from counter_listener.record.people import SOURCE, checked_note, person_row
from counter_listener.record.rows import Row, parse_detail, storable
from counter_listener.record.schema import EVENTS

if TYPE_CHECKING:
    from counter_listener.record.store import Record

SetAction = Literal["saved", "in_force"]
WHAT: Final = "phrase set {name}, version {number}"


@dataclass(frozen=True, slots=True)
class SetChange:
    """What somebody did with a version of a phrase set."""

    name: str
    """Of the file of the set, without .toml."""
    number: int
    sha256: str
    did: SetAction
    by: str
    at: datetime
    note: str = ""
    """What was changed in it."""


def note_set_change(record: Record, change: SetChange) -> Row:
    """Notes it. Raises ReviewError for a note that is too long, and RecordError."""
    detail = {
        "by": storable(change.by),
        "action": "changed",
        "what": WHAT.format(name=change.name, number=change.number),
        "set": change.name,
        "version": change.number,
        "sha256": change.sha256,
        "did": change.did,
        "note": checked_note(change.note),
    }
    (row,) = record.append_rows(lambda _connection: [person_row("access", detail, change.at)], change.at)
    return row


def set_changes(connection: sa.Connection, name: str) -> list[SetChange]:
    """What was done with the versions of a set, in order. What a purge removed is not among it."""
    query = (
        sa.select(EVENTS.c.wall, EVENTS.c.detail)
        .where(EVENTS.c.stream == SOURCE, EVENTS.c.kind == "access")
        .where(detail_text(EVENTS.c.detail, "set") == storable(name))
        .order_by(EVENTS.c.seq)
    )
    found = ((wall, parse_detail(detail)) for wall, detail in connection.execute(query))
    return [
        SetChange(
            name=name,
            number=number,
            sha256=str(detail.get("sha256")),
            did=cast("SetAction", str(detail.get("did"))),
            by=str(detail.get("by")),
            at=datetime.fromisoformat(wall),
            note=str(detail.get("note") or ""),
        )
        for wall, detail in found
        if isinstance(number := detail.get("version"), int)
    ]
