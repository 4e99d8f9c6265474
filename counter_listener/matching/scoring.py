"""Where a wording stands in what was said, and whether it is said there: how close, and how likely by chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Final, NamedTuple

from counter_listener.matching.alignment import (
    OTHER_CHARACTER,
    UNALIGNED,
    Alignment,
    align,
    align_straight,
    matching_characters,
)
from counter_listener.matching.candidates import Segment
from counter_listener.matching.confusion import interchangeable, parameters
from counter_listener.matching.mishearing import count_insertions, extended_allowance, looks_misheard
from counter_listener.matching.other_words import competing_word_penalty
from counter_listener.matching.patterns import ROUNDING, Pattern
from counter_listener.matching.syllables import Syllables
from counter_listener.matching.vetoes import Veto, find_veto
from counter_listener.phrases import tone

CONFIDENCE_UNITS: Final = 6
"""Units of its clause on either side that tell how sure the recogniser was thereabouts."""
SLACK: Final = 6
"""Fillers that a wording may hold, beside its own length."""
TONE_PENALTY: Final = 0.01
"""Bits."""
SOUND_ONLY_COST: Final = 0.2
SOUND_ONLY: Final = -900.0
"""Less than any value of a place that more than the sound of one syllable speaks for."""


class Candidate(NamedTuple):
    """A wording laid along what was said: units from first up to, not including, last."""

    pattern: Pattern
    first: int
    last: int
    cost: float
    """Syllables that differ, each by its weight."""
    allowed: float
    """The most that may differ here."""
    value: float
    """Bits that are left for it when chance has had its share; of two explanations the greater is the better."""
    partners: tuple[int, ...]
    """For each syllable or slot place of the wording: the unit that stands for it, or NOT_HEARD."""
    costs: tuple[float, ...]
    """What each of them costs."""
    refusal: Veto | None = None
    """Why it was not said there, however close."""

    @property
    def heard(self) -> bool:
        """Whether it is close enough."""
        return self.cost <= self.allowed + ROUNDING

    @property
    def straight(self) -> bool:
        """Whether every syllable of it was heard, or one near it, with nothing between them."""
        return self.last - self.first == len(self.partners) and max(self.costs) < 1.0

    @property
    def pieces(self) -> Iterator[tuple[int, int]]:
        """The spans of the fixed pieces that were heard."""
        for begin, end in self.pattern.pieces:
            units = [unit for unit in self.partners[begin:end] if unit != UNALIGNED]
            if units:
                yield units[0], units[-1] + 1

    @property
    def score(self) -> float:
        """How close in sound, 0-100."""
        return round(max(0.0, 100 * (1 - self.cost / self.pattern.weight)), 1)

    def overlaps(self, other: Candidate) -> bool:
        return self.first < other.last and other.first < self.last

    @property
    def sure(self) -> bool:
        """False where only the sound of a single syllable speaks for it."""
        return self.value >= SOUND_ONLY

    def part_of(self, whole: Candidate, spoken: Syllables) -> bool:
        """Whether it is only a part of a longer word, by what is written there beside it.

        Of two readings of the very same stretch, the one that is written so is the whole.
        """
        if not (whole.first <= self.first and self.last <= whole.last):
            return False
        rest = {
            unit: written
            for unit, written in zip(whole.partners, whole.pattern.units, strict=True)
            if unit != UNALIGNED and not self.first <= unit < self.last
        }
        if rest:
            return any(spoken.units[unit] == written for unit, written in rest.items())
        return whole.agreeing(spoken) > self.agreeing(spoken)

    def agreeing(self, spoken: Syllables) -> int:
        """How many characters are written as the wording has them."""
        return matching_characters(self.pattern, self.partners, spoken)

    def off_tone(self, spoken: Syllables) -> float:
        """A trifle for each character of another tone: it breaks ties, and nothing else."""
        return TONE_PENALTY * sum(
            unit != UNALIGNED
            and written is not None
            and spoken.units[unit] != written
            and tone(spoken.units[unit]) != tone(written)
            for unit, written in zip(self.partners, self.pattern.units, strict=True)
        )


def score_alignment(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> Candidate:
    """What an alignment is worth, and how much might differ there."""
    told = parameters()
    if len(pattern.units) == 1:
        return _single(pattern, aligned, spoken)
    agree = garbled = 0
    swapped = False
    strange: list[int] = []
    before, after = clause_edges(pattern, aligned, spoken)
    known = told.alone if before and after else told.pause * (before + after)
    for number, (bits, cost, at, unit) in enumerate(
        zip(pattern.bits, aligned.costs, aligned.partners, pattern.units, strict=True)
    ):
        if at == UNALIGNED or unit is None:
            continue
        same = spoken.units[at] == unit
        other = not same and cost < 1.0 and interchangeable(pattern.sounds[number], spoken.sounds[at])
        if not (same or other):
            strange.append(at)
        if cost >= 1.0:
            continue
        agree += same
        swapped |= other
        garbled += not (same or other)
        known += bits * (1.0 - cost) + (told.character if same else -told.homophone)
    cost = total_cost(pattern, aligned, spoken)
    first, last = _trimmed(pattern, aligned)
    evidence = known * local_confidence(aligned, spoken) ** told.lines[pattern.role].doubt
    evidence -= competing_word_penalty(pattern, first, last, strange, 2 - before - after, spoken)
    needed, value = pattern.needed, evidence - told.wrong * cost - pattern.needed
    if agree == pattern.size and aligned.cost < ROUNDING:
        needed = min(needed, told.exact_bits)
        value += told.filled * (len(aligned.partners) - aligned.partners.count(UNALIGNED) - pattern.size)
    allowed = threshold_cost(pattern, aligned, garbled, amid=not (before and after))
    if pattern.threshold is None:
        spare = evidence - told.wrong * cost - needed
        if cost > allowed + ROUNDING and pattern.forgiven and looks_misheard(pattern, aligned, spoken):
            allowed = extended_allowance(pattern, garbled, spare, alone=before and after)
        allowed = min(allowed, cost + spare / pattern.worth)
    why = find_veto(pattern, aligned, spoken, garbled, begins=before, ends=after)
    if why or (swapped and pattern.size < told.swapped_from):
        allowed = -1.0
    return Candidate(pattern, first, last, cost, allowed, value, aligned.partners, aligned.costs, why)


def threshold_cost(pattern: Pattern, aligned: Alignment, garbled: int, *, amid: bool) -> float:
    """The most that may differ by the line, where so many syllables are written as others.

    Of an offence amid other words, those make up for no syllable that was not heard at all.
    """
    if pattern.role == "forbidden" and amid and max(aligned.costs) >= 1.0:
        garbled = 0
    return pattern.allowed[min(garbled, len(pattern.allowed) - 1)]


def total_cost(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> float:
    """What differs, in syllables: one put in takes nothing of the wording away, but two clauses are not one."""
    told = parameters()
    if aligned.cost - sum(aligned.costs) <= told.added - ROUNDING:
        return aligned.cost
    if spoken.clauses[aligned.last - 1] > spoken.clauses[aligned.first]:
        return aligned.cost + told.pause_inside
    line = told.lines[pattern.role]
    if line.added >= 1.0 or pattern.size < line.least_from:
        return aligned.cost
    return aligned.cost - (1.0 - line.added) * told.added * count_insertions(aligned, spoken)


def _single(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> Candidate:
    """A wording of one syllable: its sound alone says too little, so it must be written so, at the start of a word.

    What a rule needs is found by its sound as well, faintly, for lacking it would accuse somebody.
    """
    at = aligned.first
    alike = spoken.units[at] == pattern.units[0] and spoken.first_in_word[at]
    faint = pattern.role == "need" and aligned.cost <= SOUND_ONLY_COST
    value = parameters().character if alike else 2 * SOUND_ONLY
    allowed = pattern.size if alike or faint else -1.0
    return Candidate(pattern, at, at + 1, aligned.cost, allowed, value, aligned.partners, aligned.costs)


def _trimmed(pattern: Pattern, aligned: Alignment) -> tuple[int, int]:
    """The stretch without what a slot at either end takes."""
    begin, end = pattern.pieces[0][0], pattern.pieces[-1][1]
    heard = [unit for unit in aligned.partners[begin:end] if unit != UNALIGNED]
    return (heard[0], heard[-1] + 1) if heard else (aligned.first, aligned.last)


def clause_edges(pattern: Pattern, aligned: Alignment, spoken: Syllables) -> tuple[bool, bool]:
    """Whether it stands at the beginning of a clause, and at the end of one; fillers around it do not count.

    Nor does one unit where the wording's first or last syllable was not heard: it stands for that syllable. Nor does
    what a slot at either end may take: 李女士您好 is all of its clause.
    """
    partners, begin, end = aligned.partners, pattern.pieces[0][0], pattern.pieces[-1][1]
    before = partners[:begin].count(UNALIGNED) if begin else int(partners[0] == UNALIGNED)
    after = partners[end:].count(UNALIGNED) if end < len(partners) else int(partners[-1] == UNALIGNED)
    return (
        _open(range(aligned.first - 1, -1, -1), spoken.clauses[aligned.first], before, spoken),
        _open(range(aligned.last, len(spoken)), spoken.clauses[aligned.last - 1], after, spoken),
    )


def _open(outward: Iterable[int], clause: int, spared: int, spoken: Syllables) -> bool:
    """Whether nothing of its clause stands beside it on this side but fillers and `spared` other units."""
    heavy = parameters().added
    for at in outward:
        if spoken.clauses[at] != clause:
            return True
        if spoken.added[at] >= heavy:
            if not spared:
                return False
            spared -= 1
    return True


def local_confidence(aligned: Alignment, spoken: Syllables) -> float:
    """How sure the recogniser was thereabouts, 0-1; what stands beyond a pause may be another's words."""
    if spoken.certain:
        return 1.0
    begins, ends = spoken.clauses[aligned.first], spoken.clauses[aligned.last - 1]
    near = range(max(0, aligned.first - CONFIDENCE_UNITS), min(len(spoken), aligned.last + CONFIDENCE_UNITS))
    around = [spoken.confidence[at] for at in near if begins <= spoken.clauses[at] <= ends]
    return sum(around) / len(around)


