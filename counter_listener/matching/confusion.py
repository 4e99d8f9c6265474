"""Confusion costs between syllables, and all other parameters of the matcher, read from confusions.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Final

from counter_listener.phrases import pronounce, split_units

TABLE: Final = Path(__file__).with_name("confusions.toml")
INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
LETTERS_BITS: Final = 9.0
"""Information of a word in letters that is not a syllable."""
SECTIONS: Final = ("insertion", "deletion", "courtesy", "contrary", "evidence")  # the fields of MatchParameters


@dataclass(frozen=True, slots=True)
class AcceptanceThreshold:
    """What a candidate must reach, for one role of wordings. Shares are of the wording's weight, 0-1."""

    min_bits: float
    """Least evidence: 2^-min_bits is about how often chance alone reaches it at one place."""
    max_share: float
    """Largest cost."""
    homophone_share: float = 0.0
    """Added to it for each homophone: a syllable written as another character of the same or a similar sound."""
    max_homophones: int = 0
    """Most homophones that count."""
    min_allowed: float = 0.0
    """Cost, in syllables, that is allowed in any wording of `long_from` syllables."""
    long_from: int = 4
    """Syllables of a wording from which `min_allowed`, `insertion_factor`, `alone_*` and `surplus_*` apply."""
    insertion_factor: float = 1.0
    """Part of its cost that an insertion inside a clause has."""
    alone_share: float = 0.0
    """Added to the largest cost where the wording is a clause of its own."""
    min_allowed_alone: float = 0.0
    """Cost, in syllables, that is allowed there in any case."""
    surplus_rate: float = 0.0
    """Syllables added to the largest cost for each bit of evidence above `surplus_from`."""
    surplus_from: float = 0.0
    max_surplus_share: float = 0.0
    """Most that is added for surplus evidence."""
    open_side_bits: float = 0.0
    """Bits subtracted for each side on which the clause goes on, unless every character is identical."""
    confidence_power: float = 2.0
    """Power of the local confidence that scales the evidence."""


@dataclass(frozen=True, slots=True)
class MatchParameters:
    """The parameters that are not about pairs of sounds. confusions.toml has the meaning and the reason of each."""

    unrelated_from: float
    insertion: float
    filler_insertion: float
    half_filler_insertion: float
    pause_cost: float
    deletion: float
    light_deletion: float
    light_from: int
    edge_cost: float
    adjacent_deletions_from: int
    last_deletion_from: int
    courtesy_cost: float
    please_deletion: float
    please_max_cost: float
    please_substitutes_excluded: frozenset[str]
    please_compounds: frozenset[str]
    please_words: frozenset[str]
    please_lost_homophones: int
    negations: frozenset[str]
    neutral_words: frozenset[str]
    persons: Mapping[str, int]
    """Characters that name a person, each with the number of that person."""
    addresses: frozenset[str]
    light_syllables: frozenset[str]
    fillers: frozenset[str]
    filler_sounds: frozenset[tuple[str, ...]]
    filler_starts: frozenset[str]
    filler_ends: frozenset[str]
    """First and last characters of the fillers of two."""
    error_bits: float
    character_bits: float
    homophone_bits: float
    competing_word_bits: float
    slot_bits: float
    slot_syllable_bits: float
    pause_bits: float
    alone_bits: float
    exact_min_bits: float
    swap_from: int
    likely_seconds: float
    thresholds: Mapping[str, AcceptanceThreshold]
    """By role."""
    likely_threshold: AcceptanceThreshold
    """For owed phrases where they are likely."""


