"""The parts of a file: recordings that are joined one behind another, and the stretches of audio in a WAV file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from counter_listener.audio.adts import AdtsFrames, adts_frames
from counter_listener.audio.files import RecordingFile, Section
from counter_listener.audio.headers import declared_bytes
from counter_listener.audio.wav import WavAudio, wav_audio

_READ: Final = 1 << 20
_LONGEST: Final = 64
"""Bytes that a pattern of _STARTS may match, at most."""
_MOST_JOINED: Final = 1_000
_STARTS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"(?:RIFF|RIFX|RF64|BW64).{4}WAVE[ -~]{4}",
        rb"RIFF.{4}AVI LIST",
        rb"FORM.{4}AIF[CF][ -~]{4}",
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",
        rb"caff\0\x01..desc\0\0\0\0",
        rb"\.snd\0\0..(?:.{4})\0\0\0[\x01-\x1b]\0.{3}\0\0\0.",
        rb"Creative Voice File\x1a",
        rb"\0\0\0[\x08-\xff]ftyp[ -~]{4}",
        rb"#!AMR(?:-WB)?\n",
        rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
        rb"FLV\x01[\x01\x04\x05]\0\0\0\x09",
    )
)
"""How files of these formats begin, in enough bytes that sound does not look like it by chance. Files of other formats
(MP3, MP2, AAC, Ogg, FLAC, Matroska, MPEG) can be read on where another one is joined to them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file that is decoded by itself."""

    start: int
    end: int
    wav: WavAudio | None = None
    adts: AdtsFrames | None = None

    def section(self, file: RecordingFile) -> Section:
        """Its bytes, as a file of its own: with a header that declares what is there, and without what is no sound."""
        known = self.wav or self.adts
        if known is None:
            return Section(file, [(self.start, self.end)])
        stretches = [(self.start + start, self.start + end) for start, end in known.stretches]
        return Section(file, stretches, self.wav.header if self.wav else b"")


def find_parts(file: RecordingFile) -> list[Part]:
    """The parts of a file, in order. Raises ValueError, with a clause, if the header of a WAV file is damaged."""
    starts = [*_find_starts(file), file.size]
    return [part for start, end in pairwise(starts) for part in _parts_between(file, start, end)]


def _parts_between(file: RecordingFile, start: int, end: int) -> Iterator[Part]:
    whole = Section(file, [(start, end)])
    try:
        audios = wav_audio(whole)
    except ValueError:
        if start == 0:
            raise
        audios = None  # that it cannot be read is found out when it is opened
    if audios is None:
        yield Part(start, end, adts=adts_frames(whole))
        return
    yield from (Part(start, end, audio) for audio in audios)


def _find_starts(file: RecordingFile) -> Iterator[int]:
    """Where the file and those joined behind it begin. What the header of a file counts as its own is not searched."""
    start: int | None = 0
    head = file.read_at(0, _LONGEST)
    pattern = next((pattern for pattern in _STARTS if pattern.match(head)), None)
    for _ in range(_MOST_JOINED):
        if start is None:
            return
        yield start
        if pattern is None:
            return
        own = declared_bytes(Section(file, [(start, file.size)])) or 1
        start = _search(file, start + own, pattern)


def _search(file: RecordingFile, start: int, pattern: re.Pattern[bytes]) -> int | None:
    """Where the pattern begins, from `start` on."""
    while start < file.size:
        content = file.read_at(start, _READ + _LONGEST)
        if not content:
            return None
        if found := pattern.search(content):
            return start + found.start()
        start += _READ
    return None
