"""Chunks of audio: read as samples, and cut again into the blocks that the recogniser needs."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Gap, VisitToggle

COALESCED_SECONDS: Final = 5
"""Length of the chunks that coalesce() makes: 160 kB."""

Chunk = bytes
"""Signed 16-bit little-endian samples, of any number."""


def samples_of(chunk: Chunk) -> NDArray[np.int16]:
    """The samples of a chunk, channels interleaved. Half a sample at its end is left out."""
    return np.frombuffer(chunk, "<i2", len(chunk) // SAMPLE_BYTES)


def blocks(chunks: Iterable[Chunk | Gap | VisitToggle]) -> Iterator[Chunk | Gap | VisitToggle]:
    """The same audio in blocks of BLOCK_SAMPLES samples, however the chunks were cut; other items pass in order.

    Only the last block, and the last one before another item, may be shorter. Half a sample there is dropped.
    """
    size = BLOCK_SAMPLES * SAMPLE_BYTES
    rest = b""
    for chunk in chunks:
        if isinstance(chunk, bytes):
            rest += chunk
            end = len(rest) - len(rest) % size
            yield from (rest[start : start + size] for start in range(0, end, size))
            rest = rest[end:]
            continue
        if len(rest) >= SAMPLE_BYTES:
            yield samples_of(rest).tobytes()
        rest = b""
        yield chunk
    if len(rest) >= SAMPLE_BYTES:
        yield samples_of(rest).tobytes()


def coalesce(chunks: Iterable[Chunk | Gap]) -> Iterator[Chunk | Gap]:
    """The same audio in chunks of about COALESCED_SECONDS; gaps pass in order.

    Decoder and recogniser then take turns rarely. If they take turns at every chunk, each finds the processor's caches
    full of the other's data.
    """
    audio = bytearray()
    for chunk in chunks:
        if isinstance(chunk, bytes):
            audio += chunk
            if len(audio) < COALESCED_SECONDS * SAMPLE_RATE * SAMPLE_BYTES:
                continue
        yield bytes(audio)
        audio.clear()
        if isinstance(chunk, Gap):
            yield chunk
    yield bytes(audio)
