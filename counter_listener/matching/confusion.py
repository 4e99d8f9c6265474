"""How far apart two syllables are, and what else the matcher weighs: the figures of confusions.toml, ready for use."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from counter_listener.phrases import pronounce, split_units

TABLE: Final = Path(__file__).with_name("confusions.toml")
INITIALS: Final = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
LETTERS: Final = 9.0
"""Bits of a word in letters."""


@dataclass(frozen=True, slots=True)
class AcceptanceThreshold:
    """What a hit must reach, for one kind of wording."""

    bits: float
    """Least evidence: 2^-bits is about how often chance alone brings as much, at any place."""
    share: float
    """Most that may differ, as a share of the wording's syllables, 0-1."""
    garbled: float = 0.0
    """As much more for each syllable that is written as another of its sound, or of a near one."""
    garbled_most: int = 0
    """For so many of them at most."""
    least: float = 0.0
    """Syllables that may differ in any wording of `least_from`, whatever its share."""
    least_from: int = 4
    """Syllables of a wording from which it is forgiven `added`, `alone` and `spare` as well; a shorter one is not."""
    added: float = 1.0
    """What part of its cost a syllable has that is put into a wording of `least_from`, in the midst of a clause."""
    alone: float = 0.0
    """As much more may differ where the wording is all of its clause, as a share of its syllables."""
    alone_least: float = 0.0
    """Syllables that may differ there whatever the share."""
    spare: float = 0.0
    """As many syllables more for each bit of evidence that is left above `spare_from`."""
    spare_from: float = 0.0
    spare_most: float = 0.0
    """So much for it at most, as a share of the wording's syllables."""
    goes_on: float = 0.0
    """Bits that each side takes away on which its clause goes on, where not every character agrees."""
    doubt: float = 2.0
    """How much it matters how sure the recogniser was: the power to which that is raised."""


@dataclass(frozen=True, slots=True)
class MatchParameters:
    """The table, as far as it is not about pairs of sounds."""

    pause_inside: float
    """More for an added syllable where speech stops inside the wording."""
    dear: float
    """Cost from which two syllables have nothing in common."""
    added: float
    added_cheap: float
    added_half: float
    """Where one syllable of a filler of two was heard, for either."""
    lost: float
    lost_cheap: float
    lost_from: int
    """Syllables of a wording from which its light ones are cheap to lose."""
    edge: float
    """More for a first or last syllable that is lost or quite another."""
    courtesy: float
    """More for 请 and for what stands right beside it in a short wording."""
    please: float
    """Of 请, in a wording with no other courtesy."""
    stands_there: frozenset[str]
    """Words that stand in its place of themselves."""
    takes_please: frozenset[str]
    """Characters that make a word with a 请 after them, which is no courtesy then."""
    whole: float
    """Cost up to which 请 was heard, whatever stands beside it."""
    at_a_loss: int
    """Syllables written as others from which 请 may have been lost."""
    negations: frozenset[str]
    """Characters without which a sentence says the contrary."""
    kept_words: frozenset[str]
    """Words in which such a character negates nothing."""
    persons: Mapping[str, int]
    """Characters that name a person, each with the number of whom."""
    torn_from: int
    """Syllables of an owed wording from which two neighbours may be gone amid other words."""
    ended_from: int
    """The same from which its last may be, where its clause goes on."""
    light: frozenset[str]
    fillers: frozenset[str]
    """Of one character or two."""
    filler_sounds: frozenset[tuple[str, ...]]
    filler_begins: frozenset[str]
    filler_ends: frozenset[str]
    """The first and the last characters of those of two."""
    wrong: float
    """Bits that a syllable gone wrong takes away."""
    character: float
    """Bits of a character that agrees."""
    homophone: float
    """Bits that another character of the same sound, or nearly, takes away."""
    other_word: float
    """More for such a character that makes a common word with the one beside it."""
    slot: float
    filled: float
    """Bits of what fills a slot, where all else was heard to the letter: it is explained, too."""
    pause: float
    """Bits of one side on which speech stops."""
    alone: float
    """Bits of both."""
    exact_bits: float
    swapped_from: int
    """Syllables of a wording from which one word of a speaker's may stand for another: 你 for 您."""
    lines: Mapping[str, AcceptanceThreshold]
    likely: AcceptanceThreshold
    """For owed phrases where others were just heard."""
    likely_within: float
    """Seconds after such a one."""


