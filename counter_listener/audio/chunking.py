"""Sound in pieces: cut anew for the recogniser, with the same losses between them. No decoder here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from counter_listener.domain import BLOCK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE, Gap, VisitToggle

BURST_SECONDS: Final = 5
"""Sound that in_bursts() gathers: 160 kB."""

Chunk = bytes
"""Sound, of any length."""


def blocks(chunks: Iterable[Chunk | Gap | VisitToggle]) -> Iterator[Chunk | Gap | VisitToggle]:
    """The same sound in blocks of BLOCK_SAMPLES samples, however the chunks were cut, and the same gaps and keys.

    Only the last block, and the last before anything that is no sound, may be shorter. Half a sample there is dropped.
    """
    size = BLOCK_SAMPLES * SAMPLE_BYTES
    held = b""
    for chunk in chunks:
        if not isinstance(chunk, bytes):
            yield from _whole_samples(held)
            held = b""
            yield chunk
            continue
        held += chunk
        whole = len(held) - len(held) % size
        yield from (held[at : at + size] for at in range(0, whole, size))
        held = held[whole:]
    yield from _whole_samples(held)


def coalesce(chunks: Iterable[Chunk | Gap]) -> Iterator[Chunk | Gap]:
    """The same sound in chunks of about BURST_SECONDS, and the same gaps.

    The decoder then works in bursts between the recogniser's; taking turns with it at every chunk, each finds the
    processor's caches full of the other's data.
    """
    held: list[Chunk] = []
    size = 0
    for chunk in chunks:
        if isinstance(chunk, Gap):
            yield b"".join(held)
            held, size = [], 0
            yield chunk
            continue
        held.append(chunk)
        size += len(chunk)
        if size >= BURST_SECONDS * SAMPLE_RATE * SAMPLE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _whole_samples(held: bytes) -> Iterator[Chunk]:
    if whole := len(held) - len(held) % SAMPLE_BYTES:
        yield held[:whole]
