"""The wordings of a phrase set, made ready to be listened for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, combinations
from math import inf
from typing import Final, NamedTuple

from counter_listener.domain import Forbidden, PhraseSet, Role, Rule, Scenario, Slot
from counter_listener.matching.confusion import AcceptanceThreshold, information_bits, parameters
from counter_listener.phrases import SLOT, pronounce, split_units

ROUNDING: Final = 1e-6
CONTEXTS: Final[frozenset[Role]] = frozenset({"unless", "need", "not_in"})
"""What is listed for its meaning beside others, by many owners."""

Courtesies = Mapping[str | None, Collection[tuple[str, ...]]]
"""By the unit with which they begin."""

FORGIVEN_INSERTIONS: Final = 2
"""Syllables put into a wording, fillers left out, of which each is forgiven in part."""
ASKING: Final = ("请", "问")
"""One word, of which 问 is left where 请 was swallowed."""


class Pattern(NamedTuple):
    """One wording: syllables side by side, with slots of any sound around and between them."""

    role: Role
    owners: frozenset[str]
    """Ids of those that list it; more than one only for contexts."""
    wording: str
    units: tuple[str | None, ...]
    """As written; None where a slot takes any syllable."""
    sounds: tuple[str | None, ...]
    lost: tuple[float, ...]
    """What it costs not to hear each; infinite where a slot must be filled, 0 where it need not."""
    other: tuple[float, ...]
    """What it costs to hear quite another instead of each."""
    pieces: tuple[tuple[int, int], ...]
    """Where the fixed pieces stand: first up to, not including, last."""
    size: int
    """Syllables, slots left out."""
    bits: tuple[float, ...]
    """How much each of its sounds tells; 0 for a slot."""
    weight: float
    """Syllables, light ones counted as what it costs to lose them."""
    needed: float
    """Least evidence, in bits."""
    ceiling: float
    """The most that a place of it can be worth, in bits."""
    worth: float
    """Bits that a syllable of it gone wrong takes away, on average: its own, and those for being wrong."""
    least_worth: float
    """The same for the syllable that tells least."""
    characters: frozenset[str]
    miswritten: float
    """Bits that another character of the right sound takes away at least."""
    absent: float
    """The same for a syllable that is not there."""
    lights: int
    """How many of its syllables are cheap to lose."""
    cells: tuple[tuple[str, float, float, float], ...]
    """Of each syllable, slots left out: its sound, what it costs not to hear it, to hear it not at all, its bits."""
    holds: frozenset[tuple[int, int]] = frozenset()
    """Which of its stretches, from first up to, not including, last, are wordings in their own right."""
    begins: frozenset[int] = frozenset()
    """How many of its first units begin a wording of another phrase, too, by sound."""
    courtesies: tuple[tuple[int, int], ...] = ()
    """Where the courtesies stand that must be heard: each 麻烦 or 对不起, and where there is none, each 请."""
    negations: tuple[int, ...] = ()
    """Where a 不, 没 or 别 stands without which it says the contrary."""
    persons: tuple[int, ...] = ()
    """Where a 我, 你 or 他 stands."""
    threshold: float | None = None
    """Least closeness, 0-100, instead of the line."""
    shared: bool = False
    most: float = 0.0
    """The most that may differ, in syllables, where everything else speaks for it; this and what follows by a line."""
    allowed: tuple[float, ...] = (0.0,)
    """The most that may differ where none, one, two ... others are written as others of their sound."""
    relieved: tuple[float, ...] = (0.0,)
    """The same where all that can make it more does."""
    bound: float = 0.0
    """The most that an alignment of it may cost."""
    forgiving: bool = False
    """Whether a syllable of it may be lost, or others come between."""
    fewest: int = 1
    """Units that it takes at least, each syllable lost at its own cost."""

    @property
    def owner(self) -> str:
        """The id of the only one that lists it."""
        (owner,) = self.owners
        return owner

    @property
    def forgiven(self) -> bool:
        """Whether more of it may differ where it was misheard."""
        return self.relieved[0] > self.allowed[0]


def compile_patterns(phrases: PhraseSet) -> list[Pattern]:
    """Every wording of a phrase set in which there is something to hear; contexts that several list stand once."""
    found: dict[tuple[object, ...], Pattern] = {}
    polite = rule_courtesies(phrases)
    for role, owner, wording, threshold, shared in iter_role_wordings(phrases):
        pattern = make_pattern(role, owner, wording, phrases.slots, polite, threshold, shared=shared)
        if not pattern.pieces:
            continue
        alone = None if role in CONTEXTS else owner
        key = (role, alone, pattern.units, shared)
        known = found.get(key)
        found[key] = with_owners(known, pattern.owners) if known else pattern
    every = {pattern.units for pattern in found.values()}
    return [one._replace(holds=holds) if (holds := contained_wordings(one, every)) else one for one in found.values()]


def contained_wordings(pattern: Pattern, known: Collection[tuple[str | None, ...]]) -> frozenset[tuple[int, int]]:
    """The stretches of an owed wording, shorter than itself, that are wordings in their own right."""
    if pattern.role != "phrase":
        return frozenset()
    spans = combinations(range(len(pattern.units) + 1), 2)
    return frozenset(
        (first, last) for first, last in spans if last - first < pattern.size and pattern.units[first:last] in known
    )


def with_likely_threshold(pattern: Pattern) -> Pattern:
    """The same owed wording where it is likely, for others were just heard."""
    line = parameters().likely
    return with_threshold(line, pattern) if pattern.size >= line.least_from else pattern


def courtesy_spans(units: Sequence[str | None], polite: Courtesies) -> tuple[tuple[int, int], ...]:
    """Where in a wording stands what a rule needs, first up to, not including, last: 请, and 请您 as well."""
    found = (
        (at, at + len(need))
        for at, unit in enumerate(units)
        for need in polite.get(unit, ())
        if tuple(units[at : at + len(need)]) == need
    )
    return tuple(
        (first, first + len(ASKING)) if tuple(units[first : first + len(ASKING)]) == ASKING else (first, last)
        for first, last in found
    )


def negation_positions(units: Sequence[str | None]) -> Iterator[int]:
    """Where a negation stands, those left out that turn nothing around: in 对不起, and in a question like 办不办."""
    told = parameters()
    for at, unit in enumerate(units):
        asks = 0 < at < len(units) - 1 and units[at - 1] == units[at + 1]
        if unit in told.negations and not asks and not any(_stands(word, at, units) for word in told.kept_words):
            yield at


def _stands(word: str, at: int, units: Sequence[str | None]) -> bool:
    """Whether a word stands in a wording, over one of its units."""
    size = len(word)
    return any(tuple(units[first : first + size]) == tuple(word) for first in range(max(0, at - size + 1), at + 1))


def shortest(spans: Collection[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Those of them that hold no other: the 请 of 请您."""
    return tuple(
        (first, last)
        for first, last in spans
        if not any(first <= begin and end <= last and end - begin < last - first for begin, end in spans)
    )