@cache
def confusion_table() -> dict[str, Any]:
    """The file as it stands."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def parameters() -> MatchParameters:
    """The figures that every match needs."""
    data = confusion_table()
    added, lost, line, contrary = data["added"], data["lost"], data["line"], data["contrary"]
    return MatchParameters(
        dear=data["dear"],
        pause_inside=added["pause"],
        added=added["cost"],
        added_cheap=added["cheap"],
        added_half=added["half"],
        lost=lost["cost"],
        lost_cheap=lost["cheap"],
        lost_from=lost["from"],
        edge=lost["edge"],
        courtesy=lost["courtesy"],
        please=lost["please"],
        stands_there=frozenset(lost["stands_there"]),
        takes_please=frozenset(lost["takes_please"]),
        whole=lost["whole"],
        at_a_loss=lost["at_a_loss"],
        negations=frozenset(contrary["negations"]),
        kept_words=frozenset(contrary["words"]),
        persons={one: number for number, alike in enumerate(contrary["persons"]) for one in alike},
        torn_from=lost["torn_from"],
        ended_from=lost["ended_from"],
        light=frozenset(lost["light"]),
        fillers=frozenset(added["fillers"]),
        filler_sounds=frozenset(pronounce(split_units(filler)) for filler in added["fillers"]),
        filler_begins=frozenset(filler[0] for filler in added["fillers"] if len(filler) > 1),
        filler_ends=frozenset(filler[-1] for filler in added["fillers"] if len(filler) > 1),
        wrong=line["wrong"],
        character=line["character"],
        homophone=line["homophone"],
        other_word=line["other_word"],
        slot=line["slot"],
        filled=line["filled"],
        pause=line["pause"],
        alone=line["alone"],
        exact_bits=line["exact_bits"],
        swapped_from=line["swapped_from"],
        lines={name: _line_of(kind) for name, kind in line.items() if isinstance(kind, dict) and name != "likely"},
        likely=_line_of({**line["phrase"], **line["likely"]}),
        likely_within=line["likely_within"],
    )


def _line_of(kind: Mapping[str, Any]) -> AcceptanceThreshold:
    return AcceptanceThreshold(**{name: value for name, value in kind.items() if not name.endswith("_why")})


@cache
def syllable_bits() -> dict[str, float]:
    """How much each syllable tells: -log2 of its share of speech."""
    return {sound: float(rank) for rank, listed in confusion_table()["bits"].items() for sound in listed.split()}


def information_bits(sound: str) -> float:
    """Bits of one sound; a word in letters that is no syllable has its own figure."""
    return syllable_bits().get(sound, LETTERS)


@cache
def known_syllables() -> frozenset[str]:
    """The syllables of Mandarin."""
    return frozenset(syllable_bits())


@lru_cache(maxsize=4096)
def split_syllable(sound: str) -> tuple[str, str]:
    """A toneless syllable as initial and final."""
    initial = next((one for one in INITIALS if sound.startswith(one)), "")
    return initial, sound[len(initial) :]


@cache
def confusion_costs() -> tuple[dict[frozenset[str], float], ...]:
    """What it costs to take one initial, final or syllable for another, in that order."""
    return tuple(dict(_pairs(confusion_table()[kind])) for kind in ("initial", "final", "syllable"))


def _pairs(entries: list[dict[str, Any]]) -> Iterator[tuple[frozenset[str], float]]:
    for entry in entries:
        yield from ((frozenset(pair.split("-")), entry["cost"]) for pair in entry["pairs"].split())


def syllable_distance(one: str, other: str) -> float:
    """How far apart two sounds are: 0 the same, 1 with nothing in common."""
    if one == other:
        return 0.0
    initials, finals, whole = confusion_costs()
    pair = frozenset((one, other))
    if pair in whole:
        return whole[pair]
    if not (one in known_syllables() and other in known_syllables()):
        return 1.0
    (initial, final), (initial2, final2) = split_syllable(one), split_syllable(other)
    cost = 0.0 if initial == initial2 else initials.get(frozenset((initial, initial2)), 1.0)
    cost += 0.0 if final == final2 else finals.get(frozenset((final, final2)), 1.0)
    return cost if cost < parameters().dear else 1.0


def interchangeable(one: str | None, other: str) -> bool:
    """Whether two sounds stand for each other because speakers put one word for the other: 你 for 您."""
    return frozenset((one, other)) in confusion_costs()[2]


@lru_cache(maxsize=1024)
def similar_syllables(sound: str) -> Mapping[str, float]:
    """The sounds that are taken for this one, itself among them, each with its cost."""
    if sound not in known_syllables():
        return {sound: 0.0}
    initials, finals, whole = confusable_parts()
    initial, final = split_syllable(sound)
    parted = syllables_by_parts()
    others = (
        parted[one, other]
        for one in (initial, *initials.get(initial, ()))
        for other in (final, *finals.get(final, ()))
        if (one, other) in parted
    )
    found = ((other, syllable_distance(sound, other)) for other in (*others, *whole.get(sound, ())))
    return {other: cost for other, cost in found if cost < 1.0}


@cache
def confusable_parts() -> tuple[Mapping[str, frozenset[str]], ...]:
    """With which initials, finals and syllables each is taken for, in that order."""
    found: tuple[dict[str, frozenset[str]], ...] = ({}, {}, {})
    for others, listed in zip(found, confusion_costs(), strict=True):
        for pair in listed:
            for one in pair:
                others[one] = others.get(one, frozenset()) | pair - {one}
    return found


@cache
def syllables_by_parts() -> Mapping[tuple[str, str], str]:
    """The syllables by initial and final."""
    return {split_syllable(sound): sound for sound in known_syllables()}


def insertion_costs(units: tuple[str, ...], heard: tuple[str, ...]) -> tuple[float, ...]:
    """What each unit costs where a wording does not have it: fillers and particles cost little, half a filler more."""
    told = parameters()
    cheap = [unit in told.fillers for unit in units]
    alike = [(sound,) in told.filler_sounds for sound in heard]
    half = [False] * len(units)
    for index in range(len(units) - 1):
        if units[index] in told.filler_begins or units[index + 1] in told.filler_ends:
            half[index] = half[index + 1] = True
        if units[index] + units[index + 1] in told.fillers:
            cheap[index] = cheap[index + 1] = True
        elif heard[index : index + 2] in told.filler_sounds:
            alike[index] = alike[index + 1] = True
    return tuple(
        told.added_cheap if sure else 2 * told.added_cheap if maybe else told.added_half if part else told.added
        for sure, maybe, part in zip(cheap, alike, half, strict=True)
    )
