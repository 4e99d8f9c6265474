"""Recordings of any format as audio for the recogniser: mono, 16 000 Hz, signed 16-bit little-endian."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from counter_listener.audio.chunking import Chunk
from counter_listener.audio.headers import asf_seconds, is_closed_ogg, mp3_seconds
from counter_listener.audio.losses import BROKEN_OFF, TRUNCATED, UNCLOSED, ReadPosition, find_losses, wav_losses
from counter_listener.audio.start_time import read_stamp
from counter_listener.domain import AudioError, Gap

if TYPE_CHECKING:
    from counter_listener.audio.decoding import OpenRecording

_EXACT: Final = ("flac", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "aiff")
"""Formats with a length in the header that is counted, not estimated."""
_SHORT: Final = 0.5
"""Seconds that a codec may deliver less than declared with nothing lost."""
_SHORT_IN_VIDEO: Final = 2.0
"""The same with a video track, which may be longer than the audio."""
_AV_TIME_BASE: Final = 1_000_000
"""FFmpeg's units a second in which the length of a container is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of itself."""

    seconds: float | None
    """Length; an estimate where the format does not say, None where it is unknown."""
    stamped: datetime | None
    """When it was made; naive or aware, as the file says."""
    what: str
    """For people: container, codec, rate, channels."""
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
        for item in chain(resample(find_losses(decode(opened)), channel), _losses_at_end(opened, position)):
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
        return Facts(_length(opened), _time_stamp(opened), _description(opened), opened.stream.channels)


def _losses_at_end(opened: OpenRecording, position: ReadPosition) -> Iterator[Gap]:
    """What is missing at the end; to be asked once all the rest has been read."""
    short = _SHORT if len(opened.container.streams) == 1 else _SHORT_IN_VIDEO
    if opened.file.fault:
        yield Gap(0.0, max((_length(opened) or 0.0) - position.at, 0.0), BROKEN_OFF)
    elif opened.wav:
        yield from wav_losses(opened.wav)
    elif (missing := (_declared(opened) or 0.0) - position.at) > short:
        yield Gap(0.0, missing, TRUNCATED)
    elif opened.format == "ogg" and not is_closed_ogg(opened.file):
        yield Gap(0.0, 0.0, UNCLOSED)


def _declared(opened: OpenRecording) -> float | None:
    """Seconds of audio by the header, in formats that count and do not estimate."""
    container = opened.container
    if opened.format == "mp3":
        return mp3_seconds(opened.file, opened.stream.sample_rate)
    if opened.format == "asf":
        return asf_seconds(opened.file)
    if opened.format not in _EXACT:
        return None
    if seconds := _track_seconds(opened):
        return seconds
    if not container.duration:
        return None
    return (container.duration - max(container.start_time or 0, 0)) / _AV_TIME_BASE


def _track_seconds(opened: OpenRecording) -> float | None:
    stream = opened.stream
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def _length(opened: OpenRecording) -> float | None:
    if opened.wav and opened.wav.bytes_per_second:
        return opened.wav.seconds(opened.wav.held)
    duration = opened.container.duration
    return _declared(opened) or _track_seconds(opened) or (duration / _AV_TIME_BASE if duration else None)


def _time_stamp(opened: OpenRecording) -> datetime | None:
    tags = {**opened.stream.metadata, **opened.container.metadata}
    by_name = {name.lower(): text for name, text in tags.items()}
    date, time = by_name.get("date", ""), by_name.get("creation_time", "")
    return read_stamp(time) or read_stamp(f"{date} {time}") or read_stamp(date)


def _description(opened: OpenRecording) -> str:
    stream = opened.stream
    container = opened.format.partition(",")[0]
    codec = stream.codec_context.codec.canonical_name
    channels = {1: "mono", 2: "stereo"}.get(stream.channels, f"{stream.channels} channels")
    return f"{container} {codec} {stream.sample_rate} Hz {channels}"