@cache
def confusion_table() -> dict[str, Any]:
    """The content of the file."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def parameters() -> MatchParameters:
    """The parameters for every match."""
    table = confusion_table()
    figures: dict[str, Any] = {}
    for section in SECTIONS:
        figures |= _without_reasons(table[section])
    persons = {unit: number for number, units in enumerate(figures.pop("persons")) for unit in units}
    pairs = [filler for filler in figures["fillers"] if len(filler) > 1]
    kinds = {role: _without_reasons(kind) for role, kind in table["threshold"].items()}
    figures |= {name: frozenset(value) for name, value in figures.items() if isinstance(value, str | list)}
    likely = AcceptanceThreshold(**{**kinds["phrase"], **kinds.pop("likely")})
    return MatchParameters(
        **figures,
        unrelated_from=table["unrelated_from"],
        persons=persons,
        filler_sounds=frozenset(pronounce(split_units(filler)) for filler in figures["fillers"]),
        filler_starts=frozenset(filler[0] for filler in pairs),
        filler_ends=frozenset(filler[-1] for filler in pairs),
        thresholds={role: AcceptanceThreshold(**kind) for role, kind in kinds.items()},
        likely_threshold=likely,
    )


def _without_reasons(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if not name.endswith("_why")}


@cache
def syllable_bits() -> dict[str, float]:
    """The information of each syllable of Mandarin, in bits: -log2 of its share of speech."""
    return {sound: float(bits) for bits, sounds in confusion_table()["bits"].items() for sound in sounds.split()}


@lru_cache(maxsize=4096)
def split_syllable(sound: str) -> tuple[str, str]:
    """A toneless syllable as initial and final."""
    initial = next((initial for initial in INITIALS if sound.startswith(initial)), "")
    return initial, sound[len(initial) :]


@cache
def confusion_costs() -> tuple[dict[str, dict[str, float]], ...]:
    """The substitution costs between initials, finals and syllables, in that order, both ways."""
    tables: tuple[dict[str, dict[str, float]], ...] = ({}, {}, {})
    for costs, kind in zip(tables, ("initial", "final", "syllable"), strict=True):
        for entry in confusion_table()[kind]:
            for first, second in (pair.split("-") for pair in entry["pairs"].split()):
                costs.setdefault(first, {})[second] = costs.setdefault(second, {})[first] = entry["cost"]
    return tables


def syllable_distance(first: str, second: str) -> float:
    """The substitution cost between two sounds: 0 for the same, 1 for unrelated ones."""
    if first == second:
        return 0.0
    if interchangeable(first, second):
        return confusion_costs()[2][first][second]
    if not (first in syllable_bits() and second in syllable_bits()):
        return 1.0
    cost = 0.0
    for costs, part, other in zip(confusion_costs(), split_syllable(first), split_syllable(second), strict=False):
        cost += 0.0 if part == other else costs.get(part, {}).get(other, 1.0)
    return cost if cost < parameters().unrelated_from else 1.0


def interchangeable(first: str, second: str) -> bool:
    """Whether speakers use one of two words for the other, as 你 for 您."""
    return second in confusion_costs()[2].get(first, {})


@lru_cache(maxsize=1024)
def similar_syllables(sound: str) -> Mapping[str, float]:
    """The sounds that may be confused with this one, including itself, each with its substitution cost below 1."""
    initials, finals, syllables = confusion_costs()
    initial, final = split_syllable(sound)
    parts = product((initial, *initials.get(initial, ())), (final, *finals.get(final, ())))
    others = {sound, *syllables.get(sound, ()), *filter(None, map(syllables_by_parts().get, parts))}
    return {other: cost for other in others if (cost := syllable_distance(sound, other)) < 1.0}


@cache
def syllables_by_parts() -> Mapping[tuple[str, str], str]:
    """The syllables of Mandarin by initial and final."""
    return {split_syllable(sound): sound for sound in syllable_bits()}


def insertion_costs(units: tuple[str, ...], sounds: tuple[str, ...]) -> tuple[float, ...]:
    """The cost of each unit of an utterance as an insertion. Fillers and particles cost little, half a filler more."""
    figures = parameters()
    written = [unit in figures.fillers for unit in units]
    sounded = [(sound,) in figures.filler_sounds for sound in sounds]
    half = [False] * len(units)
    for at in range(len(units) - 1):
        if units[at] in figures.filler_starts or units[at + 1] in figures.filler_ends:
            half[at] = half[at + 1] = True
        if units[at] + units[at + 1] in figures.fillers:
            written[at] = written[at + 1] = True
        elif sounds[at : at + 2] in figures.filler_sounds:
            sounded[at] = sounded[at + 1] = True
    filler, part, other = figures.filler_insertion, figures.half_filler_insertion, figures.insertion
    flags = zip(written, sounded, half, strict=True)
    return tuple(
        filler if exact else 2 * filler if alike else part if partial else other for exact, alike, partial in flags
    )
