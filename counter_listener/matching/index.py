"""Selects the wordings that may occur in an utterance: an index from pairs of sounds to the wordings that have them.

Works as a search engine finds documents: each pair of neighbouring sounds in the utterance, or of similar ones, leads
to the wordings that have the pair; one count over those lists gives the pairs that each wording shares with it. A
wording is aligned only where enough pairs, and enough single sounds, are there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Final

from counter_listener.matching.alignment import CostCache
from counter_listener.matching.confusion import parameters, similar_syllables
from counter_listener.matching.patterns import Pattern
from counter_listener.matching.syllables import Syllables

MAX_PAIR_WORDINGS: Final = 25
"""Wordings that may share a pair before it counts as common."""
MIN_RARE_PAIRS: Final = 3
"""Rare pairs that are enough to find a wording by."""
MAX_CACHED_PAIRS: Final = 4_096
"""Pairs of sounds in the cache of an index: a megabyte at most for a large phrase set."""


@dataclass(frozen=True, slots=True)
class Index:
    """The wordings of a phrase set by their sounds; a wording is known by its number."""

    pairs: Mapping[str, Mapping[str, tuple[int, ...]]]
    """For each sound and each that follows it: the wordings, as often as they have the pair."""
    singles: Mapping[str, tuple[int, ...]]
    """For each sound: the wordings that have no pair at all."""
    sound_masks: tuple[int, ...]
    """For each wording: the bits of its sounds (see sound_bits)."""
    character_masks: tuple[int, ...]
    """For each wording: the bits of its characters (see character_bits)."""
    listed_pairs: tuple[int, ...]
    """For each wording: how many of its neighbouring sounds lead to it."""
    sound_bits: Mapping[str, int]
    character_bits: Mapping[str, int]
    pair_cache: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict, compare=False)
    """The wordings for pairs that were heard before; speech repeats itself."""


def build_index(patterns: Sequence[Pattern]) -> Index:
    """An index of these wordings. A wording with enough rare pairs is not listed under common ones (请您)."""
    all_pairs = [list(pairs_of(pattern)) for pattern in patterns]
    counts = Counter(pair for found in all_pairs for pair in set(found))
    pairs: dict[str, dict[str, list[int]]] = {}
    singles: dict[str, list[int]] = {}
    listed_pairs: list[int] = []
    for number, (pattern, found) in enumerate(zip(patterns, all_pairs, strict=True)):
        rare = [pair for pair in found if counts[pair] <= MAX_PAIR_WORDINGS]
        listed = rare if len(rare) >= MIN_RARE_PAIRS else found
        for left, right in listed:
            pairs.setdefault(left, {}).setdefault(right, []).append(number)
        if not listed:
            for sound in filter(None, pattern.sounds):
                singles.setdefault(sound, []).append(number)
        neighbours = sum(last - first - 1 for first, last in pattern.pieces)
        listed_pairs.append(neighbours - len(found) + len(listed))
    sound_bits = _numbered(sound for pattern in patterns for sound in pattern.sounds if sound)
    character_bits = _numbered(character for pattern in patterns for character in pattern.characters)
    return Index(
        pairs={left: {right: tuple(listed) for right, listed in rights.items()} for left, rights in pairs.items()},
        singles={sound: tuple(listed) for sound, listed in singles.items()},
        sound_masks=tuple(_mask(set(filter(None, pattern.sounds)), sound_bits) for pattern in patterns),
        character_masks=tuple(_mask(pattern.characters, character_bits) for pattern in patterns),
        listed_pairs=tuple(listed_pairs),
        sound_bits=sound_bits,
        character_bits=character_bits,
    )


def _numbered(things: Iterable[str]) -> dict[str, int]:
    return {thing: 1 << number for number, thing in enumerate(sorted(set(things)))}


def _mask(things: Iterable[str], bits: Mapping[str, int]) -> int:
    """The bits of these different things together; what has none is left out."""
    return sum(map(bits.get, things, repeat(0)))


def pairs_of(pattern: Pattern) -> Iterator[tuple[str, str]]:
    """The pairs of neighbouring sounds in a wording, also those with only light syllables between them."""
    deletion = parameters().deletion
    for first, last in pattern.pieces:
        for at in range(first, last - 1):
            follow = at + 1
            yield str(pattern.sounds[at]), str(pattern.sounds[follow])
            while follow + 1 < last and pattern.deletion_costs[follow] < deletion:
                follow += 1
                yield str(pattern.sounds[at]), str(pattern.sounds[follow])


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an utterance, prepared for the index: units from begin up to, not including, end."""

    syllables: Syllables
    begin: int
    end: int
    positions: Mapping[str, int]
    """For each sound, heard or similar to one heard: a bit for each unit with it, from `begin` on."""
    min_costs: Mapping[str, float]
    """For each of them: the least substitution cost."""
    characters: Mapping[str, int]
    """For each unit as written: a bit for each place where it stands, from `begin` on."""
    cost_cache: CostCache
    """Shared by all segments of an utterance."""


