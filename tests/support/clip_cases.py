"""Clips for tests: a record with a visit, sound that is a tone, and a clip of it as the listener keeps it."""

from __future__ import annotations

import io
import math
from array import array
from datetime import datetime, timedelta
from pathlib import Path

import av

from counter_listener.audio import opus_of
from counter_listener.domain import SAMPLE_RATE
from counter_listener.record import ClipFacts, clips_folder, iso, keep_clip, seal


def tone(seconds: float, hertz: float = 440.0) -> bytes:
    """A tone as 16 kHz mono samples."""
    count = round(seconds * SAMPLE_RATE)
    return array("h", (round(9_000 * math.sin(math.tau * hertz * at / SAMPLE_RATE)) for at in range(count))).tobytes()


def add_clip(  # noqa: PLR0913 - what a clip can differ in
    record: Path,
    visit: str,
    public: str,
    now: datetime,
    *,
    start: float = 3.0,
    seconds: float = 2.0,
    days: float = 7.0,
    name: str | None = None,
    verdicts: tuple[str, ...] = (),
) -> Path:
    """Adds a clip of a visit beside a record; `name` is what the visit is called there, if it is another name."""
    until = iso(now + timedelta(days=days))
    facts = ClipFacts(visit, start, start + seconds, verdicts, iso(now), until, public)
    return keep_clip(clips_folder(record), name or visit, seal(facts, opus_of(tone(seconds))))


def seconds_of(sound: bytes) -> float:
    """The length of a sound, by decoding it."""
    with av.open(io.BytesIO(sound), "r") as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
        return sum(float(frame.samples / frame.sample_rate) for frame in container.decode(audio=0))
