"""All templates of a phrase set as one acyclic automaton over syllables, laid out in arrays for numpy.

A template is compiled once and never expanded: an arc takes one word of a list, so that a template of ten lists has
ten arcs, however many sentences it spells. States are numbered by level (the longest way from a start), and all
templates are searched together, level by level.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from counter_listener.domain import Role
from counter_listener.matching.words import MAX_SPAN, NONE, Ints, Rows, Spoken, WordSet, WordTable, compile_words
from counter_listener.phrases import Choice, Gap, Node, Series, Template, Units, Words, pronounce


class Entry(NamedTuple):
    """A template with what it is for."""

    role: Role
    owners: frozenset[str]
    """Ids of what lists it; more than one only for contexts."""
    template: Template
    shared: bool = False
    """Whether customers say it too."""
    threshold: float | None = None
    """Least similarity, 0-100, that the phrase set gives instead of the posterior."""

    @property
    def owner(self) -> str:
        """The id of its only owner."""
        (owner,) = self.owners
        return owner


class Level(NamedTuple):
    """The arcs that end at one level, ordered by the states where they end."""

    arcs: slice
    states: slice
    offsets: NDArray[np.intp]
    """For each of these states: its first arc, counted from the level's first."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """The states and arcs of all templates. States are ordered by level, arcs by the state where they end."""

    entries: tuple[Entry, ...]
    finals: Ints
    """For each entry: the state in which it ends."""
    sources: NDArray[np.intp]
    """For each arc: where it begins."""
    targets: Ints
    """For each arc: where it ends."""
    sets: NDArray[np.intp]
    """For each arc: the number of its word set."""
    arcs_of: Rows
    """For each entry: its arcs."""
    states_of: Rows
    """For each entry: its states."""
    levels: tuple[Level, ...]
    """The levels after the first."""
    level_edges: NDArray[np.intp]
    """The first state of each level after the first, and the number of states."""
    words: WordTable
    min_share: float
    """The least share of its full score with which a template, or a word of it, is looked at."""
    min_margin: float
    """Bits above it from which an alignment is looked at."""