def make_segment(syllables: Syllables, begin: int, end: int, cost_cache: CostCache) -> Segment:
    """A stretch of an utterance, prepared for the index."""
    positions: dict[str, int] = {}
    min_costs: dict[str, float] = {}
    sounds, characters = dict[str, int](), dict[str, int]()
    for at in range(end - begin):
        sound, unit = syllables.sounds[begin + at], syllables.units[begin + at]
        sounds[sound] = sounds.get(sound, 0) | 1 << at
        characters[unit] = characters.get(unit, 0) | 1 << at
    for heard, units in sounds.items():
        for sound, cost in similar_syllables(heard).items():
            positions[sound] = positions.get(sound, 0) | units
            if cost < min_costs.get(sound, 1.0):
                min_costs[sound] = cost
    return Segment(syllables, begin, end, positions, min_costs, characters, cost_cache)


def pair_thresholds(index: Index, patterns: Sequence[Pattern]) -> tuple[int, ...]:
    """For each wording: how many pairs must be there. A missing syllable breaks two."""
    every = zip(index.listed_pairs, patterns, strict=True)
    return tuple(listed - 2 * pattern.max_missing for listed, pattern in every)


def shortlist(
    index: Index, patterns: Sequence[Pattern], min_pairs: Sequence[int], segment: Segment
) -> Iterator[tuple[int, int, int]]:
    """The wordings that may occur: each number, how many of its sounds are missing, and its homophones at least."""
    positions = segment.positions
    counted = Counter(chain.from_iterable(_wordings_by_pair(index, segment)))
    enough = [number for number, pairs in counted.items() if pairs >= min_pairs[number]]
    enough += {number for sound in positions if sound in index.singles for number in index.singles[sound]}
    absent_sounds = ~_mask(positions, index.sound_bits)
    absent_characters = ~_mask(segment.characters, index.character_bits)
    for number in enough:
        missing = (index.sound_masks[number] & absent_sounds).bit_count()
        if missing <= patterns[number].max_missing:
            homophones = (index.character_masks[number] & absent_characters).bit_count() - missing
            yield number, missing, homophones if homophones > 0 else 0  # noqa: FURB136 - a call costs more than the rest


def _wordings_by_pair(index: Index, segment: Segment) -> Iterator[tuple[int, ...]]:
    """The wordings for each pair of neighbouring sounds, also for those with only fillers between them."""
    sounds, is_filler = segment.syllables.sounds, segment.syllables.is_filler
    cache, last = index.pair_cache, segment.end - 1
    for at in range(segment.begin, last):
        follow = at + 1
        while True:
            pair = sounds[at], sounds[follow]
            listed = cache.get(pair)
            yield _look_up(index, pair) if listed is None else listed
            if not is_filler[follow] or follow == last:
                break
            follow += 1


def _look_up(index: Index, pair: tuple[str, str]) -> tuple[int, ...]:
    """The wordings that have the pair, or a similar one; cached."""
    similar = similar_syllables(pair[1])
    lists = (
        rights[right]
        for left in similar_syllables(pair[0])
        if (rights := index.pairs.get(left))
        for right in similar
        if right in rights
    )
    found = tuple(chain.from_iterable(lists))
    if len(index.pair_cache) >= MAX_CACHED_PAIRS:
        index.pair_cache.clear()
    index.pair_cache[pair] = found
    return found
