"""Which wordings may stand in a stretch of what was said: those of which the index tells that enough is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from counter_listener.matching.alignment import CostCache
from counter_listener.matching.confusion import similar_syllables
from counter_listener.matching.index import Index, bits_of
from counter_listener.matching.syllables import Syllables

REMEMBERED: Final = 4_096
"""Pairs of sounds of which is known where they lead: a megabyte at most for a large set."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of what was said, seen by its sounds: units from begin up to, not including, end."""

    spoken: Syllables
    begin: int
    end: int
    where: Mapping[str, int]
    """For each sound, itself heard or near to one heard: a bit for each unit that is so, from `begin` on."""
    least: Mapping[str, float]
    """For each of them: the least it costs."""
    written: Mapping[str, int]
    """For each unit, as written: a bit for each place where it stands, from `begin` on."""
    against: CostCache


def make_segment(spoken: Syllables, begin: int, end: int, against: CostCache) -> Segment:
    """A stretch of what was said, made ready for the index; `against` is one memory for all stretches of it."""
    where: dict[str, int] = {}
    least: dict[str, float] = {}
    stands, written = dict[str, int](), dict[str, int]()
    for at in range(end - begin):
        heard, unit = spoken.sounds[begin + at], spoken.units[begin + at]
        stands[heard] = stands.get(heard, 0) | 1 << at
        written[unit] = written.get(unit, 0) | 1 << at
    for heard, units in stands.items():
        for sound, cost in similar_syllables(heard).items():
            where[sound] = where.get(sound, 0) | units
            if cost < least.get(sound, 1.0):
                least[sound] = cost
    return Segment(spoken, begin, end, where, least, written, against)


def shortlist(index: Index, ground: Segment) -> Iterator[tuple[int, int, int]]:
    """Each (number of the wording, its sounds that are missing, its syllables that are written otherwise at least) of
    which enough is there.
    """
    needed, missing, where = index.needed, index.missing, ground.where
    counted = Counter(chain.from_iterable(_shared(index, ground)))
    enough = [number for number, pairs in counted.items() if pairs >= needed[number]]
    enough += {number for sound in where if sound in index.singles for number in index.singles[sound]}
    unheard, unwritten = ~bits_of(where, index.sound_bits), ~bits_of(ground.written, index.character_bits)
    for number in enough:
        lack = (index.sounds[number] & unheard).bit_count()
        if lack <= missing[number]:
            otherwise = (index.characters[number] & unwritten).bit_count() - lack
            yield number, lack, otherwise if otherwise > 0 else 0  # noqa: FURB136 - a call costs more than the rest


def _shared(index: Index, ground: Segment) -> Iterator[tuple[int, ...]]:
    """The wordings for each two sounds that stand side by side, fillers between them left out."""
    heard, light, known, last = ground.spoken.sounds, ground.spoken.light, index.known, ground.end - 1
    for at in range(ground.begin, last):
        follow = at + 1
        while True:
            pair = heard[at], heard[follow]
            listed = known.get(pair)
            yield _looked_up(index, pair) if listed is None else listed
            if not light[follow] or follow == last:
                break
            follow += 1


def _looked_up(index: Index, pair: tuple[str, str]) -> tuple[int, ...]:
    """The wordings that have the two sounds, or near ones, side by side; remembered."""
    rights = similar_syllables(pair[1])
    lists = (
        others[right]
        for left in similar_syllables(pair[0])
        if (others := index.pairs.get(left))
        for right in rights
        if right in others
    )
    found = tuple(chain.from_iterable(lists))
    if len(index.known) >= REMEMBERED:
        index.known.clear()
    index.known[pair] = found
    return found
