"""AVI: packets without time stamps. Where a track counts packets, an empty one stands for time without sound."""

import os
from itertools import groupby
from typing import Final

from counter_listener.audio.files import Readable
from counter_listener.audio.losses import LEAST_LOSS, LEAST_LOSS_OF_FEW

_MOST_CHUNKS: Final = 10_000
_ENTRY: Final = 16
"""Bytes of an entry of the index."""
_HEADERS: Final = 1 << 16
"""Bytes in which the headers of all tracks are."""


def empty_packets(file: Readable, track: int, seconds: float) -> dict[int, float]:
    """How many seconds are missing behind how many packets, by the index of the file.

    In: the number of the track in the file, from 0, and the seconds of a packet. What comes before any sound, or behind
    a packet that only prepares the decoder, is an offset and no loss.
    """
    file.seek(0)
    header = file.read(_HEADERS).split(b"strh")[1:]
    if track >= len(header) or int.from_bytes(header[track][48:52], "little"):  # then it counts bytes
        return {}
    name = f"{track:02}wb".encode()
    index = _index(file)
    entries = (index[at : at + _ENTRY] for at in range(0, len(index), _ENTRY))
    filled = [any(entry[12:]) for entry in entries if entry[:4] == name]
    found: dict[int, float] = {}
    before = 0
    for has_content, run in groupby(filled):
        count = len(list(run))
        if has_content:
            before += count
        elif count * seconds > LEAST_LOSS and before * seconds > LEAST_LOSS_OF_FEW:
            found[before] = count * seconds
    return found


def _index(file: Readable) -> bytes:
    at, size = 12, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < len(b"idx1size") or at >= size:
            return b""
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"idx1":
            return file.read(length)
        at += 8 + length + length % 2
    return b""
