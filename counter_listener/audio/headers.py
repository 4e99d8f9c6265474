"""What the headers of a recording declare, compared with what the file holds: WAV, MP3, WMA, Ogg, FLAC."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, NamedTuple

from counter_listener.domain import sentence

_Order = Literal["little", "big"]
_PIPED: Final = 0xFFFFFFFF
"""Bytes of audio declared by a recorder that wrote to a pipe and could not know."""
_PLACEHOLDERS: Final = (range(0x7FFFF000, 0x80000100), range(0xFFFFF000, _PIPED))
"""Bytes of audio that recorders declare when they start, and correct when they stop."""
_MAX_CHUNKS: Final = 1_000
_READ: Final = 65_536
_CHUNK_HEAD: Final = 8
"""Bytes of a chunk before its body."""
_MPEG_1_RATE: Final = 32_000
"""Hertz; from here up a frame has twice the samples."""
_ASF_FILE: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FIELDS: Final = 76
_FLAC_SYNC: Final = 0x7FFC
_EXTENSIBLE: Final = 0xFFFE
_PLAIN: Final = (1, 3, 6, 7)
"""Format tags of PCM, float, A-law and mu-law."""


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class WavHeader:
    """How much audio a WAV file declares and holds."""

    bytes_per_second: int
    """0 where the header does not say."""
    held: int
    """Bytes of audio in the file that the header counts, or all to the end where it counts none."""
    missing: int = 0
    """Bytes of audio that the header declares and the file does not hold."""
    unread: int = 0
    """Bytes after the audio that belong to no chunk: audio that the header does not count."""
    closed: bool = True
    """False if the recorder never wrote how much audio there is."""

    def seconds(self, size: int) -> float:
        """Length of `size` bytes of this file's audio; 0 where the header does not say."""
        return size / self.bytes_per_second if self.bytes_per_second else 0.0


def wav_header(file: BinaryIO) -> WavHeader | None:
    """The header of a WAV file, or None if the file is not WAV.

    Raises ValueError, with a clause to put after the file's name, if the header is cut short or damaged.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or not b"WAVE".startswith(head[8:12]):
        return None
    order: _Order = "big" if head[:4] == b"RIFX" else "little"
    rate, long_size = 0, None
    for chunk in _chunks(file, 12, size, order):
        if chunk.name == b"fmt ":
            rate = _bytes_per_second(_body(file, chunk, 40), order)
        elif chunk.name == b"ds64":
            sizes = _body(file, chunk, 16)
            long_size = int.from_bytes(sizes[8:], "little") if sizes[8:] else None
        elif chunk.name == b"data":
            declared = long_size if long_size is not None and chunk.size == _PIPED else chunk.size
            return _compare_sizes(file, _Chunk(b"data", chunk.start, declared), size, order, rate)
    raise ValueError(sentence("has a header that is cut short or damaged, so nobody can tell where its audio is"))


def _chunks(file: BinaryIO, start: int, size: int, order: _Order) -> Iterator[_Chunk]:
    for _ in range(_MAX_CHUNKS):
        file.seek(start)
        head = file.read(_CHUNK_HEAD)
        if len(head) < _CHUNK_HEAD:
            return
        chunk = _Chunk(head[:4], start + _CHUNK_HEAD, int.from_bytes(head[4:], order))
        yield chunk
        start = chunk.start + chunk.size + chunk.size % 2
        if start > size:
            return


def _body(file: BinaryIO, chunk: _Chunk, limit: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, limit))


def _bytes_per_second(body: bytes, order: _Order) -> int:
    fields = ((0, 2), (4, 8), (8, 12), (12, 14))
    tag, rate, average, align = (int.from_bytes(body[start:end], order) for start, end in fields)
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(body[24:26], order)
    return rate * align if tag in _PLAIN else average  # many writers declare a wrong average for plain formats


def _compare_sizes(file: BinaryIO, data: _Chunk, size: int, order: _Order, rate: int) -> WavHeader:
    """The header, given its data chunk, the size of the file and the bytes a second."""
    rest = size - data.start
    if data.size == 0:
        unread = _bytes_in_no_chunk(file, data.start, size, order)
        return WavHeader(rate, held=rest if unread else 0, closed=not unread)
    if data.size <= rest:
        end = data.start + data.size
        unread = min(_bytes_in_no_chunk(file, start, size, order) for start in (end, end + data.size % 2))
        return WavHeader(rate, held=data.size, unread=unread)
    if data.size == _PIPED:
        return WavHeader(rate, held=rest)
    if any(data.size in sizes for sizes in _PLACEHOLDERS):
        return WavHeader(rate, held=rest, closed=False)
    return WavHeader(rate, held=rest, missing=data.size - rest)


def _bytes_in_no_chunk(file: BinaryIO, start: int, size: int, order: _Order) -> int:
    """Bytes from the first that belongs to no chunk to the last that is not zero."""
    for chunk in _chunks(file, start, size, order):
        end = chunk.start + chunk.size
        if not (chunk.name.isascii() and chunk.name.decode("ascii").isprintable() and end <= size):
            break
        start = end + chunk.size % 2
    end = size
    while end > start:
        step = min(_READ, end - start)
        file.seek(end - step)
        if used := len(file.read(step).rstrip(b"\0")):
            return end - step + used - start
        end -= step
    return 0


def mp3_seconds(file: BinaryIO, rate: int) -> float | None:
    """Seconds that the Xing or Info frame at the head of an MP3 file counts; None if there is none."""
    file.seek(0)
    head = file.read(10)
    # the size of an ID3 tag: four digits of 7 bits
    tag = sum(digit % 128 << shift for digit, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    file.seek(10 + tag if head.startswith(b"ID3") else 0)
    frame = file.read(64)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or rate <= 0 or not int.from_bytes(frame[at + 4 : at + 8], "big") & 1:
        return None
    samples = 1_152 if rate >= _MPEG_1_RATE else 576
    return int.from_bytes(frame[at + 8 : at + 12], "big") * samples / rate


def is_closed_ogg(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file is marked as the last."""
    file.seek(max(file.seek(0, os.SEEK_END) - _READ, 0))
    last = file.read().rpartition(b"OggS")[2]
    return bool(last[1:2]) and bool(last[1] & 4)


def asf_seconds(file: BinaryIO) -> float | None:
    """Seconds that the header of a WMA file declares; None if it was still being written."""
    file.seek(0)
    fields = file.read(_READ).partition(_ASF_FILE)[2]
    play, preroll, flags = (int.from_bytes(fields[at:end], "little") for at, end in ((48, 56), (64, 72), (72, 76)))
    return None if flags & 1 or len(fields) < _ASF_FIELDS else max(play / 1e7 - preroll / 1e3, 0.0)


def flac_start(frame: bytes, samples: int) -> int | None:
    """The sample at which a FLAC frame of so many samples starts, by its own header; None if that does not say."""
    sync, number = int.from_bytes(frame[:2], "big"), _flac_number(frame[4:11])
    if sync >> 1 != _FLAC_SYNC or number is None:
        return None
    return number if sync & 1 else number * samples


def _flac_number(digits: bytes) -> int | None:
    """A number in the encoding of UTF-8, extended to seven bytes."""
    if not digits or len(digits) < (more := 8 - (~digits[0] & 0xFF).bit_length()):  # the leading ones of the first
        return None
    number = digits[0] & 0x7F >> more
    for digit in digits[1:more]:
        number = number << 6 | digit & 0x3F
    return number
