"""PyAV: opens recordings of any format, decodes them, and resamples audio to mono, 16 000 Hz, 16 bits."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from io import BufferedReader, FileIO
from itertools import chain, groupby
from pathlib import Path
from typing import Final

import av
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from counter_listener.audio.chunking import Chunk
from counter_listener.audio.headers import WavHeader, asf_seconds, flac_start, is_closed_ogg, mp3_seconds, wav_header
from counter_listener.audio.losses import BROKEN_OFF, TRUNCATED, UNCLOSED, UNDECODABLE, ReadPosition, wav_losses
from counter_listener.audio.start_time import read_stamp
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, AudioError, Gap, system_reason

# A playlist would make the decoder open other files, so only containers of audio are allowed.
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": "wav,mp3,mov,aac,loas,ogg,flac,amr,amrnb,amrwb,asf,matroska,avi,mpegts,mpeg,aiff",
}
_FAULTS: Final = (av.FFmpegError, OSError, ValueError, EOFError, ArithmeticError, MemoryError)
_NO_TIME_STAMPS: Final = ("mp3", "aac", "amr")
"""Formats in which the length of a damaged packet shows only in its size."""
_EXACT: Final = ("flac", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "aiff")
"""Formats with a length in the header that is counted, not estimated."""
_SHORT: Final = 0.5
"""Seconds that a codec may deliver less than declared with nothing lost."""
_SHORT_IN_VIDEO: Final = 2.0
"""The same with a video track, which may be longer than the audio."""
_RETRIES: Final = 1
_RATES: Final = range(1_000, 768_001)
"""Hertz; a rate outside is damage."""

av.logging.set_level(None)


class _File(BufferedReader):
    """A file that stores its read error and then looks as if it ended: PyAV prints errors that are raised below it."""

    fault: OSError | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except OSError as error:
            self.fault = error
            return b""

    def seek(self, target: int, whence: int = 0, /) -> int:
        try:
            return super().seek(target, whence)
        except (OSError, ValueError, OverflowError):
            return -1


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording that is being read."""

    file: _File
    container: InputContainer
    stream: AudioStream
    """The first audio track."""
    wav: WavHeader | None

    @property
    def format(self) -> str:
        """FFmpeg's name of the container format."""
        return self.container.format.name

    def length(self) -> float | None:
        """Seconds; an estimate where the format does not say, None where it is unknown."""
        if self.wav and self.wav.bytes_per_second:
            return self.wav.seconds(self.wav.held)
        duration = self.container.duration
        return self._declared() or self._track_seconds() or (duration / av.time_base if duration else None)

    def time_stamp(self) -> datetime | None:
        """When it was made, by its tags; naive or aware, as they say."""
        tags = {**self.stream.metadata, **self.container.metadata}
        by_name = {name.lower(): text for name, text in tags.items()}
        date, time = by_name.get("date", ""), by_name.get("creation_time", "")
        return read_stamp(time) or read_stamp(f"{date} {time}") or read_stamp(date)

    def losses_at_end(self, position: ReadPosition) -> Iterator[Gap]:
        """What is missing at the end; to be asked once all the rest has been read."""
        short = _SHORT if len(self.container.streams) == 1 else _SHORT_IN_VIDEO
        if self.file.fault:
            yield Gap(0.0, max((self.length() or 0.0) - position.at, 0.0), BROKEN_OFF)
        elif self.wav:
            yield from wav_losses(self.wav)
        elif (missing := (self._declared() or 0.0) - position.at) > short:
            yield Gap(0.0, missing, TRUNCATED)
        elif self.format == "ogg" and not is_closed_ogg(self.file):
            yield Gap(0.0, 0.0, UNCLOSED)

    def _declared(self) -> float | None:
        """Seconds of audio by the header, in formats that count and do not estimate."""
        if self.format == "mp3":
            return mp3_seconds(self.file, self.stream.sample_rate)
        if self.format == "asf":
            return asf_seconds(self.file)
        if self.format not in _EXACT:
            return None
        if seconds := self._track_seconds():
            return seconds
        duration, start = self.container.duration, self.container.start_time or 0
        return (duration - max(start, 0)) / av.time_base if duration else None

    def _track_seconds(self) -> float | None:
        stream = self.stream
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


@contextmanager
def open_recording(path: Path) -> Iterator[OpenRecording]:
    """Opens a recording of any format. Raises AudioError if it cannot be read or holds no audio."""
    with _open_file(path) as file:
        try:
            wav = wav_header(file)
        except ValueError as error:
            raise AudioError("{path} {what}", path=path, what=error.args[0]) from error
        if wav and not wav.held:
            raise no_audio(path, damaged=False)
        with _open_container(path, file) as container:
            yield OpenRecording(file, container, _audio_track(path, container), wav)


def _open_file(path: Path) -> _File:
    try:
        facts = path.stat()
        if stat.S_ISREG(facts.st_mode) and facts.st_size:
            return _File(FileIO(path))
    except FileNotFoundError:
        raise AudioError("{path} does not exist; check the name", path=path) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(facts.st_mode):
        raise AudioError("{path} is a folder; give a recording", path=path)
    if not stat.S_ISREG(facts.st_mode):
        raise AudioError("{path} is not a file; give a recording", path=path)
    raise AudioError("{path} is empty: was the recorder stopped before it wrote anything?", path=path)


