"""The nodes of a parsed template, and what they spell. Pure."""

import random
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Final

Units = tuple[str, ...]

NEGATIONS: Final[frozenset[Units]] = frozenset(
    map(tuple, tomllib.loads(Path(__file__).with_name("negations.toml").read_text(encoding="utf-8"))["words"])
)
"""Words that turn a sentence into its opposite, as units: those of negations.toml."""
MAX_SHORT_UNITS: Final = 4
"""Most syllables of a choice that is written out as a list of words: lists are searched faster."""
MAX_SHORT_WORDS: Final = 60
"""Most words of it."""
HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Words:
    """One of several words, each as units; the empty word means that it may be missing."""

    options: tuple[Units, ...]
    known: frozenset[Units] = field(init=False, compare=False, repr=False)
    sizes: frozenset[int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset(self.options))
        object.__setattr__(self, "sizes", frozenset(map(len, self.options)))


@dataclass(frozen=True, slots=True)
class Gap:
    """A slot: from min to max syllables of any kind."""

    name: str
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Series:
    """Parts one after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts that are more than words; None means that it may be missing."""

    parts: tuple["Node | None", ...]


Node = Words | Gap | Series | Choice
EMPTY: Final = Series(())
"""What spells nothing."""


def is_short(node: Node) -> bool:
    """Whether a node spells so few and so short words that they may stand in a list."""
    return not has_gap(node) and longest(node) <= MAX_SHORT_UNITS and count_sentences(node) <= MAX_SHORT_WORDS


def has_gap(node: Node | None) -> bool:
    """Whether there is a slot in a node."""
    return isinstance(node, Gap) or (isinstance(node, Series | Choice) and any(map(has_gap, node.parts)))


def longest(node: Node | None) -> int:
    """Units of the longest sentence of a node, slots left out."""
    match node:
        case Words():
            return max(map(len, node.options))
        case Series():
            return sum(map(longest, node.parts))
        case Choice():
            return max(map(longest, node.parts))
    return 0


def size(node: Node | None) -> int:
    """How many words and slots a node has."""
    match node:
        case Words():
            return len(node.options)
        case Series() | Choice():
            return sum(map(size, node.parts))
    return 1


def count_sentences(node: Node | None) -> int:
    """How many sentences a node spells; a slot counts once."""
    match node:
        case Words():
            return len(node.options)
        case Series():
            return prod(map(count_sentences, node.parts))
        case Choice():
            return sum(map(count_sentences, node.parts))
    return 1


def shortest(node: Node | None) -> int:
    """Units of the shortest sentence of a node, slots left out."""
    match node:
        case Words():
            return min(map(len, node.options))
        case Series():
            return sum(map(shortest, node.parts))
        case Choice():
            return min(map(shortest, node.parts))
    return 0


def ends(node: Node | None, units: Units, starts: Iterable[int]) -> set[int]:
    """Where a node may end that begins at one of these places."""
    match node:
        case Words():
            stretches = ((at, at + size) for at in starts for size in node.sizes if at + size <= len(units))
            return {end for at, end in stretches if units[at:end] in node.known}
        case Gap():
            places = (at + span for at in starts for span in range(node.min, node.max + 1))
            return {end for end in places if end <= len(units)}
        case Series():
            found = set(starts)
            for part in node.parts:
                found = ends(part, units, found) if found else found
            return found
        case Choice():
            return {end for part in node.parts for end in ends(part, units, starts)}
    return set(starts)


def has_optional_negation(node: Node | None) -> bool:
    """Whether a negation in a node may be missing."""
    match node:
        case Words():
            return () in node.options and node.known <= {(), *NEGATIONS} and len(node.options) > 1
        case Series() | Choice():
            return any(map(has_optional_negation, node.parts))
    return False


def draw(node: Node | None, rng: random.Random, fill: str) -> Iterator[str]:
    """The units of one sentence of a node."""
    match node:
        case Words():
            said = [option for option in node.options if option]
            yield from rng.choice(said) if said and (len(said) == len(node.options) or rng.random() < HALF) else ()
        case Gap():
            yield fill * node.min
        case Series():
            for part in node.parts:
                yield from draw(part, rng, fill)
        case Choice():
            yield from draw(rng.choice(node.parts), rng, fill)


def expand(node: Node | None) -> Iterator[Units]:
    """All sentences of a node, slots left out."""
    match node:
        case Words():
            yield from node.options
        case Series():
            for parts in product(*(tuple(expand(part)) for part in node.parts)):
                yield tuple(unit for part in parts for unit in part)
        case Choice():
            for part in node.parts:
                yield from expand(part)
        case _:
            yield ()
