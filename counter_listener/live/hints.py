"""Which phrase the screen hints at, at any moment of a visit: at most one, and never part of the record. Pure.

A hint is due some seconds after its moment, and goes as soon as the phrase is heard, something later overtakes it, or
the visit closes. When is data of the phrase set; what a set does not say follows from its stages.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from counter_listener.domain import Findings, Phrase, PhraseSet, Scenario, Stage

OPENED: Final = "opened"
"""In place of an id: the opening of the visit."""
FIRST_SHARE: Final = 1 / 3
"""The share of its `within` after which the first phrase is hinted at: early enough to be said in time."""
WAITS: Final = {"first": 5.0, "next": 6.0, "last": 4.0, "scenario": 4.0}
"""Seconds from its moment to the hint where the phrase set says nothing, by the place of the stage in the visit."""
QUIET_SHARE: Final = 1 / 3
"""The share of `visit.idle` without speech after which the farewell is hinted at."""


@dataclass(frozen=True, slots=True)
class HintRule:
    """When one phrase is hinted at."""

    phrase: str
    """Its id."""
    title: str
    say: str
    """A sentence that would do; may be empty."""
    after: tuple[str, ...]
    """Ids of phrases and scenarios, or OPENED: the last of them is the moment."""
    wait: float
    """Seconds from that moment."""
    quiet: float
    """Seconds without speech after which it is due too; 0 is never."""
    until: tuple[str, ...]
    """Ids of phrases: one of them after the moment overtakes it."""
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """A phrase that is due and was not heard yet."""

    phrase: str
    """Its id."""
    title: str
    say: str


@dataclass(frozen=True, slots=True)
class Moments:
    """What has happened in the open visit, in seconds into the stream."""

    opened: float
    """When the visit opened, or the first sign of a service in it came."""
    said: Mapping[str, float] = field(default_factory=dict)
    """When each phrase was heard last, and when each scenario began, by id."""
    doubtful: Mapping[str, float] = field(default_factory=dict)
    """When each phrase was heard last that a customer may have said."""
    speech: float = 0.0
    """When anybody spoke last."""
    served: bool = True
    """Whether enough was heard of a service that it may wind down."""
    aside: float = float("-inf")
    """When something was said last that is beside the service, such as on the telephone."""


def hint_at(rules: Sequence[HintRule], moments: Moments, now: float) -> Hint | None:
    """The one hint at this moment: a step of a scenario before all else, then what became due last.

    After an aside there is none, until something of the service is heard: who telephones is not to be disturbed.
    """
    if moments.aside >= max(moments.said.values(), default=moments.opened):
        return None
    due = ((rule, due_at(rule, moments, frozenset(each.phrase for each in rules))) for rule in rules)
    shown = [(rule.scenario is not None, at, -rank, rule) for rank, (rule, at) in enumerate(due) if at is not None]
    shown = [each for each in shown if each[1] <= now]
    if not shown:
        return None
    rule = max(shown, key=lambda each: each[:3])[3]
    return Hint(rule.phrase, rule.title, rule.say)


def due_at(rule: HintRule, moments: Moments, hinted: AbstractSet[str] = frozenset()) -> float | None:
    """When a phrase is hinted at, as far as is known now; None while nothing makes it due.

    `hinted` are the ids of all phrases that have a rule.

    Words that a customer may have said are no answer beforehand, but to a hint that is shown they are one. A customer's
    thanks make a farewell due if anything of the service was heard; a customer's greeting is still to be answered, and
    makes nothing else due.
    """
    if rule.phrase in moments.said:
        return None
    last = max(_moments_of(rule, moments, hinted), default=None)
    due = []
    if last is not None and all(moments.said.get(name, float("-inf")) < last for name in rule.until):
        due.append(last + rule.wait)
    if rule.quiet and moments.said and moments.served:
        due.append(max(moments.speech, moments.opened) + rule.quiet)
    at = min(due, default=None)
    answered = at is not None and moments.doubtful.get(rule.phrase, float("-inf")) >= at
    return None if answered else at


def _moments_of(rule: HintRule, moments: Moments, hinted: AbstractSet[str]) -> Iterator[float]:
    for name in rule.after:
        if name == OPENED:
            yield moments.opened
        if name in moments.said:
            yield moments.said[name]
        elif name in moments.doubtful and name not in hinted and moments.said and moments.served:
            yield moments.doubtful[name]


def signs_in(findings: Findings, phrases: PhraseSet) -> frozenset[str]:
    """What in an utterance shows that somebody is served, as ids: what a customer comes for or complains of, anybody's
    greeting, or what a clerk says of the phrase set. Talk with a colleague that only opened a visit has none.
    """
    greetings, asides = _ids(phrases, phrases.visit.opens), {aside.id for aside in phrases.aside}
    owners = {hit.owner for hit in findings.phrases if not hit.shared or hit.owner in greetings}
    if not asides.isdisjoint(owners):
        return frozenset()
    return frozenset(owners | {hit.owner for hit in (*findings.errands, *findings.triggers)})


def service_points(phrases: PhraseSet) -> dict[str, float]:
    """What each sign proves of a service, as `[visit.service]` of the phrase set has it, by id.

    A greeting shows that somebody came, and not that anything was done.
    """
    proof, greetings = phrases.visit.service, _ids(phrases, phrases.visit.opens)
    points = {phrase.id: proof.required if phrase.required else proof.recommended for phrase, _ in phrases.phrases()}
    points |= dict.fromkeys((scenario.id for scenario in phrases.scenario), proof.required)
    points |= dict.fromkeys((errand.id for errand in phrases.errand), proof.required)
    return {name: 0.0 if name in greetings else number for name, number in points.items()}


def hint_rules(phrases: PhraseSet, ways: Mapping[str, str]) -> tuple[HintRule, ...]:
    """The rules of a phrase set, in the order of its file. `ways` is a sentence for each phrase, by id."""
    named = _names(phrases)
    groups = [(list(phrases.stage), None), *((list(scenario.stage), scenario) for scenario in phrases.scenario)]
    return tuple(
        _rule(phrase, _default(phrases, stages, at, phrase, scenario), named, ways.get(phrase.id, ""), scenario)
        for stages, scenario in groups
        for at, stage in enumerate(stages)
        for phrase in stage.phrase
        if phrase.hint.show and (phrase.required or phrase.hint.after is not None)
    )


@dataclass(frozen=True, slots=True)
class _Default:
    """What holds where a phrase says nothing; the names are ids of phrases."""

    after: tuple[str, ...]
    wait: float
    quiet: float
    until: tuple[str, ...]


def _rule(
    phrase: Phrase, default: _Default, named: Mapping[str, tuple[str, ...]], way: str, scenario: Scenario | None
) -> HintRule:
    own = phrase.hint
    after = default.after if own.after is None else _resolved(own.after, named, phrase)
    until = default.until if own.until is None else _resolved(own.until, named, phrase)
    return HintRule(
        phrase.id,
        phrase.name,
        own.say or way,
        after,
        default.wait if own.wait is None else own.wait,
        default.quiet if own.quiet is None else own.quiet,
        tuple(name for name in until if name not in after),
        scenario.id if scenario is not None else None,
    )


def _default(
    phrases: PhraseSet, stages: Sequence[Stage], at: int, phrase: Phrase, scenario: Scenario | None
) -> _Default:
    """By the place of the stage: after the opening, after the stage before, or when the visit winds down."""
    stage, closing = stages[at], _ids(phrases, phrases.visit.closes)
    later = tuple(each.id for one in stages[at + 1 :] for each in one.phrase)
    beside = tuple(each.id for each in stage.phrase if not each.required and each.id != phrase.id)
    if scenario is not None:
        begins = (scenario.id,) if at == 0 else tuple(each.id for each in stages[at - 1].phrase)
        return _Default(begins, WAITS["scenario"], 0.0, (*later, *closing))
    if at == 0:
        wait = WAITS["first"] if phrase.within is None else phrase.within * FIRST_SHARE
        return _Default((OPENED,), wait, 0.0, later)
    if not closing.isdisjoint(each.id for each in stage.phrase) or at == len(stages) - 1:
        resumed = tuple(each.id for one in stages[:at] for each in one.phrase)
        others = tuple(each.id for each in stage.phrase if each.id != phrase.id)
        is_last = phrase.id in closing
        signals = others if is_last else tuple(name for name in others if name not in closing)
        quiet = phrases.visit.idle * QUIET_SHARE if is_last else 0.0
        return _Default(signals, WAITS["last"], quiet, resumed if is_last else (*resumed, *closing))
    before = stages[at - 1].phrase
    required = tuple(each.id for each in before if each.required) or tuple(each.id for each in before)
    return _Default(required, WAITS["next"], 0.0, (*beside, *later))


def _names(phrases: PhraseSet) -> dict[str, tuple[str, ...]]:
    """What each id stands for in a hint: a phrase or scenario for itself, a stage or step for its phrases."""
    named: dict[str, tuple[str, ...]] = {scenario.id: (scenario.id,) for scenario in phrases.scenario}
    named |= {stage.id: tuple(phrase.id for phrase in stage.phrase) for stage, _ in phrases.stages()}
    for phrase, _ in phrases.phrases():
        named[phrase.id] = (phrase.id,)
        if phrase.step:
            named[phrase.step] = (*named.get(phrase.step, ()), phrase.id)
    return named


def _resolved(names: Iterable[str], named: Mapping[str, tuple[str, ...]], phrase: Phrase) -> tuple[str, ...]:
    found = (id_ for name in names for id_ in named.get(name, (name,)))
    return tuple(dict.fromkeys(id_ for id_ in found if id_ != phrase.id))


def _ids(phrases: PhraseSet, names: Iterable[str]) -> frozenset[str]:
    named = _names(phrases)
    return frozenset(id_ for name in names for id_ in named.get(name, ()))
