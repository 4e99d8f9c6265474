"""Recordings of any format, as sound for the recogniser: mono, 16 000 Hz, signed 16-bit little-endian."""

from __future__ import annotations

import stat
from array import array
from collections.abc import Callable, Iterable, Iterator
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
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from counter_listener.audio.chunking import Chunk
from counter_listener.audio.headers import WavHeader, asf_seconds, closed_ogg, flac_start, mp3_seconds, read_wav_header
from counter_listener.audio.losses import (
    BROKEN_OFF,
    TRUNCATED,
    UNCLOSED,
    UNDECODABLE,
    ReadPosition,
    SampleLoss,
    find_losses,
    wav_losses,
)
from counter_listener.audio.start_time import read_stamp
from counter_listener.domain import SAMPLE_BYTES, SAMPLE_RATE, AudioError, Gap, system_reason

# A playlist would make the decoder open other files, so it may know nothing but containers of sound.
_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": "wav,mp3,mov,aac,loas,ogg,flac,amr,amrnb,amrwb,asf,matroska,avi,mpegts,mpeg,aiff",
}
_FAULTS: Final = (av.FFmpegError, OSError, ValueError, EOFError, ArithmeticError, MemoryError)
_EXACT: Final = ("flac", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "aiff")
_BARE: Final = ("mp3", "aac", "amr")
"""Formats with no time stamps: how much a damaged packet held shows only in its size."""
_SHORT: Final = 0.5
"""Seconds that a codec may give less than declared with nothing lost."""
_SHORT_IN_VIDEO: Final = 2.0
"""The same beside pictures, which may go on after the sound."""
_RETRIES: Final = 1
_RATES: Final = range(1_000, 768_001)
"""Hertz; what is outside is damage."""

