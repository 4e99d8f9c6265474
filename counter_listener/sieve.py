"""Which of many wordings may stand in an utterance, and where they end: all of them looked for at once, bit by bit.

Each syllable of each wording is one bit of a long integer. One syllable of the utterance moves all wordings on by a
few shifts and masks, once for every number of errors forgiven (S. Wu and U. Manber, Fast text searching allowing
errors, Communications of the ACM 35, 1992). Near sounds, fillers put in and light syllables left out are no error
here, so nothing that the exact alignment would accept is lost.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from typing import Final

from counter_listener.closeness import figures, near

MOST: Final = 6
"""Errors forgiven at most."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """Many wordings as masks over one row of bits; those that forgive most stand lowest."""

    firsts: tuple[int, ...]
    """For each number of errors: where a wording may begin."""
    widths: tuple[int, ...]
    """For each number of errors: a mask of the wordings that forgive as many."""
    ends: tuple[int, ...]
    """The same, last syllables alone."""
    stay: int
    """Slots, which take more than one syllable."""
    free: int
    """Syllables that are left out at no error."""
    masks: Mapping[str, int]
    """For each sound: the syllables near it."""
    anything: int
    """Slots: what a sound that no wording has can stand for."""
    owner: array[int]
    """Number of the wording to which each bit belongs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the sieve knows of a wording."""

    sounds: tuple[str | None, ...]
    lost: tuple[float, ...]
    most: float
    """The most that may differ, in syllables."""


def sieve_of(shapes: Sequence[Shape]) -> Sieve:
    """A sieve for these wordings, known by their numbers."""
    order = sorted(range(len(shapes)), key=lambda number: -_errors(shapes[number]))
    levels = max((_errors(shape) for shape in shapes), default=0) + 1
    owner = array("L")
    firsts, widths, ends = [0] * levels, [0] * levels, [0] * levels
    stay = free = anything = 0
    masks: dict[str, int] = {}
    for number in order:
        cells = list(_cells(shapes[number]))
        base = len(owner)
        owner.extend([number] * len(cells))
        needed = 0
        for at, (sound, repeats, omitted) in enumerate(cells, start=base):
            bit = 1 << at
            for level in range(levels):
                firsts[level] |= bit if needed <= level else 0
                widths[level] |= bit if level <= _errors(shapes[number]) else 0
            needed += not omitted
            stay |= bit * repeats
            free |= bit * omitted
            if sound is None:
                anything |= bit
            else:
                for other in near(sound):
                    masks[other] = masks.get(other, 0) | bit
        for level in range(_errors(shapes[number]) + 1):
            ends[level] |= 1 << (len(owner) - 1) if cells else 0
    masks = {sound: mask | anything for sound, mask in masks.items()}
    return Sieve(tuple(firsts), tuple(widths), tuple(ends), stay, free, masks, anything, owner)


def _errors(shape: Shape) -> int:
    return min(MOST, int(shape.most + 1e-9))


def _cells(shape: Shape) -> Iterator[tuple[str | None, bool, bool]]:
    """Each syllable as (sound, whether it stands for more than one, whether it may be left out at no error)."""
    before: tuple[str | None, float] | None = None
    for sound, lost in zip(shape.sounds, shape.lost, strict=True):
        if sound is None and before is not None and before[0] is None and lost == 0:
            continue
        optional = sound is None and not isinf(lost)
        repeats = sound is None
        yield sound, repeats, optional or lost < figures().lost
        before = (sound, lost)


def sift(sieve: Sieve, heard: Sequence[str], added: Sequence[float]) -> Iterator[tuple[int, int, int]]:
    """Each (errors, number of the wording, number of the syllable at which it may end)."""
    masks, stay, free, anything = sieve.masks, sieve.stay, sieve.free, sieve.anything
    state = [0] * len(sieve.ends)
    parts = list(zip(range(len(sieve.ends)), sieve.firsts, sieve.widths, sieve.ends, strict=True))
    dear = figures().added
    for at, sound in enumerate(heard):
        mask = masks.get(sound, anything)
        light = added[at] < dear
        older = shifted_below = newer = seen = 0
        for level, first, width, last in parts:
            old = state[level]
            shifted = old << 1 | first
            new = shifted & mask | old & stay
            if light:
                new |= old
            if level:
                new |= (shifted_below | older | newer << 1) & width
            left = new << 1 & free
            if left:
                new |= left | left << 1 & free
            ended = new & last & ~seen
            if ended:
                seen |= ended
                yield from ((level, sieve.owner[bit], at) for bit in bits_of(ended))
            state[level] = newer = new
            older, shifted_below = old, shifted


def bits_of(number: int) -> Iterator[int]:
    """Which bits are set, the lowest first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
