"""A phrase set prepared for matching, and which of its phrases are likely at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from counter_listener.domain import Findings, PhraseSet, Prior, Rule
from counter_listener.matching.compilation import (
    Beginnings,
    ImpliedCourtesies,
    ambiguous_prefixes,
    compile_patterns,
    implied_courtesies,
    phrase_beginnings,
)
from counter_listener.matching.confusion import parameters
from counter_listener.matching.index import Index, build_index, pair_thresholds
from counter_listener.matching.patterns import Pattern, with_likely_threshold
from counter_listener.matching.scoring import Candidate

PRIOR_ORDER: Final[tuple[Prior, ...]] = ("nothing", "phrases", "scenario")
MAX_FILLERS: Final = 6
"""Units that a candidate may have more than its wording has positions."""

CacheKey = tuple[tuple[object, ...], ...]
"""What decides which candidates an utterance has."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A phrase set prepared for matching."""

    phrases: PhraseSet
    patterns: tuple[Pattern, ...]
    index: Index
    min_pairs: tuple[int, ...]
    """For each pattern: how many of its pairs of sounds must be in a segment."""
    rules: Mapping[str, Rule]
    implied: ImpliedCourtesies
    beginnings: Beginnings
    max_units: int
    """Most units that a candidate may cover."""
    scenario_phrases: frozenset[str] = frozenset()
    """Ids of the phrases that are owed only in a scenario."""
    prior: Prior = "nothing"
    """What is likely to be said."""
    by_prior: Mapping[Prior, Matcher] = field(default_factory=dict)
    """The matchers for other priors."""
    cache: OrderedDict[CacheKey, tuple[Candidate, ...]] | None = field(default=None, compare=False, repr=False)
    """The candidates of recent utterances, if they are cached."""

    def for_prior(self, prior: Prior) -> Matcher:
        """The matcher to use where this is likely to be said."""
        return self.by_prior.get(prior, self)

    def is_likely(self, phrase: str) -> bool:
        """Whether a phrase is likely to be said."""
        return self.prior == "scenario" or (self.prior == "phrases" and phrase not in self.scenario_phrases)


def prepare_matcher(phrases: PhraseSet) -> Matcher:
    """A matcher for all wordings of a phrase set."""
    wordings = compile_patterns(phrases)
    beginnings = phrase_beginnings(wordings)
    patterns = tuple(
        pattern._replace(ambiguous_prefixes=ambiguous_prefixes(pattern, beginnings)) for pattern in wordings
    )
    index = build_index(patterns)
    matcher = Matcher(
        phrases=phrases,
        patterns=patterns,
        index=index,
        min_pairs=pair_thresholds(index, patterns),
        rules={rule.id: rule for rule in phrases.rule},
        implied=implied_courtesies(patterns),
        beginnings=beginnings,
        max_units=max((len(pattern.sounds) + MAX_FILLERS for pattern in patterns), default=0),
        scenario_phrases=frozenset(
            phrase.id for stage, scenario in phrases.stages() if scenario for phrase in stage.phrase
        ),
    )
    likely = _with_prior(matcher, "phrases")
    return replace(matcher, by_prior={"phrases": likely, "scenario": _with_prior(likely, "scenario")})


def _with_prior(base: Matcher, prior: Prior) -> Matcher:
    """The same where more is likely to be said; what was likely already stays as it is."""
    matcher = replace(base, prior=prior)
    patterns = tuple(
        with_likely_threshold(pattern)
        if pattern.role == "phrase" and matcher.is_likely(pattern.owner) and not base.is_likely(pattern.owner)
        else pattern
        for pattern in base.patterns
    )
    return replace(matcher, patterns=patterns, min_pairs=pair_thresholds(base.index, patterns))


def with_cache(matcher: Matcher) -> Matcher:
    """The same with a cache, for thousands of recordings: at a counter the same is said all day long. Not for live
    listening: what is heard there must not be kept, not even in memory.
    """
    cache = OrderedDict[CacheKey, tuple[Candidate, ...]]()
    by_prior = {prior: replace(other, cache=cache) for prior, other in matcher.by_prior.items()}
    return replace(matcher, cache=cache, by_prior=by_prior)


@dataclass(frozen=True, slots=True)
class RecentPhrases:
    """When the last phrase was heard, and the last phrase or trigger of a scenario, in seconds."""

    phrase: float = -inf
    scenario: float = -inf

    def prior(self, now: float) -> Prior:
        """What is likely at a time."""
        since = now - parameters().likely_seconds
        return "scenario" if self.scenario >= since else "phrases" if self.phrase >= since else "nothing"

    def after(self, findings: Findings, scenario_phrases: Collection[str]) -> RecentPhrases:
        """The same after an utterance. Only phrases count that are hits without a prior too."""
        least = 100 * (1 - parameters().thresholds["phrase"].max_share)
        phrases = [hit for hit in findings.phrases if hit.score >= least]
        in_scenario = (*findings.triggers, *(hit for hit in phrases if hit.owner in scenario_phrases))
        return RecentPhrases(
            max((self.phrase, *(hit.end for hit in phrases))), max((self.scenario, *(hit.end for hit in in_scenario)))
        )


def prior_within(findings: Findings, scenario_phrases: Collection[str]) -> Prior:
    """What is likely in the same utterance as these findings."""
    if findings.triggers or any(hit.owner in scenario_phrases for hit in findings.phrases):
        return "scenario"
    return "phrases" if findings.phrases else "nothing"
