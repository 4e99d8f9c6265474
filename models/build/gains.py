"""Which templates gained from a new graph: how likely their sentences are in it, and in the graph before.

A sentence costs the sum of the costs of its words on the best path through Gr.fst, whichever words it is cut into.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.build.language.texts import BREAK, phrase_set_templates
from models.build.language.vocabulary import is_chinese
from models.build.lexicon_fst import EPSILON, START, Fst
from models.build.openfst import read_fst

LEAST_GAIN: Final = 0.5
"""Nats per character from which a template counts as having gained: a third of what a wording gains that is new."""
MEASURED: Final = 8
"""Sentences of a template that are measured."""
LONGEST: Final = 8
"""Characters of the longest word that is tried."""
SHOWN: Final = 20
"""Templates that are listed."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The language model of a model folder, as an acceptor of words with back-off arcs."""

    words: Mapping[str, int]
    arcs: Mapping[int, Mapping[int, tuple[int, float]]]
    """For each state the target and the cost of each word; word 0 leads to the state after a shorter history."""

    def follow(self, state: int, word: int) -> tuple[int, float] | None:
        """The state after a word and its cost, with back-off; None if the grammar has no such word."""
        cost = 0.0
        while word not in self.arcs[state]:
            if EPSILON not in self.arcs[state]:
                return None
            state, added = self.arcs[state][EPSILON]
            cost += added
        target, added = self.arcs[state][word]
        return target, cost + added

    def cost(self, text: str) -> float:
        """Nats per character of a text of Chinese characters; infinite if it cannot be spelled."""
        best: list[dict[int, float]] = [defaultdict(lambda: math.inf) for _ in range(len(text) + 1)]
        best[0][START] = 0.0
        for begin in range(len(text)):
            for end in range(begin + 1, min(len(text), begin + LONGEST) + 1):
                if (word := self.words.get(text[begin:end])) is None:
                    continue
                for state, before in best[begin].items():
                    if step := self.follow(state, word):
                        best[end][step[0]] = min(best[end][step[0]], before + step[1])
        return min(best[-1].values(), default=math.inf) / max(1, len(text))


def read_grammar(graph: Path) -> Grammar | None:
    """The grammar in the folder graph/ of a model; None if there is none. Raises BuildError."""
    if not (graph / "Gr.fst").is_file() or not (graph / "words.txt").is_file():
        return None
    lines = (graph / "words.txt").read_text(encoding="utf-8").splitlines()
    return grammar_of(read_fst(graph / "Gr.fst"), {word: int(number) for word, number in map(str.split, lines)})


def grammar_of(fst: Fst, words: Mapping[str, int]) -> Grammar:
    """An acceptor of words as a grammar."""
    arcs: dict[int, dict[int, tuple[int, float]]] = defaultdict(dict)
    for arc in fst.arcs:
        arcs[arc.source][arc.ilabel] = (arc.target, arc.cost)
    return Grammar(words, arcs)


@dataclass(frozen=True, slots=True)
class Gain:
    """A template, and the mean cost of its sentences in two graphs, in nats per character."""

    template: str
    before: float
    after: float

    @property
    def gained(self) -> bool:
        return self.after < self.before - LEAST_GAIN


def gains(phrase_sets: Iterable[Path], before: Grammar, after: Grammar) -> Iterator[Gain]:
    """The gain of each template of the phrase sets; infinite costs if it cannot be spelled. Raises BuildError."""
    for file in phrase_sets:
        for template, lines in phrase_set_templates(file):
            pieces = [piece for line in lines[:MEASURED] for piece in BREAK.split(line) if is_chinese(piece)]
            costs = [(before.cost(piece), after.cost(piece)) for piece in pieces]
            spelled = [pair for pair in costs if math.isfinite(pair[1])] or [(math.inf, math.inf)]
            old, new = (sum(column) / len(spelled) for column in zip(*spelled, strict=True))
            yield Gain(template, old, new)


def summary(measured: Sequence[Gain]) -> str:
    """The templates that gained, those that gained most first, and how many cannot be spelled."""
    gained = sorted((gain for gain in measured if gain.gained), key=lambda gain: gain.after - gain.before)
    unspelled = sum(math.isinf(gain.after) for gain in measured)
    first = f"{len(gained):,} of {len(measured):,} templates gained (cost in nats per character, before -> after)"
    lines = [f"{first}; {unspelled:,} cannot be spelled." if unspelled else f"{first}."]
    lines += [f"  {gain.before:5.1f} -> {gain.after:4.1f}  {gain.template}" for gain in gained[:SHOWN]]
    if len(gained) > SHOWN:
        lines.append(f"  and {len(gained) - SHOWN:,} more")
    return "\n".join(lines)
