"""Judges stored transcripts with another phrase set and compares the verdicts with the recorded ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from counter_listener.batch.transcript_files import StoredTranscript, read_stored_transcripts
from counter_listener.judging import VerdictChange, verdict_changes
from counter_listener.matching import Matcher
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import Record, RecordingRow, event_from_row, iso


def rejudge_transcripts(
    record: Record, folder: Path, matcher: Matcher, since: datetime | None
) -> Iterator[tuple[RecordingRow, list[VerdictChange]]]:
    """Each recording whose transcript is stored, with the verdicts that would change.

    `since` leaves out recordings that started (or were recorded, if that is unknown) before it. Raises RecordError,
    TranscriptError.
    """
    recordings = {row.sha256: row for row in record.recordings()}
    for transcript in read_stored_transcripts(folder):
        row = recordings.get(transcript.sha256)
        if row is not None and (since is None or (row.started or row.recorded) >= iso(since)):
            yield row, list(_changes(record, transcript, matcher))


def _changes(record: Record, transcript: StoredTranscript, matcher: Matcher) -> Iterator[VerdictChange]:
    judgement = record.judging(transcript.sha256)
    before = [event_from_row(row) for row in record.read(stream=judgement.stream)] if judgement else []
    one_visit = bool(transcript.options.get("one_visit"))
    after = judge_events(with_ticks(transcript.items, transcript.seconds), matcher, one_visit=one_visit)
    return verdict_changes(before, list(after))
