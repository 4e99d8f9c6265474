"""Scores a wording aligned with an utterance: how similar it is, and how unlikely by chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from counter_listener.matching.alignment import UNALIGNED, Alignment, matching_characters
from counter_listener.matching.confusion import interchangeable, parameters
from counter_listener.matching.misrecognition import (
    competing_word_penalty,
    count_insertions,
    extended_allowance,
    looks_misrecognised,
)
from counter_listener.matching.patterns import ROUNDING, Pattern
from counter_listener.matching.syllables import Syllables
from counter_listener.matching.vetoes import Veto, find_veto
from counter_listener.phrases import tone

CONFIDENCE_UNITS: Final = 6
"""Units of the clause on either side that count for the local confidence."""
TONE_PENALTY: Final = 0.01
"""Bits."""
SOUND_ONLY_COST: Final = 0.2
SOUND_ONLY_VALUE: Final = -900.0
"""Less than the value of any candidate with more evidence than the sound of one syllable."""


class Candidate(NamedTuple):
    """A wording aligned with an utterance: units from first up to, not including, last."""

    pattern: Pattern
    first: int
    last: int
    cost: float
    """Syllables that differ, each with its cost."""
    allowed: float
    """Largest cost that is accepted here."""
    value: float
    """Evidence above the required bits; of two competing candidates the one with more is better."""
    partners: tuple[int, ...]
    """For each position of the wording: the unit aligned with it, or UNALIGNED."""
    costs: tuple[float, ...]
    """The cost of each position."""
    veto: Veto | None = None
    """Why it is refused, however similar."""

    @property
    def accepted(self) -> bool:
        """Whether it is similar enough."""
        return self.cost <= self.allowed + ROUNDING

    @property
    def has_certain_ends(self) -> bool:
        """Whether every syllable was heard, or a similar one with nothing between them."""
        return self.cost <= 0 or (self.last - self.first == len(self.partners) and max(self.costs) < 1.0)

    @property
    def pieces(self) -> Iterator[tuple[int, int]]:
        """The spans of units that stand for the pieces of the wording."""
        for begin, end in self.pattern.pieces:
            units = [unit for unit in self.partners[begin:end] if unit != UNALIGNED]
            if units:
                yield units[0], units[-1] + 1

    @property
    def score(self) -> float:
        """Similarity in sound, 0-100."""
        return round(max(0.0, 100 * (1 - self.cost / self.pattern.weight)), 1)

    @property
    def reliable(self) -> bool:
        """False where the only evidence is the sound of a single syllable."""
        return self.value >= SOUND_ONLY_VALUE

    def part_of(self, whole: Candidate, syllables: Syllables) -> bool:
        """Whether it is only a part of a longer word, judged by the characters next to it; of two readings of the same
        units, the one with more identical characters is the whole.
        """
        if not (whole.first <= self.first and self.last <= whole.last):
            return False
        rest = [
            syllables.units[unit] == written
            for unit, written in zip(whole.partners, whole.pattern.units, strict=True)
            if unit != UNALIGNED and not self.first <= unit < self.last
        ]
        if rest:
            return any(rest)
        mine, others = (matching_characters(one.pattern.units, one.partners, syllables) for one in (self, whole))
        return others > mine

    def tone_penalty(self, syllables: Syllables) -> float:
        """A few hundredths of a bit for characters with another tone: only breaks ties."""
        return TONE_PENALTY * sum(
            unit != UNALIGNED
            and written is not None
            and syllables.units[unit] != written
            and tone(syllables.units[unit]) != tone(written)
            for unit, written in zip(self.partners, self.pattern.units, strict=True)
        )


def score_alignment(aligned: Alignment) -> Candidate:
    """What an alignment is worth as evidence, and how much may differ there."""
    figures, pattern = parameters(), aligned.pattern
    if len(pattern.units) == 1:
        return _score_single(aligned)
    before, after = clause_edges(aligned)
    pause_bits = figures.alone_bits if before and after else figures.pause_bits * (before + after)
    bits, identical, homophones, swapped, foreign = _collect_evidence(aligned, pause_bits)
    cost = total_cost(aligned)
    first, last = _without_outer_slots(aligned)
    power = figures.thresholds[pattern.role].confidence_power
    evidence = bits * local_confidence(aligned) ** power
    evidence -= competing_word_penalty(aligned, first, last, foreign, 2 - before - after)
    required, value = pattern.required_bits, evidence - figures.error_bits * cost - pattern.required_bits
    if identical == pattern.size and aligned.cost < ROUNDING:
        required = min(required, figures.exact_min_bits)
        in_slots = len(aligned.partners) - aligned.partners.count(UNALIGNED) - pattern.size
        value += figures.slot_syllable_bits * in_slots
    # Amid other words, homophones do not make up for a syllable of an offence that was not heard.
    amid = pattern.role == "forbidden" and not (before and after) and max(aligned.costs) >= 1.0
    allowed = pattern.allowed_cost(0 if amid else homophones)
    if pattern.threshold is None:
        surplus = evidence - figures.error_bits * cost - required
        if cost > allowed + ROUNDING and pattern.has_extension and looks_misrecognised(aligned):
            allowed = extended_allowance(pattern, homophones, surplus, alone=before and after)
        allowed = min(allowed, cost + surplus / pattern.mean_error_bits)
    veto = find_veto(aligned, homophones, starts_clause=before, ends_clause=after)
    if veto or (swapped and pattern.size < figures.swap_from):
        allowed = -1.0
    return Candidate(pattern, first, last, cost, allowed, value, aligned.partners, aligned.costs, veto)


def _collect_evidence(aligned: Alignment, evidence: float) -> tuple[float, int, int, bool, list[int]]:
    """`evidence` plus the bits of the syllables, the numbers of identical characters and of homophones, whether a
    pronoun was swapped (你 for 您), and the units in other characters.
    """
    figures, pattern, syllables = parameters(), aligned.pattern, aligned.syllables
    identical, homophones, swapped = 0, 0, False
    foreign: list[int] = []
    for bits, cost, at, unit, sound in zip(
        pattern.bits, aligned.costs, aligned.partners, pattern.units, pattern.sounds, strict=True
    ):
        if at == UNALIGNED or unit is None:
            continue
        same = syllables.units[at] == unit
        swap = not same and cost < 1.0 and interchangeable(str(sound), syllables.sounds[at])
        if not (same or swap):
            foreign.append(at)
        if cost < 1.0:
            identical += same
            swapped |= swap
            homophones += not (same or swap)
            evidence += bits * (1.0 - cost) + (figures.character_bits if same else -figures.homophone_bits)
    return evidence, identical, homophones, swapped, foreign


def total_cost(aligned: Alignment) -> float:
    """The cost in syllables. An insertion removes nothing from the wording, but two clauses are not one."""
    figures, clauses = parameters(), aligned.syllables.clauses
    if aligned.cost - sum(aligned.costs) <= figures.insertion - ROUNDING:
        return aligned.cost
    if clauses[aligned.last - 1] > clauses[aligned.first]:
        return aligned.cost + figures.pause_cost
    threshold = figures.thresholds[aligned.pattern.role]
    if threshold.insertion_factor >= 1.0 or aligned.pattern.size < threshold.long_from:
        return aligned.cost
    discount = (1.0 - threshold.insertion_factor) * figures.insertion
    return aligned.cost - discount * count_insertions(aligned)


def _score_single(aligned: Alignment) -> Candidate:
    """A wording of one syllable: its sound says too little, so the character must start a word. A courtesy that a rule
    needs is also found by its sound, with a low value, because its absence accuses somebody.
    """
    at, pattern, syllables = aligned.first, aligned.pattern, aligned.syllables
    same = syllables.units[at] == pattern.units[0] and syllables.first_in_word[at]
    by_sound = pattern.role == "need" and aligned.cost <= SOUND_ONLY_COST
    value = parameters().character_bits if same else 2 * SOUND_ONLY_VALUE
    allowed = pattern.size if same or by_sound else -1.0
    return Candidate(pattern, at, at + 1, aligned.cost, allowed, value, aligned.partners, aligned.costs)


def _without_outer_slots(aligned: Alignment) -> tuple[int, int]:
    pattern = aligned.pattern
    begin, end = pattern.pieces[0][0], pattern.pieces[-1][1]
    heard = [unit for unit in aligned.partners[begin:end] if unit != UNALIGNED]
    return (heard[0], heard[-1] + 1) if heard else (aligned.first, aligned.last)


def clause_edges(aligned: Alignment) -> tuple[bool, bool]:
    """Whether it stands at the beginning of a clause, and at the end of one.

    Fillers do not count, nor what a slot at an end may take (李女士您好 is a whole clause), nor one unit where the
    first or last syllable was not heard: it stands for that syllable.
    """
    partners, syllables, pieces = aligned.partners, aligned.syllables, aligned.pattern.pieces
    begin, end = pieces[0][0], pieces[-1][1]
    before = partners[:begin].count(UNALIGNED) if begin else int(partners[0] == UNALIGNED)
    after = partners[end:].count(UNALIGNED) if end < len(partners) else int(partners[-1] == UNALIGNED)
    return (
        _is_edge(range(aligned.first - 1, -1, -1), syllables.clauses[aligned.first], before, syllables),
        _is_edge(range(aligned.last, len(syllables)), syllables.clauses[aligned.last - 1], after, syllables),
    )


def _is_edge(outward: Iterable[int], clause: int, spared: int, syllables: Syllables) -> bool:
    """Whether the rest of the clause on this side is only fillers and at most `spared` other units."""
    for at in outward:
        if syllables.clauses[at] != clause:
            return True
        if not syllables.is_filler[at]:
            if not spared:
                return False
            spared -= 1
    return True


def local_confidence(aligned: Alignment) -> float:
    """The mean confidence of the recogniser around it, 0-1, within its clauses: others may speak beyond a pause."""
    syllables = aligned.syllables
    if syllables.certain:
        return 1.0
    first_clause, last_clause = syllables.clauses[aligned.first], syllables.clauses[aligned.last - 1]
    near = range(max(0, aligned.first - CONFIDENCE_UNITS), min(len(syllables), aligned.last + CONFIDENCE_UNITS))
    around = [syllables.confidence[at] for at in near if first_clause <= syllables.clauses[at] <= last_clause]
    return sum(around) / len(around)