@dataclass(slots=True)
class _Builder:
    """Collects states, arcs and word sets while templates are compiled."""

    arcs: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Source, target, word set, entry."""
    state_entry: list[int] = field(default_factory=list)
    sets: dict[WordSet, int] = field(default_factory=dict)
    """The words of each set, or the least and the most syllables of a slot."""
    spoken: dict[Units, Spoken] = field(default_factory=dict)
    lists: dict[tuple[Units, ...], tuple[tuple[Units, ...], int]] = field(default_factory=dict)
    """For the options of a word node: those that are no arc of the set, and the number of the set; NONE for no set."""

    def state(self, entry: int) -> int:
        self.state_entry.append(entry)
        return len(self.state_entry) - 1

    def add(self, node: Node | None, source: int, target: int, entry: int) -> None:
        """Adds what leads from one state to another."""
        match node:
            case None:
                self.arcs.append((source, target, NONE, entry))
            case Words():
                self._add_words(node.options, source, target, entry)
            case Gap():
                self._chain(list(self._gaps(node.min, node.max)), source, target, entry)
            case Series():
                places = [source, *(self.state(entry) for _ in node.parts[1:]), target]
                for part, (begin, end) in zip(node.parts, pairwise(places), strict=True):
                    self.add(part, begin, end, entry)
            case Choice():
                for option in node.parts:
                    self.add(option, source, target, entry)

    def _add_words(self, options: tuple[Units, ...], source: int, target: int, entry: int) -> None:
        """A word alone is a series of syllables, between which others may be inserted; several are one arc."""
        known = self.lists.get(options)
        if known is None:
            known = self.lists[options] = self._gathered(options)
        alone, words = known
        for units, sounds in map(self._pronounced, alone):
            steps = [self._set((((unit,), (sound,)),)) for unit, sound in zip(units, sounds, strict=True)]
            self._chain(steps, source, target, entry)
        if len(alone) < len(options):
            self.arcs.append((source, target, words, entry))

    def _gathered(self, options: Sequence[Units]) -> tuple[tuple[Units, ...], int]:
        """The options that are series of syllables of their own, and the word set of the others."""
        together = [option for option in options if len(option) <= MAX_SPAN] if len(options) > 1 else []
        alone = tuple(option for option in options if option not in together)
        return alone, self._set(tuple(map(self._pronounced, together))) if any(together) else NONE

    def _gaps(self, least: int, most: int) -> Iterator[int]:
        """The word sets that together take from least to most syllables of any kind."""
        while most:
            span = min(most, MAX_SPAN)
            yield self._set((min(least, span), span))
            least, most = max(0, least - span), most - span

    def _pronounced(self, units: Units) -> Spoken:
        known = self.spoken.get(units)
        if known is None:
            known = self.spoken[units] = (units, pronounce(units))
        return known

    def _set(self, words: WordSet) -> int:
        return self.sets.setdefault(words, len(self.sets) + NONE + 1)

    def _chain(self, steps: Sequence[int], source: int, target: int, entry: int) -> None:
        places = [source, *(self.state(entry) for _ in steps[1:]), target]
        self.arcs += [(*ends, words, entry) for words, ends in zip(steps, pairwise(places), strict=True)]


def compile_automaton(entries: Iterable[Entry], min_share: float, min_margin: float) -> Automaton:
    """The automaton of all entries, which finds what has `min_margin` bits above `min_share` of its full score."""
    entries = tuple(entries)
    build = _Builder()
    starts, ends = [], []
    for number, entry in enumerate(entries):
        starts.append(build.state(number))
        ends.append(build.state(number))
        build.add(entry.template.node, starts[-1], ends[-1], number)
    order, levels = _levels(build.arcs, len(build.state_entry))
    renumbered = np.empty(len(order), np.int32)
    renumbered[order] = np.arange(len(order), dtype=np.int32)
    arcs = np.array(build.arcs, np.int32).reshape(-1, 4)
    arcs[:, :2] = renumbered[arcs[:, :2]]
    arcs = arcs[np.argsort(arcs[:, 1], kind="stable")]
    edges = np.searchsorted(levels[order], np.arange(1, levels.max(initial=0) + 2))
    return Automaton(
        entries=entries,
        finals=renumbered[ends] if ends else np.empty(0, np.int32),
        sources=arcs[:, 0].astype(np.intp),
        targets=arcs[:, 1],
        sets=arcs[:, 2].astype(np.intp),
        arcs_of=Rows.group(arcs[:, 3], len(entries)),
        states_of=Rows.group(np.array(build.state_entry, np.int32)[order], len(entries)),
        levels=tuple(_level_slices(arcs[:, 1], edges)),
        level_edges=edges,
        words=compile_words(list(build.sets), min_share),
        min_share=min_share,
        min_margin=min_margin,
    )


def _levels(arcs: Sequence[tuple[int, int, int, int]], states: int) -> tuple[Ints, Ints]:
    """The states ordered by level, and the level of each state: the longest way from the start of its template."""
    level = np.zeros(states, np.int32)
    sources = np.array([arc[0] for arc in arcs], np.int32)
    targets = np.array([arc[1] for arc in arcs], np.int32)
    while True:
        raised = level.copy()
        np.maximum.at(raised, targets, level[sources] + 1)
        if (raised == level).all():
            return np.argsort(level, kind="stable").astype(np.int32), level
        level = raised


def _level_slices(targets: Ints, edges: NDArray[np.intp]) -> Iterator[Level]:
    """The levels after the first, for arcs ordered by target; states are numbered by level."""
    for low, high in pairwise(edges):
        first, last = np.searchsorted(targets, [low, high])
        offsets = np.searchsorted(targets[first:last], np.arange(low, high))
        yield Level(slice(int(first), int(last)), slice(int(low), int(high)), offsets)