def _open_container(path: Path, file: _File) -> InputContainer:
    file.seek(0)
    try:
        return av.open(file, mode="r", options=dict(_OPTIONS), metadata_errors="replace")
    except _FAULTS as error:
        if file.fault:
            raise _unreadable(path, file.fault) from error
        raise AudioError(
            "{path} is in no known sound format, or damaged beyond reading; see whether a player opens it", path=path
        ) from error


def _audio_track(path: Path, container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise AudioError("{path} has no sound track; give a recording with sound", path=path)
    stream = container.streams.audio[0]
    if not stream.codec_context:
        raise AudioError("{path} is written in a way that cannot be decoded here; turn it into a WAV file", path=path)
    return stream


def _unreadable(path: Path, error: OSError | ValueError) -> AudioError:
    return AudioError(
        "{path} cannot be read ({why}); check its rights and the disk it is on", path=path, why=system_reason(error)
    )


def no_audio(path: Path, *, damaged: bool) -> AudioError:
    """The error for a recording from which nothing was decoded."""
    if damaged:
        return AudioError("{path} is damaged: none of it could be decoded; copy it again from the recorder", path=path)
    return AudioError("{path} holds no audio at all: was the recorder stopped as soon as it started?", path=path)


def decode(opened: OpenRecording) -> Iterator[AudioFrame | Gap]:
    """The frames of a recording, with a gap wherever a packet cannot be read or decoded."""
    for packet in _packets(opened):
        if isinstance(packet, Gap):
            yield packet
            continue
        try:
            frames = packet.decode()
        except _FAULTS:
            yield Gap(0.0, _packet_seconds(packet, opened), UNDECODABLE)
            continue
        for frame in frames:
            if opened.format == "flac":  # the demuxer counts on past missing frames; the frame's own number is right
                frame.pts = flac_start(bytes(packet), frame.samples)
                frame.time_base = Fraction(1, frame.sample_rate or 1)
            yield frame if frame.sample_rate in _RATES else Gap(0.0, 0.0, UNDECODABLE)


def _packets(opened: OpenRecording) -> Iterator[Packet[AudioStream] | Gap]:
    packets = opened.container.demux(opened.stream)
    faults = 0
    while faults <= _RETRIES:
        try:
            packet = next(packets, None)
        except _FAULTS:
            faults += 1
            packets = opened.container.demux(opened.stream)
            yield Gap(0.0, 0.0, BROKEN_OFF)
            continue
        if packet is None:
            return
        faults = 0
        yield packet


def _packet_seconds(packet: Packet[AudioStream], opened: OpenRecording) -> float:
    """Length of the audio in a damaged packet."""
    seconds = float((packet.duration or 0) * (packet.time_base or 0))
    if opened.format in _NO_TIME_STAMPS and opened.container.bit_rate:
        return max(seconds, packet.size * 8 / opened.container.bit_rate)
    return seconds


def resample(items: Iterable[AudioFrame | Gap], channel: int | None) -> Iterator[Chunk | Gap]:
    """Frames as 16 kHz chunks of one channel (0 or 1), or of all mixed; gaps pass.

    There is a new resampler after every gap and every change of format.
    """
    layout = "mono" if channel is None else "stereo"
    for _, run in groupby(items, key=_frame_format):
        resampler = av.AudioResampler("s16", layout, SAMPLE_RATE)
        for item in chain(run, (None,)):  # None asks for the last samples
            if isinstance(item, Gap):
                yield item
                continue
            try:
                frames = resampler.resample(item)
            except _FAULTS:
                resampler = av.AudioResampler("s16", layout, SAMPLE_RATE)
                yield Gap(0.0, item.samples / item.sample_rate if item else 0.0, UNDECODABLE)
            else:
                yield from (_chunk(frame, channel) for frame in frames)


def _frame_format(item: AudioFrame | Gap) -> tuple[str, str, int] | None:
    return None if isinstance(item, Gap) else (item.format.name, item.layout.name, item.sample_rate)


def _chunk(frame: AudioFrame, channel: int | None = None) -> Chunk:
    """The samples of a 16-bit frame: one of its two channels, or its only one."""
    samples: NDArray[np.int16] = frame.to_ndarray()[0]
    return (samples if channel is None else samples[channel::2]).tobytes()


def to_speech(items: Iterable[Chunk | Gap | None], rate: int, channels: int) -> Iterator[Chunk | Gap | None]:
    """Interleaved 16-bit audio of any rate (Hertz) and number of channels as 16 kHz mono, the channels mixed.

    Other items pass, after the audio before them.
    """
    if (rate, channels) == (SAMPLE_RATE, 1):
        yield from items
        return
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    for item in items:
        if item is None:
            yield None
        elif isinstance(item, Gap):
            yield b"".join(map(_chunk, resampler.resample(None)))
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
            yield item
        else:
            frame = AudioFrame("s16", layout, len(item) // (SAMPLE_BYTES * channels))
            frame.sample_rate = rate
            frame.planes[0].update(item)
            yield b"".join(map(_chunk, resampler.resample(frame)))
    yield b"".join(map(_chunk, resampler.resample(None)))