def find_candidates(
    pattern: Pattern, ground: Segment, missing: int, garbled: int, stretches: Iterable[tuple[int, int]]
) -> Iterator[Candidate]:
    """Where one wording stands on these stretches of the ground, none overlapping.

    On all of the ground `missing` of its sounds are not there, and `garbled` are written otherwise at least.
    """
    todo = list(stretches)
    bendable: bool | None = None
    while todo:
        begin, end = todo.pop()
        if end - begin < pattern.fewest:
            continue
        place = None if missing else _straight(pattern, ground, begin, end)
        if place is None and bendable is None:
            bendable = pattern.forgiving and may_pass(pattern, ground, missing, garbled)
        if place is None and bendable:
            place = _bent(pattern, ground, begin, end)
        if place is not None:
            yield place
            todo += [(begin, place.first), (place.last, end)]


def position_masks(pattern: Pattern, ground: Segment) -> list[int]:
    """For each syllable or slot place: a bit for each unit of the ground that has its sound, or a near one."""
    where, anywhere = ground.where, (1 << ground.end - ground.begin) - 1
    return [anywhere if sound is None else where.get(sound, 0) for sound in pattern.sounds]


def upper_bound(pattern: Pattern, missing: int, garbled: int) -> float | None:
    """The most bits that a place of it can be worth, at a glance; None where so much missing is too much."""
    allowed = pattern.relieved
    if missing > pattern.lights + ROUNDING + (allowed[garbled] if garbled < len(allowed) else allowed[-1]):
        return None
    return pattern.ceiling - pattern.miswritten * garbled - pattern.absent * missing


