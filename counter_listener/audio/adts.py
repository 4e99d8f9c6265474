"""Bare AAC (ADTS): frames without time stamps. The demuxer skips what is no frame, and does not say so."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from counter_listener.audio.files import Readable
from counter_listener.audio.headers import tag_bytes

_HEAD: Final = 7
"""Bytes of the header of a frame."""
_RATES: Final = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
"""Hertz, by their number in the header."""
_SAMPLES: Final = 1_024
"""Samples of a frame."""
_READ: Final = 1 << 20
_SYNC: Final = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_SHOWN: Final = 16
"""Bytes in which a header or the beginning of a tag is seen."""


@dataclass(frozen=True, slots=True)
class AdtsFrames:
    """Where the frames of a file are."""

    stretches: tuple[tuple[int, int], ...]
    """Start and end of each row of frames."""
    missing: Mapping[int, float]
    """How many seconds are missing behind how many frames: bytes that are no frame, measured by the mean frame."""


def adts_frames(file: Readable) -> AdtsFrames | None:
    """The frames of a file; None if it does not begin with one, or with a tag and one, or has no two in a row."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start, window = tag_bytes(file.read(_SHOWN)), _Window(file)
    file.seek(start)
    if not _frame(file.read(_SHOWN))[0] or _next_frame(window, start, size) == size:
        return None
    frames, framed, seconds = 0, 0, 0.0
    stretches: list[tuple[int, int]] = []
    holes: dict[int, int] = {}
    at = begun = start
    while at < size:
        head = window.bytes_at(at, _SHOWN)
        length, lasts = _frame(head)
        if length:
            frames, framed, seconds = frames + 1, framed + length, seconds + lasts
            at += length
            continue
        stretches.append((begun, at))
        end = at + tag_bytes(head) if tag_bytes(head) else _next_frame(window, at + 1, size)
        holes[frames] = holes.get(frames, 0) + (0 if tag_bytes(head) else end - at)
        at = begun = end
    missing = {number: skipped * seconds / framed for number, skipped in holes.items() if skipped}
    return AdtsFrames((*stretches, (begun, min(at, size))), missing)


def _frame(head: bytes) -> tuple[int, float]:
    """The bytes and the seconds of the frame that begins with these bytes; 0 if none begins there."""
    if len(head) < _HEAD or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - the sync word and layer 0
        return 0, 0.0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    rate = head[2] >> 2 & 15
    if length < _HEAD or rate >= len(_RATES):
        return 0, 0.0
    return length, (head[6] % 4 + 1) * _SAMPLES / _RATES[rate]


def _is_frame(window: "_Window", at: int, size: int) -> bool:
    """Whether a frame begins here, and another one or the end of the file follows it."""
    length, _ = _frame(window.bytes_at(at, _SHOWN))
    return length > 0 and (at + length >= size or _frame(window.bytes_at(at + length, _SHOWN))[0] > 0)


def _next_frame(window: "_Window", at: int, size: int) -> int:
    """Where the next frame begins; the end of the file if there is none."""
    while at < size:
        content = window.bytes_at(at, _READ // 2)
        for found in _SYNC.finditer(content):
            if _is_frame(window, at + found.start(), size):
                return at + found.start()
        at += max(1, len(content) - 1)
    return size


@dataclass
class _Window:
    """Part of a file in memory."""

    file: Readable
    start: int = 0
    content: bytes = b""

    def bytes_at(self, at: int, count: int) -> bytes:
        """Bytes of the file; fewer at its end."""
        if not self.start <= at <= at + count <= self.start + len(self.content):
            self.file.seek(at)
            self.start, self.content = at, self.file.read(_READ)
        return self.content[at - self.start : at - self.start + count]
