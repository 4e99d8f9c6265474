"""Recordings of any format as audio for the recogniser: mono, 16 000 Hz, signed 16-bit little-endian."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from counter_listener.audio.chunking import Chunk
from counter_listener.audio.losses import ReadPosition, find_losses
from counter_listener.domain import AudioError, Gap


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of itself."""

    seconds: float | None
    """Length; an estimate where the format does not say, None where it is unknown."""
    stamped: datetime | None
    """When it was made; naive or aware, as the file says."""
    channels: int = 1


def read_recording(
    path: Path, progress: Callable[[float], None] | None = None, channel: int | None = None
) -> Iterator[Chunk | Gap]:
    """The audio of a recording in chunks of any length, lazily, with a gap wherever audio was lost.

    A video gives its first audio track; several channels are mixed to one, unless `channel` (0 or 1) is one of two.
    `progress` is called with the seconds read so far. Raises AudioError if there is nothing to hear: at the first chunk
    if the file cannot be read, at the end if every sample was the same.
    """
    from counter_listener.audio.decoding import decode, no_audio, open_recording, resample

    position = ReadPosition()
    with open_recording(path) as opened:
        for item in chain(resample(find_losses(decode(opened)), channel), opened.losses_at_end(position)):
            yield position.advance(item)
            if progress:
                progress(position.at)
    if not position.samples:
        raise no_audio(path, damaged=position.damaged)
    if position.silent:
        if channel is None:
            raise AudioError("{path} is silent from end to end: was the microphone muted or unplugged?", path=path)
        raise AudioError(
            "{path}, channel {channel}, is silent from end to end: was the microphone muted or unplugged?",
            path=path,
            channel=channel + 1,
        )


def probe(path: Path) -> Facts:
    """What a recording says of itself, without decoding it. Raises AudioError if it cannot be read."""
    from counter_listener.audio.decoding import open_recording

    with open_recording(path) as opened:
        return Facts(opened.length(), opened.time_stamp(), opened.stream.channels)