def rule_courtesies(phrases: PhraseSet) -> Courtesies:
    """What the rules of a phrase set need."""
    needs = {split_units(need) for rule in phrases.rule for need in rule.need}
    return {first: frozenset(need for need in needs if need[:1] == (first,)) for first in {need[0] for need in needs}}


def with_owners(pattern: Pattern, more: frozenset[str]) -> Pattern:
    """The same wording, listed by more."""
    return pattern._replace(owners=pattern.owners | more)


def iter_role_wordings(phrases: PhraseSet) -> Iterator[tuple[Role, str, str, float | None, bool]]:
    """Every wording as (role, id of its owner, wording, threshold, whether customers say it too)."""

    def of(
        role: Role, owner: str, wordings: Iterable[str], threshold: float | None = None, *, shared: bool = False
    ) -> Iterator[tuple[Role, str, str, float | None, bool]]:
        return ((role, owner, wording, threshold, shared) for wording in wordings)

    for phrase, _ in phrases.phrases():
        yield from of("phrase", phrase.id, phrase.say, phrase.threshold)
        yield from of("phrase", phrase.id, phrase.shared, phrase.threshold, shared=True)
        yield from of("not_in", phrase.id, phrase.not_in)
    for offence in phrases.forbidden:
        yield from of("forbidden", offence.id, offence.say, offence.threshold)
        yield from of("forbidden", offence.id, offence.shared, offence.threshold, shared=True)
    for word in phrases.word:
        yield from of("word", word.id, word.say)
        yield from of("word", word.id, word.shared, shared=True)
        yield from of("not_in", word.id, word.not_in)
    for rule in phrases.rule:
        yield from of("when", rule.id, rule.when)
        yield from of("when", rule.id, rule.shared, shared=True)
        yield from of("need", rule.id, rule.need)
    for scenario in phrases.scenario:
        yield from of("trigger", scenario.id, scenario.when)
    excusing: tuple[Forbidden | Rule | Scenario, ...] = (*phrases.forbidden, *phrases.rule, *phrases.scenario)
    for entry in excusing:
        yield from of("unless", entry.id, entry.unless)
        yield from of("not_in", entry.id, entry.not_in)


