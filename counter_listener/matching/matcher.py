"""A phrase set prepared for matching, and which of its phrases are likely at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from counter_listener.domain import Findings, Forbidden, Frame, PhraseSet, Prior, Role, Rule, Scenario
from counter_listener.matching.automata import Automaton, Entry, compile_automaton
from counter_listener.matching.confusion import fitted
from counter_listener.matching.scoring import Candidate
from counter_listener.phrases import Units, template_reader

PRIOR_ORDER: Final[tuple[Prior, ...]] = ("nothing", "phrases", "scenario")
CONTEXTS: Final[frozenset[Role]] = frozenset({"unless", "need", "not_in", "frame"})
"""Roles of templates that change the meaning of others; several owners may list the same one."""
LIKELY_SECONDS: Final = 60.0
"""Longest time between two phrases of one visit; other talk has no phrases."""
PLACES: Final = ("before", "after", "around")
"""Where a frame may stand: the keys of its templates."""
MIN_EXPLAINED: Final = 0.15
"""The least share of its full score with which a phrase is explained."""
MAX_COURTESIES: Final = 200
"""Most sentences of the template of a courtesy that are looked for inside other templates."""
MAX_PRECEDING_UNITS: Final = 24
"""Units of the previous utterances in which a template may have begun."""

CacheKey = tuple[tuple[object, ...], ...]
"""What decides which candidates an utterance has."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A phrase set prepared for matching."""

    phrases: PhraseSet
    automaton: Automaton
    rules: Mapping[str, Rule]
    frames: Mapping[str, Frame]
    courtesies: Mapping[str, tuple[tuple[Units, tuple[Entry, ...]], ...]]
    """The sentences of courtesy words, and of the courtesies that rules need, by their first unit."""
    scenario_phrases: frozenset[str] = frozenset()
    """Ids of the phrases that are owed only in a scenario."""
    cache: OrderedDict[CacheKey, tuple[Candidate, ...]] | None = field(default=None, compare=False, repr=False)
    """The candidates of recent utterances, if they are cached."""

    def is_likely(self, phrase: str, prior: Prior) -> bool:
        """Whether a phrase is likely to be said."""
        return prior == "scenario" or (prior == "phrases" and phrase not in self.scenario_phrases)


def prepare_matcher(phrases: PhraseSet) -> Matcher:
    """A matcher for all templates of a phrase set, with its frames."""
    entries, search = _merged(_entries(phrases)), fitted()["search"]
    return Matcher(
        phrases=phrases,
        automaton=compile_automaton(entries, search["min_share"], search["min_margin"]),
        rules={rule.id: rule for rule in phrases.rule},
        frames={frame.id: frame for frame in phrases.frames.frame},
        courtesies=_courtesies(entries),
        scenario_phrases=frozenset(
            phrase.id for stage, scenario in phrases.stages() if scenario for phrase in stage.phrase
        ),
    )


def matcher_of(matcher: Matcher, owner: str) -> Matcher:
    """A matcher of one phrase, offence or rule and its contexts, which also finds what hardly resembles it."""
    own = [entry for entry in matcher.automaton.entries if owner in entry.owners]
    return replace(matcher, automaton=compile_automaton(own, MIN_EXPLAINED, 0.0), cache=None)


def with_cache(matcher: Matcher) -> Matcher:
    """The same with a cache, for thousands of recordings: at a counter the same is said all day long. Not for live
    listening: what is heard there must not be kept, not even in memory.
    """
    return replace(matcher, cache=OrderedDict[CacheKey, tuple[Candidate, ...]]())


def _entries(phrases: PhraseSet) -> Iterator[Entry]:
    read = template_reader(phrases).read
    for role, owner, texts, threshold, shared in _template_groups(phrases):
        for text in texts:
            yield Entry(role, frozenset((owner,)), read(text), shared, threshold)
    read = template_reader(phrases.frames).read
    for frame in phrases.frames.frame:
        for place in PLACES:
            for text in getattr(frame, place):
                yield Entry("frame", frozenset((f"{frame.id} {place}",)), read(text))


