"""PyAV: opens recordings of any format, and says what they declare of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import ContainerFormat
from av.packet import Packet

from counter_listener.audio.avi import packet_times
from counter_listener.audio.files import RecordingFile, open_file, unreadable
from counter_listener.audio.headers import (
    asf_seconds,
    declared_bytes,
    is_closed_ogg,
    mp3_seconds,
    mpeg_frame_bytes,
    unused_bytes,
)
from counter_listener.audio.losses import BROKEN_OFF, LEAST_LOSS, TRUNCATED, UNCLOSED, UNREAD, SoundClock, wav_losses
from counter_listener.audio.parts import Part, find_parts
from counter_listener.audio.signatures import why_unreadable
from counter_listener.audio.start_time import read_stamp
from counter_listener.domain import AudioError, Gap

# A playlist would make the decoder open other files, so only containers of audio are allowed: those that recorders,
# cameras, telephones and dictation machines write.
_FORMATS: Final = (
    "wav,w64,aiff,caf,au,voc,flac,mp3,aac,loas,ogg,amr,amrnb,amrwb,gsm,ilbc,act,dss,qcp,rm,"
    "mov,matroska,avi,asf,flv,mpegts,mpeg,dhav"
)
_WRITERS: Final = "mp4,ipod,3gp,3g2,webm,opus,oga,spx,vob,adts,latm"
"""Formats that FFmpeg writes, whose names have endings that the list above does not tell."""
_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
_UNTOLD: Final = frozenset({"3ga", "awb", "wave", "silk", "slk"})
"""Endings of sound that no list of FFmpeg has."""
_PICTURES: Final = frozenset({"avif", "heic", "heif"})
FAULTS: Final = (av.FFmpegError, OSError, ValueError, EOFError, ArithmeticError, MemoryError)
"""What PyAV raises at damaged files."""
_OWN_LENGTH: Final = ("flac", "mov,mp4,m4a,3gp,3g2,mj2", "aiff", "au")
"""Formats in which a track has a length in the header that is counted, not estimated."""
_EVEN: Final = ("caf", "w64")
"""Formats in which bytes are as good as seconds."""
_SHORT: Final = 0.3
"""Seconds that a codec may deliver less than declared with nothing lost: what MP3 and WMA at 8 kHz need to begin."""
_EXACT: Final = ("flac", "aiff", "au")
"""Formats in which no codec delivers less."""

_FRAME_HEAD: Final = 4

av.logging.set_level(None)


@dataclass(slots=True)
class Reached:
    """How far a container has been read."""

    ends: dict[int, float] = field(default_factory=dict)
    """Where the last packet of each track ends, in seconds of the container's clock, by the number of the track."""
    last: tuple[int, int] = (0, 0)
    """Where the last packet is in the file, and its bytes."""

    def pass_packet(self, packet: Packet[Any]) -> None:
        """Counts a packet."""
        if packet.dts is not None:
            self.ends[packet.stream.index] = float((packet.dts + (packet.duration or 0)) * packet.time_base)
        if packet.pos is not None:
            self.last = packet.pos, packet.size

    def end_of_others(self, track: AudioStream) -> float:
        """Where the other tracks end, in seconds; 0 if there are none."""
        return max((end for number, end in self.ends.items() if number != track.index), default=0.0)


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part of a recording that is being read."""

    file: RecordingFile
    part: Part
    container: InputContainer
    tracks: tuple[AudioStream, ...]
    reached: Reached = field(default_factory=Reached)

    @property
    def format(self) -> str:
        """FFmpeg's name of the container format."""
        return self.container.format.name

    def check_decodable(self, path: Path, track: int) -> None:
        """Raises AudioError if a track is coded in a way that cannot be decoded here."""
        if not self.tracks[track].codec_context:
            raise AudioError(
                "{path} is written in a way that cannot be decoded here; turn it into a WAV file", path=path
            )

    def length(self) -> float | None:
        """Seconds; an estimate where the format does not say, None where it is unknown."""
        if self.part.wav and self.part.wav.bytes_per_second:
            return self.part.wav.seconds(self.part.wav.held)
        duration = self.container.duration
        return self._counted(0) or _track_seconds(self.tracks[0]) or (duration / av.time_base if duration else None)

    def time_stamp(self) -> datetime | None:
        """When it was made, by its tags; naive or aware, as they say."""
        tags = {**self.tracks[0].metadata, **self.container.metadata}
        by_name = {name.lower(): text for name, text in tags.items()}
        date, time = by_name.get("date", ""), by_name.get("creation_time", "")
        return read_stamp(time) or read_stamp(f"{date} {time}") or read_stamp(date)

    def losses_at_end(self, track: int, clock: SoundClock) -> Iterator[Gap]:
        """What is missing at the end of a track; to be asked once all the rest of it has been read."""
        section = self.part.section(self.file)
        declared = declared_bytes(section)
        if self.file.fault:
            yield Gap(0.0, max((self.length() or 0.0) - clock.read - clock.lost, 0.0), BROKEN_OFF)
        elif self.part.wav:
            yield from wav_losses(self.part.wav)
        elif (missing := self._missing(track, clock, (declared or 0) / section.size)) is not None:
            yield Gap(0.0, missing, TRUNCATED)
        elif declared == 0 or (self.format == "ogg" and not is_closed_ogg(section)):
            yield Gap(0.0, 0.0, UNCLOSED)
        elif self.format == "voc" and declared and (rest := unused_bytes(section, declared)):
            yield Gap(0.0, clock.read * rest / declared, UNREAD)

    def _missing(self, track: int, clock: SoundClock, declared: float) -> float | None:
        """Seconds of a track that headers promise and the file does not give: 0 if they are unknown, None if none.

        `declared` is the number of bytes by the header, over those that the file holds.
        """
        is_cut = declared > 1
        # the time stamps of MP3 count frames of any length
        end = clock.read + clock.lost if self.format == "mp3" else clock.end
        missing = 0.0
        if (counted := self._counted(track)) is not None:
            missing = counted - end
        elif (promised := self._promised(track)) is not None:
            # pictures may go on behind the sound: the sound is missing if they are missing too
            pictures = self.reached.end_of_others(self.tracks[track])
            missing = promised - end if is_cut or promised - pictures > _SHORT else 0.0
        elif is_cut or self._is_cut_in_frame():
            return clock.read * (declared - 1) if self.format in _EVEN else 0.0
        return missing if missing > (LEAST_LOSS if is_cut or self.format in _EXACT else _SHORT) else None

    def _is_cut_in_frame(self) -> bool:
        """Whether an MP3 file ends within a frame: the decoder makes up what is missing of it."""
        section, (start, size) = self.part.section(self.file), self.reached.last
        section.seek(start)
        return self.format == "mp3" and size < mpeg_frame_bytes(section.read(_FRAME_HEAD))

    def _counted(self, track: int) -> float | None:
        """Where a track ends by a header that counts its own audio, in seconds."""
        stream = self.tracks[track]
        if self.format == "mp3":
            return mp3_seconds(self.part.section(self.file), stream.sample_rate)
        if not stream.time_base:
            return None
        if self.format == "avi":
            times = packet_times(self.part.section(self.file), stream.index, float(stream.time_base))
            return float(times.end * stream.time_base) if times else None
        if self.format.startswith("matroska"):
            texts = (text for name, text in stream.metadata.items() if name.startswith("DURATION"))
            return next(map(_clock_seconds, texts), None)
        seconds = _track_seconds(stream) if self.format in _OWN_LENGTH else None
        return None if seconds is None else float((stream.start_time or 0) * stream.time_base) + seconds

    def _promised(self, track: int) -> float | None:
        """Where a track ends at the latest, by a header that counts for all tracks or is often wrong, in seconds."""
        stream = self.tracks[track]
        if self.format == "avi" and stream.time_base:
            return float(stream.frames * stream.time_base) or None
        if self.format == "asf":
            return asf_seconds(self.part.section(self.file))
        if self.format.startswith("matroska") or self.format == "flv":
            return self.container.duration / av.time_base if self.container.duration else None
        return None


