"""AVI: packets have no time stamps. The index of the file tells which packet comes when.

In a track of packets of equal length an empty packet stands for time without sound; in others, bytes count.
"""

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from counter_listener.audio.files import Readable
from counter_listener.audio.losses import LEAST_LOSS_OF_FEW

_MOST_CHUNKS: Final = 10_000
_HEAD: Final = 8
_ENTRY: Final = 16
"""Bytes of an entry of the index."""
_HEADERS: Final = 1 << 16
"""Bytes in which the headers of all tracks are."""


class _Entry(NamedTuple):
    """A packet in the index."""

    at: int
    """Where its content is in the file."""
    size: int


class PacketTimes(NamedTuple):
    """When each packet of a track comes, in ticks."""

    starts: dict[int, int]
    """By the place of the packet in the file."""
    end: int
    """Where the last one ends."""


def packet_times(file: Readable, track: int, seconds: float) -> PacketTimes | None:
    """The times of a track by the index; None without one.

    In: the number of the track in the file, from 0, and the seconds of a tick. Packets that only prepare the decoder,
    long before the sound begins, have no time.
    """
    file.seek(0)
    headers = file.read(_HEADERS).split(b"strh")[1:]
    if track >= len(headers):
        return None
    sample = int.from_bytes(headers[track][48:52], "little")  # bytes of a tick; 0 where every packet is one
    starts: dict[int, int] = {}
    passed = 0  # bytes or packets
    for entry in _entries(file, f"{track:02}wb".encode()):
        if entry.size:
            starts[entry.at] = passed // (sample or 1)
        elif len(starts) * seconds < LEAST_LOSS_OF_FEW and not sample:
            starts.clear()
        passed += entry.size if sample else 1
    return PacketTimes(starts, passed // (sample or 1)) if passed else None


def _entries(file: Readable, name: bytes) -> Iterator[_Entry]:
    """The packets of the track of this name, in order."""
    movie, index = _movie_and_index(file)
    entries = [index[at : at + _ENTRY] for at in range(0, len(index) - _ENTRY + 1, _ENTRY)]
    found = [entry for entry in entries if entry[:4] == name]
    places = [int.from_bytes(entry[8:12], "little") for entry in found]
    if not found:
        return
    for base in (movie, 0):  # writers disagree from where they count
        file.seek(base + places[0])
        if file.read(4) == name:
            break
    else:
        return
    for entry, place in zip(found, places, strict=True):
        yield _Entry(base + place + _HEAD, int.from_bytes(entry[12:], "little"))


def _movie_and_index(file: Readable) -> tuple[int, bytes]:
    """Where the list of packets is, and the index."""
    at, movie, size = 12, 0, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(12)
        if len(head) < _HEAD or at >= size:
            break
        length = int.from_bytes(head[4:8], "little")
        if head[8:] == b"movi":
            movie = at + _HEAD
        if head[:4] == b"idx1":
            file.seek(at + _HEAD)
            return movie, file.read(length)
        at += _HEAD + length + length % 2
    return movie, b""
