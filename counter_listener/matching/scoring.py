"""How likely it is that an alignment is what was said: features, learned weights, one posterior; and three vetoes.

A veto is a hard constraint: a sentence that loses or gains a 不, or names another person, is another sentence however
alike it sounds, and a short offence inside other words is a fragment of another sentence. Everything else is evidence.
The weights are fitted (`python bench/fit_score.py`), the thresholds are set by hand; both stand in score.json.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import exp, log2
from typing import Final, Literal

from counter_listener.domain import Role
from counter_listener.matching.confusion import fitted, persons, word_class
from counter_listener.matching.syllables import UNALIGNED, Alignment, Syllables
from counter_listener.phrases import Units

PAUSE_BITS: Final = 10.0
"""What a candidate must have more for each pause inside it: two clauses are mostly two sentences."""
INEXACT_BITS: Final = 8.0
"""What an inexact candidate must have more than one that is there to the letter: about a syllable."""
SHORT_OFFENCE: Final = 3
"""Syllables up to which an offence must be a clause of its own: they stand in many other sentences."""
CONFIDENCE_UNITS: Final = 6
"""Units on either side that count for the local confidence."""

Veto = Literal["contrary", "person", "fragment"]
Features = dict[str, float]


@dataclass(frozen=True)
class Candidate:
    """An alignment with its verdict."""

    alignment: Alignment
    features: Features
    posterior: float
    """Probability, 0-1, that it was said."""
    accepted: bool
    veto: Veto | None = None

    @property
    def role(self) -> Role:
        """What the template is for."""
        return self.alignment.entry.role

    @property
    def owner(self) -> str:
        """The id of its only owner."""
        return self.alignment.entry.owner

    @property
    def owners(self) -> frozenset[str]:
        """The ids of what lists it."""
        return self.alignment.entry.owners

    @property
    def first(self) -> int:
        """Its first unit."""
        return self.alignment.first

    @property
    def last(self) -> int:
        """The unit after its last one."""
        return self.alignment.last

    @property
    def similarity(self) -> float:
        """Similarity, 0-100: the share of the full score."""
        return similarity(self.alignment)

    @cached_property
    def spelled(self) -> bool:
        """Whether it is the template to the letter."""
        return self.alignment.spelled

    @cached_property
    def value(self) -> float:
        """Bits, less those that are missing and half of the choices: of two candidates the one with more is better."""
        alignment = self.alignment
        clauses = alignment.syllables.clauses
        against = alignment.choices / 2 + PAUSE_BITS * (clauses[self.last - 1] - clauses[self.first])
        against += 0.0 if self.spelled else INEXACT_BITS
        return 2 * alignment.bits - alignment.full - against


def similarity(alignment: Alignment) -> float:
    """The share of the full score, 0-100."""
    return round(100 * min(1.0, max(0.0, alignment.bits / max(alignment.full, 1e-9))), 1)


def score(alignment: Alignment, edges: frozenset[int], *, expected: bool) -> Candidate:
    """The verdict on an alignment; the clause also ends at the units in `edges`, where other phrases begin or end.

    What fits a template to the letter is always accepted.
    """
    entry = alignment.entry
    if len(alignment.steps) == 1:
        return _score_single(alignment)
    features = features_of(alignment, edges, expected=expected)
    candidate = Candidate(alignment, features, 0.0, accepted=False, veto=find_veto(alignment, edges))
    weights = fitted()["weights"][_kind(entry.role)]
    total = weights["bias"] + sum(weights[name] * value for name, value in features.items())
    posterior = 1.0 / (1.0 + exp(-max(-30.0, min(30.0, total))))
    if entry.threshold is not None:
        accepted = candidate.similarity >= entry.threshold
    else:
        accepted = candidate.spelled or posterior >= threshold(candidate)
    return replace(candidate, posterior=posterior, accepted=accepted and candidate.veto is None)


def shares(candidate: Candidate) -> Features:
    """What each feature adds to the log-odds of the posterior; `bias` is what the features must outweigh."""
    weights = fitted()["weights"][_kind(candidate.role)]
    named = {name: weights[name] * value for name, value in candidate.features.items() if value}
    return {"bias": weights["bias"], **named} if named else {}


def threshold(candidate: Candidate) -> float:
    """The posterior from which a candidate is accepted."""
    return float(fitted()["thresholds"][_kind(candidate.role)])


def _kind(role: Role) -> str:
    """The name of the weights for a role."""
    return role if role in fitted()["weights"] else "other"


def _score_single(alignment: Alignment) -> Candidate:
    """A template of one syllable: its sound says too little, so the character must stand there, and begin a word."""
    (step,), syllables = alignment.steps, alignment.syllables
    heard = syllables.units[step.partner] == step.unit
    heard = heard and (syllables.first_in_word[step.partner] or alignment.entry.role == "frame")
    return Candidate(alignment, {}, float(heard), heard)


def features_of(alignment: Alignment, edges: frozenset[int], *, expected: bool) -> Features:
    """What speaks for and against an alignment.

    A recogniser writes the words that fit the sounds best. A character that differs from the template's is plain where
    it forms a common word with its neighbour: then that word was said. Where it forms none, it is an error.
    """
    syllables = alignment.syllables
    spoken = [step for step in alignment.steps if step.unit]
    foreign = [step for step in spoken if step.partner != UNALIGNED and syllables.units[step.partner] != step.unit]
    lost = [step for step in spoken if step.partner == UNALIGNED]
    inserted = [unit for unit in alignment.inserted if not syllables.is_filler[unit]]
    plain = {step.partner for step in foreign if syllables.plain[step.partner]}
    open_sides = sum(not edge for edge in clause_edges(alignment, edges))
    differs = bool(foreign or lost or inserted)

    def count(*, alike: bool, is_plain: bool) -> float:
        return float(sum((step.bits > 0) == alike and (step.partner in plain) == is_plain for step in foreign))

    return {
        "evidence": min(alignment.bits, 100.0) / 20,
        "share": alignment.bits / max(alignment.full, 1e-9),
        "missing": (alignment.full - alignment.bits) / 20,
        "choices": alignment.choices / 20 if differs else 0.0,
        "alike": count(alike=True, is_plain=False),
        "alike_plain": count(alike=True, is_plain=True),
        "unlike": count(alike=False, is_plain=False),
        "unlike_plain": count(alike=False, is_plain=True),
        "lost": float(len(lost)),
        "inserted": float(len(inserted)),
        "edges": float((spoken[0].bits < 0) + (spoken[-1].bits < 0)),
        "open": float(open_sides) if differs else 0.0,
        "crossing": float(sum(syllables.joined[at] for at in (alignment.first - 1, alignment.last - 1) if at >= 0)),
        "pauses": float(syllables.clauses[alignment.last - 1] - syllables.clauses[alignment.first]),
        "confidence": -log2(max(local_confidence(alignment), 0.01)),
        "courtesy": float(sum(spoken[at].bits < 0 for at in _courtesies(tuple(step.unit for step in spoken)))),
        "slots": float(len(alignment.steps) > len(spoken)),
        "odd": syllables.odd_share if differs else 0.0,
        "expected": float(expected and differs),
    }


@lru_cache(maxsize=4096)
def _courtesies(units: Units) -> tuple[int, ...]:
    """The places of courtesies in the units of a template."""
    return tuple(_places(_text(units), word_class("courtesies")))


def _text(units: Units) -> str:
    """Units as characters; a slot or a word in letters is one that stands in no word."""
    return "".join(unit if len(unit) == 1 else "\0" for unit in units)


def _places(text: str, words: Iterable[str]) -> Iterator[int]:
    """Where a character of one of these words stands in a text."""
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield from range(at, at + len(word))
            at = text.find(word, at + 1)


def clause_edges(alignment: Alignment, edges: frozenset[int]) -> tuple[bool, bool]:
    """Whether it stands at the beginning of a clause, and at the end of one. Fillers and slots do not count."""
    syllables = alignment.syllables
    partners = [step.partner for step in alignment.steps if step.partner != UNALIGNED]
    before = range(min(partners) - 1, -1, -1)
    after = range(max(partners) + 1, len(syllables))
    return (
        _is_edge(before, syllables.clauses[alignment.first], syllables, frozenset(edge - 1 for edge in edges)),
        _is_edge(after, syllables.clauses[alignment.last - 1], syllables, edges),
    )


def _is_edge(outward: range, clause: int, syllables: Syllables, edges: frozenset[int]) -> bool:
    """Whether the rest of the clause on this side is only fillers, or another phrase stands there."""
    for at in outward:
        if at in edges or syllables.clauses[at] != clause:
            return True
        if not syllables.is_filler[at]:
            return False
    return True


def local_confidence(alignment: Alignment) -> float:
    """The mean confidence of the recogniser around it, 0-1, within its clauses: others may speak beyond a pause."""
    syllables = alignment.syllables
    if syllables.certain:
        return 1.0
    first, last = syllables.clauses[alignment.first], syllables.clauses[alignment.last - 1]
    near = range(max(0, alignment.first - CONFIDENCE_UNITS), min(len(syllables), alignment.last + CONFIDENCE_UNITS))
    around = [syllables.confidence[at] for at in near if first <= syllables.clauses[at] <= last]
    return sum(around) / len(around)


def find_veto(alignment: Alignment, edges: frozenset[int]) -> Veto | None:
    """Whether it is another sentence (negated, a question, of another person), or a short offence inside a clause.

    现在能办 is not 现在不能办, however long it is; 字是我自己签的 is not 字是你自己签的; 我声音不行 is not 不行.
    """
    units, negations = alignment.syllables.units, word_class("negations")
    said = _negations(tuple(step.unit for step in alignment.steps))
    lost = any(alignment.steps[at].bits < 0 for at in said)
    slots = () if said else (units[step.partner] for step in alignment.steps if not step.unit)
    replaced = [step for step in alignment.steps if step.unit and step.partner != UNALIGNED and step.bits < 0]
    gained = any(units[unit] in negations for unit in (*alignment.inserted, *(step.partner for step in replaced)))
    if lost or gained or any(unit in negations for unit in slots) or _asks(alignment):
        return "contrary"
    if _names_other_person(alignment):
        return "person"
    short = alignment.entry.role == "forbidden" and sum(bool(step.unit) for step in alignment.steps) <= SHORT_OFFENCE
    return "fragment" if short and not all(clause_edges(alignment, edges)) else None


@lru_cache(maxsize=4096)
def _negations(units: Units) -> tuple[int, ...]:
    """The places of the negations of a template, without those that negate nothing: in 对不起, and in 办不办."""
    neutral = frozenset(_places(_text(units), word_class("neutral_words")))
    found = (at for at, unit in enumerate(units) if unit in word_class("negations") and at not in neutral)
    return tuple(at for at in found if not (0 < at < len(units) - 1 and units[at - 1] == units[at + 1]))


def _asks(alignment: Alignment) -> bool:
    """Whether a question word is inserted in a template that has none: 填哪张表 is not 填张表."""
    units, asking = alignment.syllables.units, word_class("interrogatives")
    inserted = any(units[unit] in asking for unit in alignment.inserted)
    return inserted and not any(step.unit in asking for step in alignment.steps)


def _names_other_person(alignment: Alignment) -> bool:
    """Whether another person is named where a 我, 你 or 他 of the template should be."""
    units, groups = alignment.syllables.units, persons()
    for at, step in enumerate(alignment.steps):
        wanted = groups.get(step.unit)
        if wanted is None:
            continue
        places = [step.partner] if step.partner != UNALIGNED else _between(alignment, at)
        if any(groups.get(units[place], wanted) != wanted for place in places):
            return True
    return False


def _between(alignment: Alignment, at: int) -> range:
    """The units between the partners of the neighbours of a lost syllable."""
    partners = [step.partner for step in alignment.steps]
    before = next((unit for unit in reversed(partners[:at]) if unit != UNALIGNED), alignment.first - 2)
    after = next((unit for unit in partners[at + 1 :] if unit != UNALIGNED), alignment.last + 1)
    return range(max(0, before + 1), min(after, len(alignment.syllables)))
