"""The lexicon as a machine that reads transition ids and writes words: Kaldi's HCL, here made without context or L.

A prefix tree over phones, whose arcs stand for the first frame of a phone, each state looping for its further frames
(Kaldi's order with `reorder`, which its word aligner expects: lat/word-align-lattice.h). A word is written on the first
arc that no other word shares, so that the language model is asked as early as can be (Mohri, Pereira and Riley, 2002,
"Weighted finite-state transducers in speech recognition", section 3); the rest of it is a tail, shared by all words
that end so, which makes the machine small. Words that sound alike are parallel arcs on their last phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.build.phones import SILENCE_PHONE, forward, in_word, loop

NOTHING: Final = 0
"""Epsilon: an arc that reads no frame, or writes no word."""
SILENCE_COST: Final = 0.7
"""-log of an even chance that a pause follows a word."""
START: Final = 0
WORDS: Final = 1
"""The state in which every word begins; the only one in which an utterance may end."""
SILENCE: Final = 2

Phones = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arc:
    """From a state to a state, what is read and written on the way, and its cost: -log of a probability."""

    source: int
    target: int
    read: int
    write: int
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A transducer: state 0 is where it starts, `final` is where it may end and at what cost."""

    arcs: Sequence[Arc]
    final: Mapping[int, float]

    def text(self) -> str:
        """As `fstcompile` reads it: `source target read write cost` a line, then `state cost` for final states."""
        lines = [f"{a.source} {a.target} {a.read} {a.write} {a.cost:.5g}" for a in self.arcs]
        return "\n".join([*lines, *(f"{state} {cost:.5g}" for state, cost in self.final.items())]) + "\n"


@dataclass(slots=True)
class _Node:
    children: dict[int, _Node] = field(default_factory=dict)
    words: list[int] = field(default_factory=list)
    size: int = 0
    """Words at this node and below it."""


def tree(pronunciations: Mapping[int, Sequence[str]]) -> Machine:
    """The machine for words, given by their number (1 and up), each with its units."""
    root = _Node()
    for word, spelt in pronunciations.items():
        _add(root, word, in_word(spelt))
    builder = _Builder()
    for phone, child in root.children.items():
        builder.grow(WORDS, phone, child)
    return Machine(builder.arcs, {WORDS: 0.0})


def _add(node: _Node, word: int, phones: Phones) -> None:
    node.size += 1
    for phone in phones:
        node = node.children.setdefault(phone, _Node())
        node.size += 1
    node.words.append(word)


class _Builder:
    def __init__(self) -> None:
        self.states = 3
        self.tails: dict[Phones, int] = {}
        self.arcs = [
            Arc(START, WORDS, NOTHING, NOTHING, SILENCE_COST),
            Arc(START, SILENCE, forward(SILENCE_PHONE), NOTHING, SILENCE_COST),
            Arc(SILENCE, SILENCE, loop(SILENCE_PHONE), NOTHING),
            Arc(SILENCE, WORDS, NOTHING, NOTHING),
        ]

    def state(self, phone: int) -> int:
        """A new state in which a phone may go on."""
        made = self.states
        self.states += 1
        self.arcs.append(Arc(made, made, loop(phone), NOTHING))
        return made

    def grow(self, source: int, phone: int, node: _Node) -> None:
        """The subtree that a phone leads to from a state."""
        if node.size == 1 or node.words:
            rest, words = _only(node)
            target = self.tail((phone, *rest))
            self.arcs += [Arc(source, target, forward(phone), word) for word in words]
            return
        target = self.state(phone)
        self.arcs.append(Arc(source, target, forward(phone), NOTHING))
        for following, child in node.children.items():
            self.grow(target, following, child)

    def tail(self, phones: Phones) -> int:
        """The state of a word's last phones, at the first of them; the same for all words that end so."""
        if phones not in self.tails:
            first, *rest = phones
            self.tails[phones] = made = self.state(first)
            if rest:
                self.arcs.append(Arc(made, self.tail(tuple(rest)), forward(rest[0]), NOTHING))
            else:
                self.arcs += [
                    Arc(made, WORDS, NOTHING, NOTHING, SILENCE_COST),
                    Arc(made, SILENCE, forward(SILENCE_PHONE), NOTHING, SILENCE_COST),
                ]
        return self.tails[phones]


def _only(node: _Node) -> tuple[Phones, list[int]]:
    """The phones to come, and the words, of a node from which only one way leads on.

    A word's last phone is its own (`_E` or `_S`), hence no word goes on where another ends.
    """
    rest: list[int] = []
    while not node.words:
        ((phone, node),) = node.children.items()
        rest.append(phone)
    return tuple(rest), node.words