def make_pattern(  # noqa: PLR0913 - one wording has this many sides
    role: Role,
    owner: str,
    wording: str,
    slots: Mapping[str, Slot],
    polite: Courtesies,
    threshold: float | None = None,
    *,
    shared: bool = False,
) -> Pattern:
    """One wording as a pattern. Slots at its ends are as short as they may be; those inside may be as long."""
    parts = SLOT.split(wording)
    units: list[str | None] = []
    lost: list[float] = []
    other: list[float] = []
    pieces: list[tuple[int, int]] = []
    fixed = [split_units(part) for part in parts[::2]]
    size = sum(map(len, fixed))
    told = parameters()
    for index, part in enumerate(parts):
        if index % 2 == 0:
            piece = fixed[index // 2]
            if piece:
                pieces.append((len(units), len(units) + len(piece)))
            cheap = told.light if size >= told.lost_from else frozenset[str]()
            units += piece
            lost += [told.lost_cheap if unit in cheap else told.lost for unit in piece]
            other += [1.0] * len(piece)
            continue
        slot = slots[part]
        between = pieces and any(fixed[index // 2 + 1 :])
        extra = slot.max - slot.min if between else 0
        units += [None] * (slot.min + extra)
        lost += [inf] * slot.min + [0.0] * extra
        other += [0.0] * (slot.min + extra)
    for edge in {pieces[0][0], pieces[-1][1] - 1} if pieces else ():
        lost[edge] += told.edge if lost[edge] >= told.lost else 0.0
        other[edge] += told.edge
    spans = courtesy_spans(units, polite) if role == "phrase" else ()
    needs = shortest(spans)
    if size < told.lost_from:
        for at in {at for span in spans if span not in needs for at in range(*span)}:
            lost[at] += told.courtesy
            other[at] += told.courtesy
    words = tuple((first, last) for first, last in needs if last - first > 1)
    for first, _ in () if words else needs:
        lost[first] = told.please
    heard = [iter(pronounce(piece)) for piece in fixed if piece]
    told_sounds = tuple(sound for piece in heard for sound in piece)
    following = iter(told_sounds)
    spoken = tuple(None if unit is None else next(following) for unit in units)
    bits = tuple(0.0 if sound is None else information_bits(sound) for sound in spoken)
    weight = sum(min(1.0, cost) for cost, unit in zip(lost, units, strict=True) if unit is not None)
    inner = spoken[pieces[0][0] : pieces[-1][1]] if pieces else ()
    needed = told.lines[role].bits + told.slot * sum(sound is None for sound in inner) ** 0.5
    ceiling = sum(bits) + size * told.character + told.alone - needed
    least_worth = min((one for one, unit in zip(bits, units, strict=True) if unit), default=0.0) + told.wrong
    least_lost = min((gone for gone, unit in zip(lost, units, strict=True) if unit), default=0.0)
    pattern = Pattern(
        role=role,
        owners=frozenset((owner,)),
        wording=wording,
        units=tuple(units),
        sounds=spoken,
        lost=tuple(lost),
        other=tuple(other),
        pieces=tuple(pieces),
        size=size,
        bits=bits,
        weight=weight,
        needed=needed,
        ceiling=ceiling,
        worth=sum(bits) / max(1, size) + told.wrong,
        least_worth=least_worth,
        characters=frozenset(unit for unit in units if unit is not None),
        miswritten=told.character + told.homophone,
        absent=least_worth - told.wrong + told.character + told.wrong * least_lost,
        lights=sum(0.0 < cost < told.lost for cost in lost),
        cells=tuple(
            (sound, gone, min(gone, another), bit)
            for sound, gone, another, bit in zip(spoken, lost, other, bits, strict=True)
            if sound is not None
        ),
        courtesies=words or needs,
        negations=() if role in CONTEXTS else tuple(negation_positions(units)),
        persons=() if role in CONTEXTS else tuple(at for at, unit in enumerate(units) if unit in told.persons),
        threshold=threshold,
        shared=shared,
    )
    return with_threshold(told.lines[role], pattern)


def with_threshold(line: AcceptanceThreshold, pattern: Pattern) -> Pattern:
    """The same wording, of which as much may differ as a line says."""
    told, size = parameters(), pattern.size
    allowed = relieved = allowed_costs(line, size, pattern.weight, pattern.threshold)
    most = allowed[-1]
    if pattern.threshold is None:
        relieved = extended_costs(line, size, pattern.weight, allowed)
        most = max(0.0, min(most, pattern.ceiling / pattern.least_worth))
    return pattern._replace(
        most=most,
        allowed=allowed,
        relieved=relieved,
        bound=allowed[-1] + FORGIVEN_INSERTIONS * told.added * (1.0 - line.added) * (size >= line.least_from),
        forgiving=size > 1 and most >= (1.0 if pattern.role in CONTEXTS else told.added_cheap),
        fewest=minimum_units(pattern.lost, pattern.units, allowed[-1]),
    )


def minimum_units(lost: Iterable[float], units: Iterable[str | None], most: float) -> int:
    """Units that a wording takes at least where no more than `most` may be lost of it, the light ones first."""
    costs = sorted(cost for cost, unit in zip(lost, units, strict=True) if unit is not None)
    return max(1, sum(spent > most + ROUNDING for spent in accumulate(costs)))


def allowed_costs(line: AcceptanceThreshold, size: int, weight: float, threshold: float | None) -> tuple[float, ...]:
    """The most that may differ, in syllables, where none, one, two ... others are written as others of their sound."""
    if threshold is not None:
        return (weight * (100 - threshold) / 100,)
    least = line.least if size >= line.least_from else 0.0
    return tuple(max(least, weight * (line.share + line.garbled * number)) for number in range(line.garbled_most + 1))


def extended_costs(
    line: AcceptanceThreshold, size: int, weight: float, allowed: tuple[float, ...]
) -> tuple[float, ...]:
    """The same where the wording stands alone and all the evidence is spare; never more than the last of `allowed`."""
    if size < line.least_from:
        return allowed
    more = weight * (line.alone + line.spare_most)
    return tuple(max(one, min(allowed[-1], max(line.alone_least, one + more))) for one in allowed)