def may_pass(pattern: Pattern, ground: Segment, missing: int, garbled: int) -> bool:
    """Whether what is there of it can be enough, in whatever order its sounds are."""
    least = ground.least
    cost, bits = 0.0, 0.0
    for sound, lost, absent, telling in pattern.cells:
        there = least.get(sound)
        if there is None:
            cost += absent
            bits += telling
        elif there:
            cost += min(there, lost)
            bits += telling * there
    told = parameters()
    most = pattern.ceiling - bits - told.character * missing - pattern.miswritten * garbled - told.wrong * cost
    if cost > pattern.allowed[min(garbled, len(pattern.allowed) - 1)] + ROUNDING:
        return (
            pattern.forgiven and most > 0 and cost <= extended_allowance(pattern, garbled, most, alone=True) + ROUNDING
        )
    return most >= -ROUNDING or pattern.threshold is not None or not (cost or garbled)


def _straight(pattern: Pattern, ground: Segment, begin: int, end: int) -> Candidate | None:
    """The first place where every syllable follows on the one before, none of them lost."""
    found, where = ((1 << end - begin) - 1) << begin - ground.begin, ground.where
    for at, sound in enumerate(pattern.sounds):
        if sound is not None:
            found &= where.get(sound, 0) >> at
        if not found:
            return None
    size = len(pattern.sounds)
    most = pattern.allowed[-1] + ROUNDING if size > 1 else inf
    while found:
        lowest = found & -found
        found ^= lowest
        first = lowest.bit_length() - 1 + ground.begin
        if first + size > end:
            return None
        aligned = align_straight(pattern, ground.spoken, first)
        if aligned.cost <= most:
            place = score_alignment(pattern, aligned, ground.spoken)
            if place.heard:
                return place
    return None


