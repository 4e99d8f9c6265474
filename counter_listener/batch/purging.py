"""Removes what is old from a record, and from the transcripts that lie beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from counter_listener.batch.stored_transcripts import purge_transcripts, transcripts_folder
from counter_listener.record import Limits, Purged, all_retention

if TYPE_CHECKING:
    from counter_listener.record import Record


def purge_all(
    record: Record, visits: Limits, transcripts: Limits, now: datetime, note: Mapping[str, object]
) -> tuple[Purged, int]:
    """Removes what is before its limit and not held; `note` is for the row that tells. Returns also the number of
    transcripts that were removed or shortened. Raises RecordError, TranscriptError.
    """
    done = record.remove_old(visits, now, note)
    return done, purge_transcripts(transcripts_folder(record.path), record.kept_from(visits, transcripts))


def purge_by_rules(record: Record, now: datetime, by: str) -> tuple[Purged, int]:
    """Removes what is past the date of its rule, as purge_all(). Raises RecordError, TranscriptError."""
    found = record.query(lambda connection: all_retention(connection, record.path))
    limits = found.limits("visits", now), found.limits("transcripts", now)
    return purge_all(record, *limits, now, {"by": by, "by_rules": True})
