"""PyAV: opens recordings of any format, and says what they declare of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.format import ContainerFormat

from counter_listener.audio.files import RecordingFile, open_file, unreadable
from counter_listener.audio.headers import asf_seconds, declared_bytes, is_closed_ogg, mp3_seconds
from counter_listener.audio.losses import BROKEN_OFF, TRUNCATED, UNCLOSED, SoundClock, wav_losses
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
_SHORT: Final = 0.5
"""Seconds that a codec may deliver less than declared with nothing lost."""

av.logging.set_level(None)


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part of a recording that is being read."""

    file: RecordingFile
    part: Part
    container: InputContainer
    tracks: tuple[AudioStream, ...]

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
        if self.file.fault:
            yield Gap(0.0, max((self.length() or 0.0) - clock.read - clock.lost, 0.0), BROKEN_OFF)
        elif self.part.wav:
            yield from wav_losses(self.part.wav)
        elif missing := self._missing(track, clock, declared_bytes(section) or 0, section.size):
            yield Gap(0.0, missing, TRUNCATED)
        elif declared_bytes(section) == 0 or (self.format == "ogg" and not is_closed_ogg(section)):
            yield Gap(0.0, 0.0, UNCLOSED)

    def _missing(self, track: int, clock: SoundClock, declared: int, held: int) -> float:
        """Seconds of a track that headers promise and the file does not hold, given its bytes by header and in fact."""
        counted = self._counted(track)
        if counted is not None:  # the time stamps of MP3 count frames of any length
            missing = counted - (clock.read + clock.lost if self.format == "mp3" else clock.end)
        elif declared <= held:
            return 0.0  # nothing is missing, or no header says so: pictures may go on after the sound
        elif (promised := self._promised(track)) is None:
            return clock.read * (declared / held - 1)
        else:
            missing = promised - clock.end
        return missing if missing > _SHORT else 0.0

    def _counted(self, track: int) -> float | None:
        """Where a track ends by a header that counts its own audio, in seconds."""
        stream = self.tracks[track]
        if self.format == "mp3":
            return mp3_seconds(self.part.section(self.file), stream.sample_rate)
        seconds = _track_seconds(stream) if self.format in _OWN_LENGTH else None
        if seconds is None or not stream.time_base:
            return None
        return float((stream.start_time or 0) * stream.time_base) + seconds

    def _promised(self, track: int) -> float | None:
        """Where a track ends by a header that counts for all tracks, in seconds, or for packets."""
        stream, duration = self.tracks[track], self.container.duration
        if self.format == "asf":
            return asf_seconds(self.part.section(self.file))
        if self.format == "avi":
            return float(stream.frames * stream.time_base) if stream.frames and stream.time_base else None
        if self.format.startswith("matroska") or self.format == "flv":
            own = (_clock_seconds(text) for name, text in stream.metadata.items() if name.startswith("DURATION"))
            return next(own, None) or (duration / av.time_base if duration else None)
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
        if parts[0].wav and not any(part.wav is None or part.wav.held for part in parts):
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