def _bent(pattern: Pattern, ground: Segment, begin: int, end: int) -> Candidate | None:
    """The best place where syllables are lost, put in or quite other."""
    reached = ((1 << end - begin) - 1) << begin - ground.begin
    there = [mask & reached for mask in position_masks(pattern, ground)]
    rest, garbled = minimum_costs(pattern, ground.written, there)
    trifles = ROUNDING + OTHER_CHARACTER * len(pattern.sounds)
    forgiven = pattern.bound - pattern.allowed[-1]
    most = pattern.relieved[min(garbled, len(pattern.relieved) - 1)] + forgiven + trifles
    if rest[0] > most:
        return None
    aligned = align(pattern, ground.spoken, begin, end, ground.against, most, rest)
    if aligned is None or aligned.first == aligned.last:
        return None
    place = score_alignment(pattern, aligned, ground.spoken)
    return place if place.heard else None


def minimum_costs(pattern: Pattern, written: Mapping[str, int], there: list[int]) -> tuple[list[float], int]:
    """What each syllable and all after it cost at least together, and how many may be garbled at most.

    A syllable that is nowhere, neither its sound nor its character, is lost or quite another; one whose sound is
    there in its own character alone is not garbled.
    """
    rest, total, garbled = [0.0], 0.0, 0
    for mask, unit, lost, other in zip(
        reversed(there), reversed(pattern.units), reversed(pattern.lost), reversed(pattern.other), strict=True
    ):
        if unit is not None:
            if mask:
                garbled += mask & ~written.get(unit, 0) != 0
            elif unit not in written:
                total += lost if lost < other else other  # noqa: FURB136 - as in alignment.py
        rest.append(total)
    rest.reverse()
    return rest, garbled


def max_units(pattern: Pattern) -> int:
    """Units that a wording may take at most."""
    return len(pattern.sounds) + SLACK
