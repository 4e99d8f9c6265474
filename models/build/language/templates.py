"""Templates of sentences: files that people write, and the sentences that they expand to.

A line is a sentence. `(a|b|)` is a choice, `{name}` any value of the slot with this name. `name = a | b` adds values to
a slot; they may contain choices and slots. `#` starts a comment.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.build.errors import BuildError

MAX_SENTENCES: Final = 150
"""Most sentences of one template; of a template with more, this many are drawn."""
MAX_DEPTH: Final = 12
"""Deepest nesting of slots; a deeper one is a cycle."""
TOKEN: Final = re.compile(r"\{(?P<slot>\w+)\}|(?P<mark>[(|)])|(?P<text>[^{}(|)]+)|(?P<fault>.)")
SLOT_LINE: Final = re.compile(r"(?P<name>[a-z_]+)\s*=\s*(?P<values>.+)")


@dataclass(frozen=True, slots=True)
class Slot:
    """Any value of the slot with this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several alternatives, each a sequence of parts."""

    alternatives: tuple[Alternative, ...]


Part = str | Slot | Choice
Alternative = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Templates:
    """Slots with their values, and sentences with their file and line, which errors name."""

    slots: dict[str, list[Alternative]] = field(default_factory=dict)
    sentences: list[tuple[str, Choice]] = field(default_factory=list)

    def read(self, file: Path) -> None:
        """Adds the slots and sentences of a file. Raises BuildError."""
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            text, location = line.partition("#")[0].strip(), f"{file.name}, line {number}"
            if slot := SLOT_LINE.fullmatch(text):
                self.slots.setdefault(slot["name"], []).extend(parse(slot["values"], location).alternatives)
            elif text:
                self.sentences.append((location, parse(text, location)))

    def expand(self, template: Choice, location: str) -> list[str]:
        """The sentences of a template: all of them, or MAX_SENTENCES drawn with the location as the seed.

        Raises BuildError.
        """
        if self._size(template, location, 0) <= MAX_SENTENCES:
            return list(dict.fromkeys(self._expand(template)))
        rng = random.Random(location)  # noqa: S311 - reproducible draws, not secrets
        return [self._draw(template, rng) for _ in range(MAX_SENTENCES)]

    def _alternatives(self, part: Slot | Choice) -> tuple[Alternative, ...]:
        return part.alternatives if isinstance(part, Choice) else tuple(self.slots[part.name])

    def _size(self, part: Part, location: str, depth: int) -> int:
        if isinstance(part, str):
            return 1
        if isinstance(part, Slot) and part.name not in self.slots:
            raise BuildError(f"{location}: there is no slot {{{part.name}}}.")
        if depth > MAX_DEPTH:
            raise BuildError(f"{location}: a slot contains itself.")
        total = 0
        for alternative in self._alternatives(part):
            product = 1
            for inner in alternative:
                product *= self._size(inner, location, depth + 1)
            total += product
        return total

    def _expand(self, part: Part) -> Iterator[str]:
        if isinstance(part, str):
            yield part
            return
        for alternative in self._alternatives(part):
            prefixes = [""]
            for inner in alternative:
                suffixes = list(self._expand(inner))
                prefixes = [prefix + suffix for prefix in prefixes for suffix in suffixes]
            yield from prefixes

    def _draw(self, part: Part, rng: random.Random) -> str:
        if isinstance(part, str):
            return part
        return "".join(self._draw(inner, rng) for inner in rng.choice(self._alternatives(part)))


def parse(text: str, location: str) -> Choice:
    """The parsed template. Raises BuildError, which names the location."""
    stack: list[list[list[Part]]] = [[[]]]
    for token in TOKEN.finditer(re.sub(r"\s+", "", text)):
        if token["slot"]:
            stack[-1][-1].append(Slot(token["slot"]))
        elif token["text"]:
            stack[-1][-1].append(token["text"])
        elif token["mark"] == "(":
            stack.append([[]])
        elif token["mark"] == "|":
            stack[-1].append([])
        elif token["mark"] == ")" and len(stack) > 1:
            inner = stack.pop()
            stack[-1][-1].append(Choice(tuple(map(tuple, inner))))
        else:
            raise BuildError(f"{location}: {token[0]!r} has no counterpart.")
    if len(stack) > 1:
        raise BuildError(f"{location}: '(' has no counterpart.")
    return Choice(tuple(map(tuple, stack[0])))
