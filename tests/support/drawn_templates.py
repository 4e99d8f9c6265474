"""Random templates for the tests of the matcher: in hassil's syntax, as regular expressions, and drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from hypothesis import strategies as st

from counter_listener.domain import Slot
from counter_listener.phrases import Template
from counter_listener.phrases.templates import TemplateReader

CHARACTERS: Final = "天地山火风云雨花鸟鱼虫春秋冬夏东西南"
OUTSIDE: Final = "某甲乙"
"""Characters that no drawn template has: they fill slots and stand around sentences."""
SLOT: Final = Slot(min=1, max=3)
READER: Final = TemplateReader({"list": ("石木", "石", "金玉")}, {"rule": "[金]玉(石|木)"}, {"slot": SLOT})
SLOTS_TOML: Final = (
    '[lists]\nlist = ["石木", "石", "金玉"]\n[rules]\nrule = "[金]玉(石|木)"\n[slots]\nslot = {min = 1, max = 3}\n'
)


@dataclass(frozen=True)
class Leaf:
    """Words, or a reference to a list, rule or slot: as written, as a regular expression, and its sentences."""

    text: str
    regex: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    """`mark` is `+` for a series, `|` for a choice, `;` for any order, `?` for a part that may be missing."""

    mark: str
    parts: tuple[Tree | Leaf, ...]


LIST: Final = Leaf("{list}", "(?:石木|石|金玉)", ("石木", "石", "金玉"))
RULE: Final = Leaf("<rule>", "金?玉(?:石|木)", ("金玉石", "金玉木", "玉石", "玉木"))
GAP: Final = Leaf("{slot}", ".{1,3}", ("某", "某甲", "某甲乙"))


def words(characters: str) -> st.SearchStrategy[Leaf]:
    """One to three characters."""
    return st.text(characters, min_size=1, max_size=3).map(lambda text: Leaf(text, text, (text,)))


def trees(characters: str = CHARACTERS, *, slots: bool = True) -> st.SearchStrategy[Tree]:
    """Small templates that begin with two characters, so that each of their sentences has two syllables."""
    leaves = words(characters) | st.sampled_from([LIST, RULE, *([GAP] if slots else [])])

    def larger(inner: st.SearchStrategy[Tree | Leaf]) -> st.SearchStrategy[Tree | Leaf]:
        marks = st.sampled_from(["+", "|", ";"])
        several = st.builds(Tree, marks, st.lists(inner, min_size=2, max_size=3).map(tuple))
        return several | inner.map(lambda part: Tree("?", (part,)))

    first = st.text(characters, min_size=2, max_size=2).map(lambda text: Leaf(text, text, (text,)))
    rest = st.recursive(leaves, larger, max_leaves=6)
    return st.builds(lambda start, more: Tree("+", (start, *more)), first, st.lists(rest, max_size=2))


def written(node: Tree | Leaf) -> str:
    """The tree in hassil's syntax."""
    if isinstance(node, Leaf):
        return node.text
    parts = [written(part) for part in node.parts]
    if node.mark == "+":
        return "".join(parts)
    return f"[{parts[0]}]" if node.mark == "?" else f"({node.mark.join(parts)})"


def regex(node: Tree | Leaf) -> str:
    """The tree as a regular expression."""
    if isinstance(node, Leaf):
        return node.regex
    parts = [regex(part) for part in node.parts]
    if node.mark == "+":
        return "".join(parts)
    if node.mark == "?":
        return f"(?:{parts[0]})?"
    return f"(?:{'|'.join(parts if node.mark == '|' else map(''.join, permutations(parts)))})"


def template(node: Tree) -> Template:
    """The parsed template."""
    return READER.read(written(node))


def spells(node: Tree, text: str) -> bool:
    """Whether a text is one of the sentences."""
    return re.fullmatch(regex(node), text) is not None


def sentence(data: st.DataObject, node: Tree | Leaf) -> str:
    """One of the sentences."""
    if isinstance(node, Leaf):
        return data.draw(st.sampled_from(node.sentences))
    if node.mark == "|":
        return sentence(data, data.draw(st.sampled_from(node.parts)))
    if node.mark == "?" and not data.draw(st.booleans()):
        return ""
    parts = [sentence(data, part) for part in node.parts]
    return "".join(data.draw(st.permutations(parts)) if node.mark == ";" else parts)