def _track_seconds(stream: AudioStream) -> float | None:
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def _clock_seconds(text: str) -> float | None:
    """Seconds of a time like 00:01:30.5."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    return int(found[1]) * 3_600 + int(found[2]) * 60 + float(found[3]) if found else None


@contextmanager
def open_recording(path: Path) -> Iterator[tuple[RecordingFile, list[Part]]]:
    """Opens a recording and finds its parts. Raises AudioError if it cannot be read or holds no audio."""
    with open_file(path) as file:
        try:
            parts = find_parts(file)
        except ValueError as error:
            raise AudioError("{path} {what}", path=path, what=error.args[0]) from error
        parts = [part for part in parts if part.wav is None or part.wav.held]
        if not parts:
            raise no_audio(path, damaged=False)
        yield file, parts


@contextmanager
def open_part(path: Path, file: RecordingFile, part: Part, **options: str) -> Iterator[OpenPart]:
    """Opens a part of a recording. Raises AudioError if it cannot be read or has no sound track."""
    section = part.section(file)
    try:
        container = av.open(section, mode="r", options={**_OPTIONS, **options}, metadata_errors="replace")
    except FAULTS as error:
        if file.fault:
            raise unreadable(path, file.fault) from error
        raise AudioError("{path} {what}", path=path, what=why_unreadable(section)) from error
    with container:
        if not container.streams.audio:
            raise AudioError("{path} has no sound track; give a recording with sound", path=path)
        yield OpenPart(file, part, container, container.streams.audio)


def no_audio(path: Path, *, damaged: bool) -> AudioError:
    """The error for a recording from which nothing was decoded."""
    if damaged:
        return AudioError("{path} is damaged: none of it could be decoded; copy it again from the recorder", path=path)
    return AudioError("{path} holds no audio at all: was the recorder stopped as soon as it started?", path=path)


@cache
def sound_endings() -> frozenset[str]:
    """The endings of the names of recordings that can be read: lower case, with the dot."""
    endings = set(_UNTOLD)
    for name in f"{_FORMATS},{_WRITERS}".split(","):
        with suppress(ValueError):  # what is only written
            endings |= ContainerFormat(name, "r").extensions
        with suppress(ValueError):  # what is only read
            endings |= ContainerFormat(name, "w").extensions
    return frozenset(f".{ending}" for ending in endings - _PICTURES)
