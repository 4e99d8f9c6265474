"""The tables of the record, as SQLAlchemy writes its queries about them."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from counter_listener.record import RecordingRow, Row

EVENTS = sa.table("events", *(sa.column(field.name) for field in fields(Row)))
RECORDINGS = sa.table("recordings", *(sa.column(field.name) for field in fields(RecordingRow)))
