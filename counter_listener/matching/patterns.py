"""One wording as a pattern: its syllables and slots, what each costs to miss, and how much may differ in all."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from math import inf
from typing import Final, NamedTuple

from counter_listener.domain import Role, Slot
from counter_listener.matching.confusion import LETTERS_BITS, AcceptanceThreshold, parameters, syllable_bits
from counter_listener.phrases import SLOT, pronounce, split_units

ROUNDING: Final = 1e-6
CONTEXTS: Final[frozenset[Role]] = frozenset({"unless", "need", "not_in"})
"""Roles of wordings that change the meaning of others; several owners may list the same one."""
MAX_DISCOUNTED_INSERTIONS: Final = 2
"""Insertions, without fillers, that the largest cost of an alignment allows for."""


class Pattern(NamedTuple):
    """One wording. A position is a syllable, or a place in a slot that takes any syllable."""

    role: Role
    owners: frozenset[str]
    """Ids of what lists it; more than one only for contexts."""
    wording: str
    units: tuple[str | None, ...]
    """The character or word in letters at each position; None in a slot."""
    sounds: tuple[str | None, ...]
    deletion_costs: tuple[float, ...]
    """Infinite where a slot must be filled, 0 where it may be shorter."""
    mismatch_costs: tuple[float, ...]
    """Cost of an unrelated syllable at each position."""
    pieces: tuple[tuple[int, int], ...]
    """The stretches without slots: positions from first up to, not including, last."""
    size: int
    """Syllables, slots left out."""
    characters: frozenset[str]
    courtesies: tuple[tuple[int, int], ...]
    """The spans of the courtesies that must be heard: each 麻烦 or 对不起, and where there is none, each 请."""
    negations: tuple[int, ...]
    """Positions of each 不, 没 or 别 without which it says the contrary."""
    persons: tuple[int, ...]
    """Positions of each 我, 你 or 他."""
    threshold: float | None
    """Least similarity, 0-100, that the phrase set gives instead of the parameters."""
    shared: bool
    bits: tuple[float, ...] = ()
    """Information of each sound; 0 in a slot."""
    weight: float = 0.0
    """Sum of the deletion costs of its syllables, each at most 1."""
    required_bits: float = 0.0
    """Least evidence."""
    max_value: float = 0.0
    """Most bits above the required ones that a candidate can have."""
    mean_error_bits: float = 0.0
    """Bits that a wrong syllable takes away, on average: its own, and the penalty."""
    homophone_bits: float = 0.0
    """Bits that a homophone takes away, at least."""
    missing_bits: float = 0.0
    """Bits that a missing sound takes away, at least."""
    light_count: int = 0
    """How many of its syllables are cheap to lose."""
    syllables: tuple[tuple[str, float, float, float], ...] = ()
    """Of each syllable: sound, deletion cost, cost where its sound is missing, information in bits."""
    contained: frozenset[tuple[int, int]] = frozenset()
    """The spans of positions that are wordings themselves."""
    ambiguous_prefixes: frozenset[int] = frozenset()
    """The lengths of its prefixes that sound like the beginning of another phrase."""
    allowed: tuple[float, ...] = (0.0,)
    """Largest cost, in syllables, where 0, 1, 2 ... are homophones; this and the rest follow from a threshold."""
    extended_allowed: tuple[float, ...] = (0.0,)
    """The same for a clause of its own with surplus evidence."""
    max_alignment_cost: float = 0.0
    tolerates_edits: bool = False
    """Whether a syllable may be deleted or inserted."""
    min_units: int = 1
    """Fewest units that a candidate covers."""
    max_missing: int = 0
    """How many of its sounds may be missing before the cost is too high."""

    @property
    def owner(self) -> str:
        """The id of its only owner."""
        (owner,) = self.owners
        return owner

    @property
    def has_extension(self) -> bool:
        """Whether more may differ under good conditions."""
        return self.extended_allowed[0] > self.allowed[0]

    def allowed_cost(self, homophones: int) -> float:
        """Largest cost where so many syllables are homophones."""
        return self.allowed[min(homophones, len(self.allowed) - 1)]


def make_pattern(  # noqa: PLR0913 - what a phrase set says of a wording
    role: Role,
    owner: str,
    wording: str,
    slots: Mapping[str, Slot],
    rule_courtesies: AbstractSet[tuple[str, ...]],
    threshold: float | None = None,
    *,
    shared: bool = False,
) -> Pattern:
    """One wording as a pattern. A slot at an end is as short as it may be, one inside as long."""
    figures = parameters()
    parts = SLOT.split(wording)
    fixed = [split_units(part) for part in parts[::2]]
    units, deletion, mismatch, pieces = _positions(fixed, [slots[name] for name in parts[1::2]])
    size = sum(map(len, fixed))
    spans = courtesy_spans(tuple(units), rule_courtesies) if role == "phrase" else []
    needs = _charge_courtesies(spans, size, deletion, mismatch)
    known_sounds = (sound for piece in fixed if piece for sound in pronounce(piece))
    pattern = Pattern(
        role=role,
        owners=frozenset((owner,)),
        wording=wording,
        units=tuple(units),
        sounds=tuple(None if unit is None else next(known_sounds) for unit in units),
        deletion_costs=tuple(deletion),
        mismatch_costs=tuple(mismatch),
        pieces=tuple(pieces),
        size=size,
        characters=frozenset(unit for unit in units if unit is not None),
        courtesies=needs,
        negations=() if role in CONTEXTS else tuple(negation_positions(units)),
        persons=() if role in CONTEXTS else tuple(at for at, unit in enumerate(units) if unit in figures.persons),
        threshold=threshold,
        shared=shared,
    )
    return with_threshold(figures.thresholds[role], _with_evidence(pattern))


def _with_evidence(pattern: Pattern) -> Pattern:
    """The same wording with its weight and what its syllables tell."""
    figures, size, pieces, sounds = parameters(), pattern.size, pattern.pieces, pattern.sounds
    bits = tuple(0.0 if sound is None else syllable_bits().get(sound, LETTERS_BITS) for sound in sounds)
    syllables = tuple(
        (sound, deletion, min(deletion, mismatch), bit)
        for sound, deletion, mismatch, bit in zip(
            sounds, pattern.deletion_costs, pattern.mismatch_costs, bits, strict=True
        )
        if sound is not None
    )
    slot_places = sum(sound is None for sound in sounds[pieces[0][0] : pieces[-1][1]]) if pieces else 0
    required_bits = figures.thresholds[pattern.role].min_bits + figures.slot_bits * slot_places**0.5
    min_bits = min((bit for *_, bit in syllables), default=0.0)
    min_deletion = min((deletion for _, deletion, _, _ in syllables), default=0.0)
    return pattern._replace(
        bits=bits,
        weight=sum(min(1.0, deletion) for _, deletion, _, _ in syllables),
        required_bits=required_bits,
        max_value=sum(bits) + size * figures.character_bits + figures.alone_bits - required_bits,
        mean_error_bits=sum(bits) / max(1, size) + figures.error_bits,
        homophone_bits=figures.character_bits + figures.homophone_bits,
        missing_bits=min_bits + figures.character_bits + figures.error_bits * min_deletion,
        light_count=sum(0.0 < deletion < figures.deletion for deletion in pattern.deletion_costs),
        syllables=syllables,
    )


def _positions(
    fixed: Sequence[tuple[str, ...]], slots: Sequence[Slot]
) -> tuple[list[str | None], list[float], list[float], list[tuple[int, int]]]:
    """The units, the deletion costs, the mismatch costs and the pieces of a wording; a slot follows each fixed part."""
    figures = parameters()
    units: list[str | None] = []
    deletion: list[float] = []
    mismatch: list[float] = []
    pieces: list[tuple[int, int]] = []
    light = figures.light_syllables if sum(map(len, fixed)) >= figures.light_from else frozenset[str]()
    for number, piece in enumerate(fixed):
        if piece:
            pieces.append((len(units), len(units) + len(piece)))
        units += piece
        deletion += [figures.light_deletion if unit in light else figures.deletion for unit in piece]
        mismatch += [1.0] * len(piece)
        if number < len(slots):
            slot, inside = slots[number], pieces and any(fixed[number + 1 :])
            optional = slot.max - slot.min if inside else 0
            units += [None] * (slot.min + optional)
            deletion += [inf] * slot.min + [0.0] * optional
            mismatch += [0.0] * (slot.min + optional)
    for edge in {pieces[0][0], pieces[-1][1] - 1} if pieces else ():
        deletion[edge] += figures.edge_cost if deletion[edge] >= figures.deletion else 0.0
        mismatch[edge] += figures.edge_cost
    return units, deletion, mismatch, pieces


def _charge_courtesies(
    spans: Collection[tuple[int, int]], size: int, deletion: list[float], mismatch: list[float]
) -> tuple[tuple[int, int], ...]:
    """Raises the costs of the courtesies of an owed wording; the result are those that must be heard."""
    figures = parameters()
    needs = innermost(spans)
    if size < figures.light_from:
        for at in {at for span in spans if span not in needs for at in range(*span)}:
            deletion[at] += figures.courtesy_cost
            mismatch[at] += figures.courtesy_cost
    words = tuple((first, last) for first, last in needs if last - first > 1)
    for first, _ in () if words else needs:
        deletion[first] = figures.please_deletion
    return words or needs


def courtesy_spans(units: tuple[str | None, ...], courtesies: AbstractSet[tuple[str, ...]]) -> list[tuple[int, int]]:
    """The spans of a wording that a rule needs, first up to, not including, last: 请, and 请您 as well."""
    words = [tuple(word) for word in parameters().please_words]
    return sorted(
        (at, at + next((len(word) for word in words if units[at : at + len(word)] == word), size))
        for size in {len(need) for need in courtesies}
        for at in range(len(units) - size + 1)
        if units[at : at + size] in courtesies
    )


def innermost(spans: Collection[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The spans that contain no other: the 请 of 请您."""
    return tuple(
        (first, last)
        for first, last in spans
        if not any(first <= begin and end <= last and end - begin < last - first for begin, end in spans)
    )