def _template_groups(phrases: PhraseSet) -> Iterator[tuple[Role, str, Sequence[str], float | None, bool]]:
    """Every list of templates: role, id of its owner, templates, threshold, and whether customers say them too."""
    for phrase, _ in phrases.phrases():
        yield "phrase", phrase.id, phrase.say, phrase.threshold, False
        yield "phrase", phrase.id, phrase.shared, phrase.threshold, True
        yield "not_in", phrase.id, phrase.not_in, None, False
    for aside in phrases.aside:
        yield "phrase", aside.id, aside.say, None, False
        yield "phrase", aside.id, aside.shared, None, True
        yield "not_in", aside.id, aside.not_in, None, False
    for errand in phrases.errand:
        yield "errand", errand.id, (*errand.say, *errand.shared), None, False
        yield "not_in", errand.id, errand.not_in, None, False
    for offence in phrases.forbidden:
        yield "forbidden", offence.id, offence.say, offence.threshold, False
        yield "forbidden", offence.id, offence.shared, offence.threshold, True
    for word in phrases.word:
        yield "word", word.id, word.say, None, False
        yield "word", word.id, word.shared, None, True
        yield "not_in", word.id, word.not_in, None, False
    for rule in phrases.rule:
        yield "when", rule.id, rule.when, None, False
        yield "when", rule.id, rule.shared, None, True
        yield "need", rule.id, rule.need, None, False
    for scenario in phrases.scenario:
        yield "trigger", scenario.id, scenario.when, None, False
    excusable: tuple[Forbidden | Rule | Scenario, ...] = (*phrases.forbidden, *phrases.rule, *phrases.scenario)
    for entry in excusable:
        yield "unless", entry.id, entry.unless, None, False
        yield "not_in", entry.id, entry.not_in, None, False


def _merged(entries: Iterator[Entry]) -> list[Entry]:
    """The entries that have a syllable of their own; contexts that several owners list appear once."""
    found: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        if entry.template.min_units:
            owners = None if entry.role in CONTEXTS and entry.role != "frame" else entry.owners
            key = (entry.role, owners, entry.template.node, entry.shared)
            known = found.get(key)
            found[key] = known._replace(owners=known.owners | entry.owners) if known else entry
    return list(found.values())


def _courtesies(entries: Sequence[Entry]) -> dict[str, tuple[tuple[Units, tuple[Entry, ...]], ...]]:
    found: dict[Units, tuple[Entry, ...]] = {}
    for entry in entries:
        if entry.role in {"word", "need"}:
            for units in filter(None, entry.template.expand(MAX_COURTESIES)):
                found[units] = (*found.get(units, ()), entry)
    firsts = dict.fromkeys(units[0] for units in found)
    return {first: tuple(one for one in found.items() if one[0][0] == first) for first in firsts}


@dataclass(frozen=True, slots=True)
class RecentPhrases:
    """When the last phrase was heard, and the last phrase or trigger of a scenario, in seconds."""

    phrase: float = -inf
    scenario: float = -inf

    def prior(self, now: float) -> Prior:
        """What is likely at a time."""
        since = now - LIKELY_SECONDS
        return "scenario" if self.scenario >= since else "phrases" if self.phrase >= since else "nothing"

    def after(self, findings: Findings, scenario_phrases: Collection[str]) -> RecentPhrases:
        """The same after an utterance. Only phrases count that are hits without a prior too."""
        phrases = [hit for hit in findings.phrases if hit.certain]
        in_scenario = (*findings.triggers, *(hit for hit in phrases if hit.owner in scenario_phrases))
        return RecentPhrases(
            max((self.phrase, *(hit.end for hit in phrases))), max((self.scenario, *(hit.end for hit in in_scenario)))
        )


def prior_within(findings: Findings, scenario_phrases: Collection[str]) -> Prior:
    """What is likely in the same utterance as these findings."""
    if findings.triggers or any(hit.owner in scenario_phrases for hit in findings.phrases):
        return "scenario"
    return "phrases" if findings.phrases else "nothing"
