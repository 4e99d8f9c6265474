"""The tables of the record, as SQLAlchemy writes its queries about them."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from counter_listener.record.rows import RecordingRow, Row

EVENTS = sa.table("events", *(sa.column(field.name) for field in fields(Row)))
RECORDINGS = sa.table("recordings", *(sa.column(field.name) for field in fields(RecordingRow)))
WHEN = sa.func.coalesce(EVENTS.c.wall, EVENTS.c.recorded)
"""When an event happened; where no wall time is known, when it was recorded."""