def negation_positions(units: Sequence[str | None]) -> Iterator[int]:
    """The positions of negations, without those that negate nothing: in 对不起, and in a question like 办不办."""
    figures = parameters()
    for at, unit in enumerate(units):
        asks = 0 < at < len(units) - 1 and units[at - 1] == units[at + 1]
        if unit in figures.negations and not asks:
            neutral = (
                tuple(units[first : first + len(word)]) == tuple(word)
                for word in figures.neutral_words
                for first in range(max(0, at - len(word) + 1), at + 1)
            )
            if not any(neutral):
                yield at


def with_likely_threshold(pattern: Pattern) -> Pattern:
    """The same owed wording where phrases are likely, because others were just heard."""
    threshold = parameters().likely_threshold
    return with_threshold(threshold, pattern) if pattern.size >= threshold.long_from else pattern


def with_threshold(threshold: AcceptanceThreshold, pattern: Pattern) -> Pattern:
    """The same wording with the allowed costs that follow from a threshold."""
    figures, size, weight = parameters(), pattern.size, pattern.weight
    is_long = size >= threshold.long_from
    if pattern.threshold is not None:
        costs = [weight * (100 - pattern.threshold) / 100]
    else:
        least = threshold.min_allowed if is_long else 0.0
        shares = (threshold.max_share + threshold.homophone_share * n for n in range(threshold.max_homophones + 1))
        costs = [max(least, weight * share) for share in shares]
    allowed = extended = tuple(costs)
    max_cost = allowed[-1]
    if pattern.threshold is None:
        min_bits = min((bits for *_, bits in pattern.syllables), default=0.0)
        max_cost = max(0.0, min(max_cost, pattern.max_value / (min_bits + figures.error_bits)))
    if pattern.threshold is None and is_long:
        more = weight * (threshold.alone_share + threshold.max_surplus_share)
        extended = tuple(max(cost, min(allowed[-1], max(threshold.min_allowed_alone, cost + more))) for cost in allowed)
    discount = MAX_DISCOUNTED_INSERTIONS * figures.insertion * (1.0 - threshold.insertion_factor) * is_long
    deleted = accumulate(sorted(cost for _, cost, _, _ in pattern.syllables))
    missing = accumulate(sorted(cost for _, _, cost, _ in pattern.syllables))
    return pattern._replace(
        allowed=allowed,
        extended_allowed=extended,
        max_alignment_cost=allowed[-1] + discount,
        tolerates_edits=size > 1 and max_cost >= (1.0 if pattern.role in CONTEXTS else figures.filler_insertion),
        min_units=max(1, sum(cost > allowed[-1] + ROUNDING for cost in deleted)),
        max_missing=min(sum(cost <= max_cost + ROUNDING for cost in missing), size - 1),
    )
