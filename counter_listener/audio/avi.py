"""AVI: has no time stamps. Where a track counts packets, an empty packet stands for time without sound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from counter_listener.audio.files import Section
from counter_listener.audio.losses import LEAST_LOSS, LEAST_LOSS_OF_FEW, UNSTAMPED
from counter_listener.domain import Gap

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_MOST_CHUNKS: Final = 10_000
_ENTRY: Final = 16
"""Bytes of an entry of the index."""
_HEADERS: Final = 1 << 16
"""Bytes in which the headers of all tracks are."""


def empty_chunks(file: Section, track: int) -> dict[int, int]:
    """How many empty packets follow after how many packets with content, in a track that counts packets.

    In: the number of the track in the file, from 0. The index of the file tells; without one nothing is known.
    """
    file.seek(0)
    header = file.read(_HEADERS).split(b"strh")[1:]
    if track >= len(header) or int.from_bytes(header[track][48:52], "little"):  # then it counts bytes
        return {}
    name = f"{track:02}wb".encode()
    index = _index(file)
    entries = (index[at : at + _ENTRY] for at in range(0, len(index), _ENTRY))
    filled = [any(entry[12:]) for entry in entries if entry[:4] == name]
    found: dict[int, int] = {}
    before = 0
    for has_content, run in groupby(filled):
        count = len(list(run))
        if has_content:
            before += count
        else:
            found[before] = count
    return found


def _index(file: Section) -> bytes:
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


@dataclass(slots=True)
class PacketClock:
    """Counts the packets of a track."""

    empty: dict[int, int]
    """How many empty packets follow after how many with content."""

    def stamp(self, packets: Iterable[list[AudioFrame | Gap]]) -> Iterator[AudioFrame | Gap]:
        """The frames of packets, without time stamps, and a gap where empty packets stand for a loss.

        What comes before any sound, or behind a packet that only prepares the decoder, is an offset and no loss.
        """
        seconds = 0.0
        for number, frames in enumerate(packets):
            missing = self.empty.get(number, 0) * seconds
            if missing > LEAST_LOSS and number * seconds > LEAST_LOSS_OF_FEW:
                yield Gap(0.0, missing, UNSTAMPED)
            for frame in frames:
                if not isinstance(frame, Gap):
                    frame.pts, seconds = None, frame.samples / frame.sample_rate
                yield frame
