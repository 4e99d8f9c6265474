"""What the headers of a recording declare: MP3, WMA, Ogg, FLAC, and how many bytes a file should have."""

import os
import struct
from collections.abc import Callable
from typing import Final

from counter_listener.audio.files import Readable

_READ: Final = 65_536
_MPEG_1_RATE: Final = 32_000
"""Hertz; from here up a frame has twice the samples."""
_ASF_FILE: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_FIELDS: Final = 76
_TAG_HEAD: Final = 16
_MPEG_SYNC: Final = 0x7FF
_MPEG_RATES: Final = (44_100, 48_000, 32_000)
_MPEG_KILOBITS: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second by MPEG 1 or 2 and layer (ISO 11172-3, 13818-3); layer 3 of MPEG 2 is like layer 2."""
_FLAC_SYNC: Final = 0x7FFC
_UNKNOWN: Final = 0xFFFFFFFF
_MATROSKA_SEGMENT: Final = 0x18538067
_MOST_ELEMENTS: Final = 100_000
_BOX_HEAD: Final = 8


def mp3_seconds(file: Readable, rate: int) -> float | None:
    """Seconds that the Xing or Info frame at the head of an MP3 file counts; None if there is none."""
    file.seek(0)
    file.seek(tag_bytes(file.read(_TAG_HEAD)))
    frame = file.read(64)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or rate <= 0 or not int.from_bytes(frame[at + 4 : at + 8], "big") & 1:
        return None
    samples = 1_152 if rate >= _MPEG_1_RATE else 576
    return int.from_bytes(frame[at + 8 : at + 12], "big") * samples / rate


def mpeg_frame_bytes(head: bytes) -> int:
    """Bytes of the frame of MP3, MP2 or MP1 that begins with these four bytes; 0 if none begins there."""
    bits = int.from_bytes(head[:4], "big")
    version, layer, kilobits, rate = bits >> 19 & 3, 4 - (bits >> 17 & 3), bits >> 12 & 15, bits >> 10 & 3
    if bits >> 21 != _MPEG_SYNC or version == 1 or layer == 4 or kilobits in (0, 15) or rate == 3:  # noqa: PLR2004
        return 0
    is_first = version == 3  # noqa: PLR2004 - MPEG 1; 2 is MPEG 2 and 0 is MPEG 2.5
    bits_a_second = 1_000 * _MPEG_KILOBITS[(1, layer) if is_first else (2, min(layer, 2))][kilobits - 1]
    hertz = _MPEG_RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    padding = bits >> 9 & 1
    if layer == 1:
        return (12 * bits_a_second // hertz + padding) * 4
    return (72 if layer == 3 and not is_first else 144) * bits_a_second // hertz + padding  # noqa: PLR2004


def tag_bytes(head: bytes) -> int:
    """Bytes of the tag (ID3, APE) that begins with these bytes; 0 if they begin none."""
    if head.startswith(b"ID3"):  # four digits of 7 bits
        return 10 + sum(digit % 128 << shift for digit, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    if head.startswith(b"APETAGEX"):
        return 32 + int.from_bytes(head[12:16], "little")
    return 128 if head.startswith(b"TAG") else 0


def unused_bytes(file: Readable, start: int) -> int:
    """Bytes from `start` on to the last one that is not zero."""
    end = file.seek(0, os.SEEK_END)
    while end > start:
        step = min(_READ, end - start)
        file.seek(end - step)
        if used := len(file.read(step).rstrip(b"\0")):
            return end - step + used - start
        end -= step
    return 0


def is_closed_ogg(file: Readable) -> bool:
    """Whether the last page of an Ogg file is marked as the last."""
    file.seek(max(file.seek(0, os.SEEK_END) - _READ, 0))
    last = file.read().rpartition(b"OggS")[2]
    return bool(last[1:2]) and bool(last[1] & 4)


def asf_seconds(file: Readable) -> float | None:
    """Seconds that the header of a WMA file declares; None if it was still being written."""
    fields = _asf_fields(file)
    play, preroll, flags = (int.from_bytes(fields[at:end], "little") for at, end in ((48, 56), (64, 72), (72, 76)))
    return None if flags & 1 or len(fields) < _ASF_FIELDS else max(play / 1e7 - preroll / 1e3, 0.0)


def _asf_fields(file: Readable) -> bytes:
    file.seek(0)
    return file.read(_READ).partition(_ASF_FILE)[2]


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


def declared_bytes(file: Readable) -> int | None:
    """Bytes that a file has by its own header; 0 if its writer never said, None if the format does not say.

    Known of RIFF (AVI), AIFF, AU, Wave64, CAF, VOC, MP4 and its kin, Matroska, WMA, FLV and transport streams.
    """
    file.seek(0)
    head = file.read(64)
    for magic, at, count in _SIZES:
        if head[at : at + len(magic)] == magic:
            return count(file, head)
    return None


def _riff_bytes(file: Readable, head: bytes) -> int | None:
    """A long AVI file goes on in further RIFF chunks, which are named AVIX."""
    order, size = ("big" if head.startswith((b"RIFX", b"FORM")) else "little"), file.seek(0, os.SEEK_END)
    if head.startswith((b"RF64", b"BW64")) and head[12:16] == b"ds64":
        return int.from_bytes(head[20:28], "little") + _BOX_HEAD
    declared = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
    end = declared + _BOX_HEAD if declared else 0
    for _ in range(_MOST_ELEMENTS):
        if not 0 < end < size:
            break
        file.seek(end)
        more = file.read(12)
        if more[:4] != b"RIFF" or more[8:] != b"AVIX":
            break
        end += int.from_bytes(more[4:8], "little") + _BOX_HEAD
    return end


def _wave64_bytes(_file: Readable, head: bytes) -> int | None:
    return int.from_bytes(head[16:24], "little")


def _caf_bytes(file: Readable, _head: bytes) -> int | None:
    return _elements_end(file, 8, lambda head: (12, int.from_bytes(head[4:12], "big", signed=True)), stop=b"caff")


def _voc_bytes(file: Readable, head: bytes) -> int | None:
    start = int.from_bytes(head[20:22], "little")
    return _elements_end(file, start, lambda head: (4, int.from_bytes(head[1:4], "little")), last=b"\0")


def _boxes_bytes(file: Readable, _head: bytes) -> int | None:
    def box(head: bytes) -> tuple[int, int]:
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            return 16, int.from_bytes(head[8:16], "big") - 16
        return (8, size - 8) if size else (8, -1)

    return _elements_end(file, 0, box, stop=b"ftyp")


def _elements_end(
    file: Readable, start: int, measure: Callable[[bytes], tuple[int, int]], stop: bytes = b"", last: bytes = b""
) -> int | None:
    """Where the last of a row of elements ends; None if an element reaches to the end of the file, wherever that is.

    `measure` gives the bytes of an element's head and of its body, which is negative if unknown. A row ends with the
    byte `last`, and before a second element that is named `stop`: another file begins there.
    """
    size = file.seek(0, os.SEEK_END)
    for _ in range(_MOST_ELEMENTS):
        if start >= size:
            return start
        file.seek(start)
        head = file.read(16)
        if start and stop and stop in (head[:4], head[4:8]):
            return start
        if last and head.startswith(last):
            return start + len(last)
        own, body = measure(head.ljust(16, b"\0"))
        if body < 0:
            return None
        start += own + body
    return None


def _matroska_bytes(file: Readable, head: bytes) -> int | None:
    """The segment follows a short header; its size is unknown where it was written as it was recorded."""
    size, length = _ebml_number(head[4:12])
    if size is None:
        return None
    file.seek(4 + length + size)
    segment = file.read(12)
    size, more = _ebml_number(segment[4:])
    if size is None or int.from_bytes(segment[:4], "big") != _MATROSKA_SEGMENT:
        return None
    return file.seek(0, os.SEEK_CUR) - len(segment) + 4 + more + size


def _ebml_number(digits: bytes) -> tuple[int | None, int]:
    """A number of Matroska and its length in bytes; None where it stands for unknown."""
    length = 9 - digits[0].bit_length() if digits and digits[0] else 0
    if not 0 < length <= len(digits):
        return None, 0
    number = int.from_bytes(digits[:length], "big") & (1 << 7 * length) - 1
    return (None if number == (1 << 7 * length) - 1 else number), length


def _asf_bytes(file: Readable, _head: bytes) -> int | None:
    fields = _asf_fields(file)
    unfinished = len(fields) < _ASF_FIELDS or int.from_bytes(fields[72:76], "little") & 1
    return None if unfinished else int.from_bytes(fields[24:32], "little")


def _au_bytes(_file: Readable, head: bytes) -> int | None:
    start, size = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
    return None if size == _UNKNOWN else start + size


def _ts_bytes(file: Readable, _head: bytes) -> int | None:
    """A transport stream is a row of packets, of 188 bytes or, on disks, of 192."""
    for offset, length in ((0, 188), (4, 192)):
        file.seek(0)
        some = file.read(4 * length)
        if some[offset::length] == b"G" * 4:
            return -(-file.seek(0, os.SEEK_END) // length) * length
    return None


def _flv_bytes(file: Readable, _head: bytes) -> int | None:
    file.seek(0)
    value = file.read(_READ).partition(b"\0\x08filesize\0")[2][:8]
    size = struct.unpack(">d", value)[0] if len(value) == 8 else 0.0  # noqa: PLR2004 - bytes of a double
    return int(size) if 0 < size < 1 << 62 else None


_SIZES: Final[tuple[tuple[bytes, int, Callable[[Readable, bytes], int | None]], ...]] = (
    (b"RIFF", 0, _riff_bytes),
    (b"RIFX", 0, _riff_bytes),
    (b"RF64", 0, _riff_bytes),
    (b"BW64", 0, _riff_bytes),
    (b"FORM", 0, _riff_bytes),
    (b"riff\x2e\x91\xcf\x11", 0, _wave64_bytes),
    (b"caff", 0, _caf_bytes),
    (b"Creative Voice File", 0, _voc_bytes),
    (b"ftyp", 4, _boxes_bytes),
    (b"\x1a\x45\xdf\xa3", 0, _matroska_bytes),
    (bytes.fromhex("3026b2758e66cf11"), 0, _asf_bytes),
    (b"FLV\x01", 0, _flv_bytes),
    (b".snd", 0, _au_bytes),
    (b"G", 0, _ts_bytes),
    (b"G", 4, _ts_bytes),
)
"""Of each format: bytes that begin it, where they stand, and what counts its bytes."""
