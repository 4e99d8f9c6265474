"""Templates: one way to say a phrase as a small grammar, in the syntax of hassil (Home Assistant's voice commands).

`(a|b)` is one of several, `[a]` may be missing, `(a;b)` is any order, `{name}` a word of a list or a slot, `<name>` a
named fragment. A plain sentence is a template. This is the only module that imports hassil.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import permutations
from typing import Final, Protocol

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.parse_expression import ParseExpressionError, parse_sentence
from hassil.parser import ParseError

from counter_listener.domain import Sentence, Slot, sentence
from counter_listener.phrases.pinyin import join_units, split_units
from counter_listener.phrases.template_nodes import (
    EMPTY,
    Choice,
    Gap,
    Node,
    Series,
    Units,
    Words,
    count_sentences,
    draw,
    ends,
    expand,
    has_optional_negation,
    is_short,
    shortest,
    size,
)

MAX_DEPTH: Final = 12
"""Deepest nesting of named fragments; a deeper one contains itself."""
MAX_ORDERS: Final = 4
"""Most parts of `(a;b;...)`: their orders are written out."""
MAX_NODES: Final = 4_000
"""Most words and slots of one template, named fragments included."""


class TemplateError(ValueError):
    "A template cannot be read: `reason` says why, `name` is the list, rule or slot that is not known, if any."

    def __init__(self, reason: Sentence, name: str = "") -> None:
        super().__init__(str(reason))
        self.reason, self.name = reason, name


@dataclass(frozen=True)
class Template:
    """A parsed template."""

    text: str
    node: Node

    @cached_property
    def sentences(self) -> int:
        """How many sentences it spells; a slot counts once."""
        return count_sentences(self.node)

    @cached_property
    def min_units(self) -> int:
        """Units of its shortest sentence, slots left out."""
        return shortest(self.node)

    @cached_property
    def says_the_opposite(self) -> bool:
        """Whether a negation in it may be missing."""
        return has_optional_negation(self.node)

    def occurs_in(self, units: Units) -> bool:
        """Whether one of its sentences stands in these units, to the letter."""
        return bool(ends(self.node, units, range(len(units))))

    def stretches(self, units: Units) -> Iterator[tuple[int, int]]:
        """Where its sentences stand in these units, to the letter: first unit and the unit after the last. Of each
        place where one begins, the longest.
        """
        if self.occurs_in(units):
            for first in range(len(units)):
                last = max(ends(self.node, units, (first,)), default=first)
                if last > first:
                    yield first, last

    def draw(self, rng: random.Random, fill: str = "某") -> str:
        """One of its sentences. Each choice is made evenly, what may be missing is there in half of the draws; a slot
        becomes `fill`, as often as it must.
        """
        return join_units(draw(self.node, rng, fill))

    def expand(self, most: int) -> list[Units]:
        """Its sentences as units, slots left out; empty where there are more than `most`."""
        return list(dict.fromkeys(expand(self.node))) if self.sentences <= most else []


class HasLists(Protocol):
    """A phrase set, or the frames of a language."""

    @property
    def lists(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def rules(self) -> Mapping[str, str]: ...
    @property
    def slots(self) -> Mapping[str, Slot]: ...


def template_reader(table: HasLists) -> "TemplateReader":
    """A reader with the lists, rules and slots of a table; the same one for the same table."""
    lists = tuple((name, tuple(words)) for name, words in table.lists.items())
    return _reader(lists, tuple(table.rules.items()), tuple(table.slots.items()))


@lru_cache(maxsize=4)
def _reader(
    lists: tuple[tuple[str, tuple[str, ...]], ...],
    rules: tuple[tuple[str, str], ...],
    slots: tuple[tuple[str, Slot], ...],
) -> "TemplateReader":
    """A phrase set and its frames are read twice: when they are checked, and when they are compiled."""
    return TemplateReader(dict(lists), dict(rules), dict(slots))


@dataclass(frozen=True, slots=True)
class TemplateReader:
    """Reads templates with the lists, rules and slots of one phrase set; each list, rule and template is read once."""

    lists: Mapping[str, Sequence[str]]
    rules: Mapping[str, str]
    slots: Mapping[str, Slot]
    known: dict[str, Node] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)

    def read(self, text: str) -> Template:
        """The template in a text. Raises TemplateError."""
        found = self.templates.get(text)
        if found is None:
            found = self.templates[text] = Template(text, self._read(text, 0))
        return found

    def _read(self, text: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise TemplateError(sentence("a list or rule contains itself"))
        if not any(mark in text for mark in "([{<|;\\)]}>"):
            return _word(split_units(text))
        try:
            expression = parse_sentence(text).expression
        except (ParseError, ParseExpressionError, AssertionError, ValueError):
            raise TemplateError(
                sentence("it cannot be read: a bracket has no counterpart, or there is nothing in it")
            ) from None
        node = self._node(expression, depth)
        if size(node) > MAX_NODES:
            raise TemplateError(sentence("it has more than {most} words", most=MAX_NODES))
        return node

    def _node(self, expression: Expression, depth: int) -> Node:
        match expression:
            case TextChunk():
                return _word(split_units(expression.text))
            case ListReference():
                return self._named(f"{{{expression.list_name}}}", depth)
            case RuleReference():
                return self._named(f"<{expression.rule_name}>", depth)
            case Permutation():
                if len(expression.items) > MAX_ORDERS:
                    raise TemplateError(sentence("(a;b) has more than {most} parts", most=MAX_ORDERS))
                parts = [self._node(item, depth) for item in expression.items]
                return _choice([_series(order) for order in permutations(parts)])
            case Alternative():
                return _choice([self._node(item, depth) for item in expression.items])
            case Group():
                return _series([self._node(item, depth) for item in expression.items])
        raise TemplateError(sentence("it uses syntax that is not known here"))

    def _named(self, reference: str, depth: int) -> Node:
        """What `<name>` or `{name}` stands for."""
        found = self.known.get(reference)
        if found is None:
            found = self.known[reference] = self._look_up(reference[0], reference[1:-1], depth + 1)
        return found

    def _look_up(self, bracket: str, name: str, depth: int) -> Node:
        if bracket == "<":
            if name not in self.rules:
                raise TemplateError(sentence("[rules] does not have <{name}>", name=name), name)
            return self._read(self.rules[name], depth)
        if name in self.lists:
            return _choice([self._read(word, depth) for word in self.lists[name]])
        if name in self.slots:
            return Gap(name, self.slots[name].min, self.slots[name].max)
        raise TemplateError(sentence("neither [lists] nor [slots] has {{{name}}}", name=name), name)


def _word(units: Units) -> Node:
    return Words((units,)) if units else EMPTY


def _series(parts: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Series) else (part,)
    return flat[0] if len(flat) == 1 else Series(tuple(flat))


def _choice(parts: Sequence[Node]) -> Node:
    """One of the parts. Words are gathered in one node, so that a list of words is one step of an automaton."""
    words = [option for part in parts if isinstance(part, Words) for option in part.options]
    others: list[Node | None] = [
        inner
        for part in parts
        if not isinstance(part, Words) and part != EMPTY
        for inner in (part.parts if isinstance(part, Choice) else (part,))
    ]
    short = [part for part in others if part is not None and is_short(part)]
    words += [option for part in short for option in expand(part)]
    others = [part for part in others if part not in short]
    if EMPTY in parts:
        words.append(())
    gathered = Words(tuple(dict.fromkeys(words)))
    if not others:
        return gathered if any(words) else EMPTY
    if any(words):
        others.append(gathered)
    elif words:
        others.append(None)
    return Choice(tuple(dict.fromkeys(others)))
