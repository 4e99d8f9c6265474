"""A phrase set made ready for matching."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from counter_listener.domain import PhraseSet, Prior, Rule
from counter_listener.matching.beginnings import Beginnings, phrase_beginnings, with_beginnings
from counter_listener.matching.implied import ImpliedCourtesies, implied_courtesies
from counter_listener.matching.index import Index, build_index, rebuild_thresholds
from counter_listener.matching.patterns import Pattern, compile_patterns, with_likely_threshold
from counter_listener.matching.scoring import Candidate, max_units

Same = tuple[tuple[object, ...], ...]
"""Of an utterance what decides where wordings stand in it."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A phrase set made ready for matching."""

    phrases: PhraseSet
    patterns: tuple[Pattern, ...]
    index: Index
    rules: Mapping[str, Rule]
    inside: ImpliedCourtesies
    """The courtesy words and courtesies that owed wordings hold."""
    beginnings: Beginnings
    """How owed wordings begin."""
    longest: int
    """Units that the longest wording may take."""
    of_scenarios: frozenset[str] = frozenset()
    """Ids of the phrases that are owed in a scenario alone."""
    expected: Prior = "nothing"
    """What is likely to be said where it listens."""
    others: Mapping[Prior, Matcher] = field(default_factory=dict)
    """The same where something else is."""
    known: OrderedDict[Same, tuple[Candidate, ...]] | None = field(default=None, compare=False, repr=False)
    """Where wordings stood in what was said of late, if that is remembered."""

    def when(self, expected: Prior) -> Matcher:
        """What to listen with where this is likely to be said."""
        return self.others.get(expected, self)

    def is_likely(self, phrase: str) -> bool:
        """Whether a phrase is likely where it listens."""
        return self.expected == "scenario" or (self.expected == "phrases" and phrase not in self.of_scenarios)


def prepare_matcher(phrases: PhraseSet) -> Matcher:
    """A matcher for all wordings of a phrase set."""
    wordings = compile_patterns(phrases)
    known = phrase_beginnings(wordings)
    patterns = tuple(with_beginnings(wordings, known))
    plain = Matcher(
        phrases=phrases,
        patterns=patterns,
        index=build_index(patterns),
        rules={rule.id: rule for rule in phrases.rule},
        inside=implied_courtesies(patterns),
        beginnings=known,
        longest=max(map(max_units, patterns), default=0),
        of_scenarios=frozenset(
            phrase.id for stage, scenario in phrases.stages() if scenario for phrase in stage.phrase
        ),
    )
    owed = with_prior(plain, "phrases")
    return replace(plain, others={"phrases": owed, "scenario": with_prior(owed, "scenario")})


def with_prior(less: Matcher, expected: Prior) -> Matcher:
    """The same where more is likely to be said; what was likely already stays as it is."""
    matcher = replace(less, expected=expected)

    def newly(pattern: Pattern) -> bool:
        owed = pattern.role == "phrase"
        return owed and matcher.is_likely(pattern.owner) and not less.is_likely(pattern.owner)

    patterns = tuple(with_likely_threshold(pattern) if newly(pattern) else pattern for pattern in less.patterns)
    return replace(matcher, patterns=patterns, index=rebuild_thresholds(less.index, patterns))


def with_cache(matcher: Matcher) -> Matcher:
    """The same for recordings by the thousand: at a counter the same is said all day long.

    What is heard live is to be remembered nowhere, not in memory either.
    """
    known = OrderedDict[Same, tuple[Candidate, ...]]()
    others = {expected: replace(other, known=known) for expected, other in matcher.others.items()}
    return replace(matcher, known=known, others=others)
