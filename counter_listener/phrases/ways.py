"""One sentence with which a phrase is said, to suggest it to a person."""

from collections.abc import Iterator
from typing import Final

from counter_listener.domain import Phrase, PhraseSet
from counter_listener.phrases.pinyin import join_units
from counter_listener.phrases.template_nodes import has_gap
from counter_listener.phrases.templates import template_reader

SYNTAX: Final = frozenset("()[]{}<>|;")
"""A template without them is one sentence."""
MOST: Final = 500
"""Sentences of a template that is spelt out."""


def one_way(phrases: PhraseSet, phrase: Phrase) -> str:
    """The shortest plain sentence of a phrase, else the shortest that its templates spell without a slot; empty if
    there is none. What customers say too is left out.
    """
    plain = [text for text in phrase.say if not SYNTAX & set(text)]
    return min(plain or list(_spelt(phrases, phrase)), key=len, default="")


def _spelt(phrases: PhraseSet, phrase: Phrase) -> Iterator[str]:
    reader = template_reader(phrases)
    for text in phrase.say:
        template = reader.read(text)
        if not has_gap(template.node):
            yield from (join_units(units) for units in template.expand(MOST) if units)
