"""Templates of sentences: files that people write, and the sentences that they stand for.

A line is a sentence; `(a|b|)` is a choice, `{name}` any value of the slot of that name. `name = a | b` gives a slot
values, or further ones; they may hold choices and slots themselves. `#` begins a comment.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.build.errors import BuildError

MOST: Final = 150
"""Sentences made of one template; of one that stands for more, as many are drawn."""
DEEPEST: Final = 12
"""Slots within slots: what goes deeper goes in a circle."""
TOKEN: Final = re.compile(r"\{(?P<slot>\w+)\}|(?P<mark>[(|)])|(?P<text>[^{}(|)]+)|(?P<fault>.)")
SLOT_LINE: Final = re.compile(r"(?P<name>[a-z_]+)\s*=\s*(?P<values>.+)")


@dataclass(frozen=True, slots=True)
class Slot:
    """Any value of the slot of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of parts, one of which is said."""

    rows: tuple[Row, ...]


Part = str | Slot | Choice
Row = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Templates:
    """Slots with their values, and sentences with the file and line by which a fault in them is told."""

    slots: dict[str, list[Row]] = field(default_factory=dict)
    sentences: list[tuple[str, Choice]] = field(default_factory=list)

    def read(self, file: Path) -> None:
        """Adds what a file holds. Raises BuildError."""
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            text, where = line.partition("#")[0].strip(), f"{file.name}, line {number}"
            if found := SLOT_LINE.fullmatch(text):
                self.slots.setdefault(found["name"], []).extend(parse(found["values"], where).rows)
            elif text:
                self.sentences.append((where, parse(text, where)))

    def expand(self, template: Choice, where: str) -> list[str]:
        """The sentences that a template stands for: all of them, or MOST drawn at random, always the same ones.

        Raises BuildError.
        """
        if self._size(template, where, 0) <= MOST:
            return list(dict.fromkeys(self._every(template)))
        dice = random.Random(where)  # noqa: S311 - nothing secret
        return [self._draw(template, dice) for _ in range(MOST)]

    def _rows(self, part: Slot | Choice) -> tuple[Row, ...]:
        return part.rows if isinstance(part, Choice) else tuple(self.slots[part.name])

    def _size(self, part: Part, where: str, depth: int) -> int:
        if isinstance(part, str):
            return 1
        if isinstance(part, Slot) and part.name not in self.slots:
            raise BuildError(f"{where}: there is no slot {{{part.name}}}.")
        if depth > DEEPEST:
            raise BuildError(f"{where}: a slot holds itself.")
        total = 0
        for row in self._rows(part):
            product = 1
            for inner in row:
                product *= self._size(inner, where, depth + 1)
            total += product
        return total

    def _every(self, part: Part) -> Iterator[str]:
        if isinstance(part, str):
            yield part
            return
        for row in self._rows(part):
            said = [""]
            for inner in row:
                ends = list(self._every(inner))
                said = [head + end for head in said for end in ends]
            yield from said

    def _draw(self, part: Part, dice: random.Random) -> str:
        if isinstance(part, str):
            return part
        return "".join(self._draw(inner, dice) for inner in dice.choice(self._rows(part)))


def parse(text: str, where: str) -> Choice:
    """A template's parts. Raises BuildError, which names `where` it stands."""
    open_: list[list[list[Part]]] = [[[]]]
    for token in TOKEN.finditer(re.sub(r"\s+", "", text)):
        if token["slot"]:
            open_[-1][-1].append(Slot(token["slot"]))
        elif token["text"]:
            open_[-1][-1].append(token["text"])
        elif token["mark"] == "(":
            open_.append([[]])
        elif token["mark"] == "|":
            open_[-1].append([])
        elif token["mark"] == ")" and len(open_) > 1:
            inner = open_.pop()
            open_[-1][-1].append(Choice(tuple(map(tuple, inner))))
        else:
            raise BuildError(f"{where}: {token[0]!r} has no fellow.")
    if len(open_) > 1:
        raise BuildError(f"{where}: '(' has no fellow.")
    return Choice(tuple(map(tuple, open_[0])))