av.logging.set_level(None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of itself."""

    seconds: float | None
    """Length; an estimate where the format does not say, None where nobody can tell."""
    stamped: datetime | None
    """When it was made; naive or aware, as the file says."""
    what: str
    """For people: container, codec, rate, channels."""
    channels: int = 1


class _File(BufferedReader):
    """A file whose faults are kept and look like its end: PyAV prints those that are raised beneath it."""

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
class _Opened:
    file: _File
    container: InputContainer
    stream: AudioStream
    wav: WavHeader | None


def read_recording(
    path: Path, progress: Callable[[float], None] | None = None, channel: int | None = None
) -> Iterator[Chunk | Gap]:
    """The sound of a recording in chunks of any length, lazily, with a gap wherever sound was lost.

    A video gives its first sound track; several channels are mixed to one, unless `channel` (0 or 1) is one of two.
    `progress` is told the seconds read so far. Raises AudioError if there is nothing to hear: at the first chunk if the
    file cannot be read, at the end if every sample was the same.
    """
    tape = ReadPosition()
    with _opened(path) as opened:
        heard = _resampled(find_losses(_decoded(opened)), channel)
        for item in chain(heard, _ending(opened, tape)):
            yield tape.pass_by(item)
            if progress:
                progress(tape.at)
    if not tape.samples:
        raise _nothing(path, damaged=tape.damaged)
    if tape.silent:
        if channel is None:
            raise AudioError("{path} is silent from end to end: was the microphone muted or unplugged?", path=path)
        raise AudioError(
            "{path}, channel {channel}, is silent from end to end: was the microphone muted or unplugged?",
            path=path,
            channel=channel + 1,
        )


def probe(path: Path) -> Facts:
    """What a recording says of itself, without decoding it. Raises AudioError if it cannot be read."""
    with _opened(path) as opened:
        return Facts(_length(opened), _stamp(opened), _description(opened), opened.stream.channels)


def as_speech(items: Iterable[Chunk | Gap | None], rate: int, channels: int) -> Iterator[Chunk | Gap | None]:
    """Interleaved 16-bit sound of any rate (Hertz) and number of channels as sound for the recogniser, mixed to mono.

    Whatever is no sound passes through, after the sound before it.
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
            yield _sound_of(resampler.resample(None))
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
            yield item
        else:
            frame = AudioFrame("s16", layout, len(item) // (SAMPLE_BYTES * channels))
            frame.sample_rate = rate
            frame.planes[0].update(item)
            yield _sound_of(resampler.resample(frame))
    yield _sound_of(resampler.resample(None))


def _sound_of(frames: Iterable[AudioFrame]) -> Chunk:
    return b"".join(_sound(frame, None) for frame in frames)


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    with _file(path) as file:
        wav = _wav(path, file)
        with _container(path, file) as container:
            yield _Opened(file, container, _sound_track(path, container), wav)


def _file(path: Path) -> _File:
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


def _wav(path: Path, file: _File) -> WavHeader | None:
    try:
        wav = read_wav_header(file)
    except ValueError as error:
        raise AudioError("{path} {what}", path=path, what=error.args[0]) from error
    if wav and not wav.held:
        raise _nothing(path, damaged=False)
    return wav


def _container(path: Path, file: _File) -> InputContainer:
    file.seek(0)
    try:
        return av.open(file, mode="r", options=dict(_OPTIONS), metadata_errors="replace")
    except _FAULTS as error:
        if file.fault:
            raise _unreadable(path, file.fault) from error
        raise AudioError(
            "{path} is in no known sound format, or damaged beyond reading; see whether a player opens it", path=path
        ) from error


def _sound_track(path: Path, container: InputContainer) -> AudioStream:
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


def _nothing(path: Path, *, damaged: bool) -> AudioError:
    if damaged:
        return AudioError("{path} is damaged: none of it could be decoded; copy it again from the recorder", path=path)
    return AudioError("{path} holds no audio at all: was the recorder stopped as soon as it started?", path=path)


def _packets(opened: _Opened) -> Iterator[Packet[AudioStream] | SampleLoss]:
    packets = opened.container.demux(opened.stream)
    faults = 0
    while faults <= _RETRIES:
        try:
            packet = next(packets, None)
        except _FAULTS:
            faults += 1
            packets = opened.container.demux(opened.stream)
            yield SampleLoss(0.0, BROKEN_OFF)
            continue
        if packet is None:
            return
        faults = 0
        yield packet


def _decoded(opened: _Opened) -> Iterator[AudioFrame | SampleLoss]:
    for packet in _packets(opened):
        if isinstance(packet, SampleLoss):
            yield packet
            continue
        try:
            frames = packet.decode()
        except _FAULTS:
            yield SampleLoss(_seconds(packet, opened.container), UNDECODABLE)
            continue
        for frame in frames:
            if opened.container.format.name == "flac":
                _stamp_flac(frame, bytes(packet))
            yield frame if frame.sample_rate in _RATES else SampleLoss(0.0, UNDECODABLE)


def _seconds(packet: Packet[AudioStream], container: InputContainer) -> float:
    """Seconds of sound in a damaged packet."""
    seconds = float((packet.duration or 0) * (packet.time_base or 0))
    if container.format.name in _BARE and container.bit_rate:
        return max(seconds, packet.size * 8 / container.bit_rate)
    return seconds


def _stamp_flac(frame: AudioFrame, packet: bytes) -> None:
    """Give the frame the place that it names itself: the demuxer counts on past what is missing."""
    frame.pts = flac_start(packet, frame.samples)
    frame.time_base = Fraction(1, frame.sample_rate or 1)


def _resampled(items: Iterable[AudioFrame | SampleLoss], channel: int | None) -> Iterator[Chunk | SampleLoss]:
    """Chunks of one channel or of all mixed, through a fresh resampler after every loss and every change of format."""
    for _, run in groupby(items, key=_setup):
        yield from _resampled_run(run, channel)


def _setup(item: AudioFrame | SampleLoss) -> tuple[str, str, int] | None:
    return None if isinstance(item, SampleLoss) else (item.format.name, item.layout.name, item.sample_rate)


def _resampled_run(run: Iterable[AudioFrame | SampleLoss], channel: int | None) -> Iterator[Chunk | SampleLoss]:
    """One run of frames alike, to its last sample; losses pass as they are."""
    resampler = _resampler(channel)
    for item in chain(run, (None,)):
        if isinstance(item, SampleLoss):
            yield item
            continue
        try:
            ready = resampler.resample(item)
        except _FAULTS:
            resampler = _resampler(channel)
            yield SampleLoss(item.samples / item.sample_rate if item else 0.0, UNDECODABLE)
        else:
            yield from (_sound(frame, channel) for frame in ready)


def _resampler(channel: int | None) -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono" if channel is None else "stereo", rate=SAMPLE_RATE)


def _sound(frame: AudioFrame, channel: int | None) -> Chunk:
    if channel is None:
        return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
    both = array("h", bytes(frame.planes[0])[: 2 * frame.samples * SAMPLE_BYTES])
    return both[channel::2].tobytes()


def _ending(opened: _Opened, tape: ReadPosition) -> Iterator[SampleLoss]:
    """What is missing at the end; asked only once all the rest has been read."""
    short = _SHORT if len(opened.container.streams) == 1 else _SHORT_IN_VIDEO
    if opened.file.fault:
        yield SampleLoss(max((_length(opened) or 0.0) - tape.at, 0.0), BROKEN_OFF)
    elif opened.wav:
        yield from wav_losses(opened.wav)
    elif (missing := (_declared(opened) or 0.0) - tape.at) > short:
        yield SampleLoss(missing, TRUNCATED)
    elif opened.container.format.name == "ogg" and not closed_ogg(opened.file):
        yield SampleLoss(0.0, UNCLOSED)


def _declared(opened: _Opened) -> float | None:
    """Seconds of sound that the header counts, in formats that count and do not guess."""
    container, stream = opened.container, opened.stream
    if container.format.name == "mp3":
        return mp3_seconds(opened.file, stream.sample_rate)
    if container.format.name == "asf":
        return asf_seconds(opened.file)
    if container.format.name not in _EXACT:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if not container.duration:
        return None
    return (container.duration - max(container.start_time or 0, 0)) / av.time_base


def _length(opened: _Opened) -> float | None:
    if opened.wav and opened.wav.bytes_per_second:
        return opened.wav.seconds(opened.wav.held)
    if seconds := _declared(opened):
        return seconds
    stream, duration = opened.stream, opened.container.duration
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return duration / av.time_base if duration else None


def _stamp(opened: _Opened) -> datetime | None:
    tags = {**opened.stream.metadata, **opened.container.metadata}
    said = {name.lower(): text for name, text in tags.items()}
    date, time = said.get("date", ""), said.get("creation_time", "")
    return read_stamp(time) or read_stamp(f"{date} {time}") or read_stamp(date)


def _description(opened: _Opened) -> str:
    stream = opened.stream
    container = opened.container.format.name.partition(",")[0]
    codec = stream.codec_context.codec.canonical_name
    channels = {1: "mono", 2: "stereo"}.get(stream.channels, f"{stream.channels} channels")
    return f"{container} {codec} {stream.sample_rate} Hz {channels}"
