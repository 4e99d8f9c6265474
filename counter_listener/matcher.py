"""A phrase set made ready for matching."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from counter_listener.beginnings import Beginnings, beginnings, with_beginnings
from counter_listener.index import Index, index_like, index_of
from counter_listener.inside import Inside, inside
from counter_listener.phrase_set import PhraseSet, Rule
from counter_listener.places import Place, reach
from counter_listener.wordings import Pattern, compiled, likelier

Same = tuple[tuple[object, ...], ...]
"""Of an utterance what decides where wordings stand in it."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A phrase set made ready for matching."""

    phrases: PhraseSet
    patterns: tuple[Pattern, ...]
    index: Index
    rules: Mapping[str, Rule]
    inside: Inside
    """The courtesy words and courtesies that owed wordings hold."""
    beginnings: Beginnings
    """How owed wordings begin."""
    longest: int
    """Units that the longest wording may take."""
    likely: Matcher | None = None
    """The same where owed phrases are likely; None where this is that."""
    known: OrderedDict[Same, tuple[Place, ...]] | None = field(default=None, compare=False, repr=False)
    """Where wordings stood in what was said of late, if that is remembered."""

    def when(self, *, likely: bool) -> Matcher:
        """What to listen with where owed phrases are likely, or are not."""
        return self.likely if likely and self.likely else self


def prepare(phrases: PhraseSet) -> Matcher:
    """A matcher for all wordings of a phrase set."""
    wordings = compiled(phrases)
    known = beginnings(wordings)
    patterns = tuple(with_beginnings(wordings, known))
    matcher = Matcher(
        phrases=phrases,
        patterns=patterns,
        index=index_of(patterns),
        rules={rule.id: rule for rule in phrases.rule},
        inside=inside(patterns),
        beginnings=known,
        longest=max(map(reach, patterns), default=0),
    )
    likely = tuple(likelier(patterns))
    return replace(matcher, likely=replace(matcher, patterns=likely, index=index_like(matcher.index, likely)))


def remembering(matcher: Matcher) -> Matcher:
    """The same for recordings by the thousand: at a counter the same is said all day long.

    What is heard live is to be remembered nowhere, not in memory either.
    """
    known = OrderedDict[Same, tuple[Place, ...]]()
    return replace(matcher, known=known, likely=matcher.likely and replace(matcher.likely, known=known))
