"""The lexicon as a finite-state transducer from transition ids to words: Kaldi's HCL, without context dependency.

It is a prefix tree over phones. An arc stands for the first frame of a phone, and each state has a loop for its further
frames (Kaldi's order with `reorder`, which its word aligner expects: lat/word-align-lattice.h). A word is output on the
first arc that no other word shares, so that the language model is applied as early as possible (Mohri, Pereira and
Riley, 2002, "Weighted finite-state transducers in speech recognition", section 3). The phones after that arc are a
suffix, which all words with the same suffix share; this keeps the transducer small. Homophones are parallel arcs on
their last phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.build.phones import SILENCE_PHONE, forward, loop, word_phones

EPSILON: Final = 0
"""Label of an arc that consumes no frame, or outputs no word."""
SILENCE_COST: Final = 0.7
"""-log of 0.5, the probability of a pause after a word."""
START: Final = 0
WORD_START: Final = 1
"""The state in which every word begins; the only final state."""
SILENCE: Final = 2

Phones = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc: from a state to a state, its input and output labels, and its cost (-log of a probability)."""

    source: int
    target: int
    ilabel: int
    olabel: int
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Fst:
    """A finite-state transducer: its start state is 0, `final` maps the final states to their costs."""

    arcs: Sequence[Arc]
    final: Mapping[int, float]

    def text(self) -> str:
        """The input of `fstcompile`: `source target ilabel olabel cost` per line, then `state cost` of final states.

        The first line decides which state is the start state, so an arc of state 0 comes first.
        """
        ordered = sorted(self.arcs, key=lambda arc: arc.source != START)
        lines = [f"{a.source} {a.target} {a.ilabel} {a.olabel} {a.cost:.5g}" for a in ordered]
        return "\n".join([*lines, *(f"{state} {cost:.5g}" for state, cost in self.final.items())]) + "\n"


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    words: list[int] = field(default_factory=list)
    size: int = 0
    """Number of words at this node and below it."""


def lexicon_fst(pronunciations: Mapping[int, Sequence[str]]) -> Fst:
    """The transducer for words, given by their number (from 1), each with its units."""
    root = _Node()
    for word, units in pronunciations.items():
        _add(root, word, word_phones(units))
    builder = _Builder()
    for phone, child in root.children.items():
        builder.add_subtree(WORD_START, phone, child)
    return Fst(builder.arcs, {WORD_START: 0.0})


def _add(node: _Node, word: int, phones: Phones) -> None:
    node.size += 1
    for phone in phones:
        node = node.children.setdefault(phone, _Node())
        node.size += 1
    node.words.append(word)


class _Builder:
    def __init__(self) -> None:
        self.states = 3
        self.suffixes: dict[Phones, int] = {}
        self.arcs = [
            Arc(START, WORD_START, EPSILON, EPSILON, SILENCE_COST),
            Arc(START, SILENCE, forward(SILENCE_PHONE), EPSILON, SILENCE_COST),
            Arc(SILENCE, SILENCE, loop(SILENCE_PHONE), EPSILON),
            Arc(SILENCE, WORD_START, EPSILON, EPSILON),
        ]

    def add_state(self, phone: int) -> int:
        """Adds a state with a loop of a phone, and returns its number."""
        state = self.states
        self.states += 1
        self.arcs.append(Arc(state, state, loop(phone), EPSILON))
        return state

    def add_subtree(self, source: int, phone: int, node: _Node) -> None:
        """Adds the subtree that follows a phone from a state."""
        if node.size == 1 or node.words:
            rest, words = _only_path(node)
            target = self.suffix_state((phone, *rest))
            self.arcs += [Arc(source, target, forward(phone), word) for word in words]
            return
        target = self.add_state(phone)
        self.arcs.append(Arc(source, target, forward(phone), EPSILON))
        for following, child in node.children.items():
            self.add_subtree(target, following, child)

    def suffix_state(self, phones: Phones) -> int:
        """The state at the first of a word's last phones; all words with this suffix share it."""
        if phones not in self.suffixes:
            first, *rest = phones
            self.suffixes[phones] = state = self.add_state(first)
            if rest:
                self.arcs.append(Arc(state, self.suffix_state(tuple(rest)), forward(rest[0]), EPSILON))
            else:
                self.arcs += [
                    Arc(state, WORD_START, EPSILON, EPSILON, SILENCE_COST),
                    Arc(state, SILENCE, forward(SILENCE_PHONE), EPSILON, SILENCE_COST),
                ]
        return self.suffixes[phones]


def _only_path(node: _Node) -> tuple[Phones, list[int]]:
    """The remaining phones, and the words, of a node from which there is only one path.

    The last phone of a word (`_E` or `_S`) is never inside a word, so no word continues where another one ends.
    """
    rest: list[int] = []
    while not node.words:
        ((phone, node),) = node.children.items()
        rest.append(phone)
    return tuple(rest), node.words
