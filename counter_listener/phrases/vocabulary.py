"""Which wordings a model can write at all: Vosk never hears a word that its vocabulary does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from counter_listener.domain import PhraseSet, _
from counter_listener.phrases.phrase_file import SLOT, iter_wordings
from counter_listener.phrases.pinyin import split_units, text_syllables

HEARD_KEYS: Final = ("say", "shared", "when", "need", "unless")

Units = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnspellableWording:
    """A wording that a vocabulary cannot spell."""

    owner: str
    """Id of the phrase, offence, rule or scenario."""
    wording: str
    lacking: Literal["characters", "sounds"]
    """`characters`: only words of the same sound can stand for it. `sounds`: nothing can, it is never heard."""
    missing: Units
    """The units (or syllables) at which no word of the vocabulary can go on."""


def unspellable_wordings(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[UnspellableWording]:
    """Each wording, once for each owner, that no row of the vocabulary's words spells."""
    by_character = {split_units(word) for word in vocabulary}
    by_sound = {text_syllables(word) for word in vocabulary}
    longest = max(map(len, by_character | by_sound), default=0)
    told: set[tuple[str, str]] = set()
    for kind, owner, wording in iter_wordings(phrases):
        if kind.partition(".")[2] not in HEARD_KEYS or (owner, wording) in told:
            continue
        told.add((owner, wording))
        pieces = [piece for piece in SLOT.split(wording)[::2] if split_units(piece)]
        characters = unspellable_units([split_units(piece) for piece in pieces], by_character, longest)
        sounds = unspellable_units([text_syllables(piece) for piece in pieces], by_sound, longest)
        if sounds:
            yield UnspellableWording(owner, wording, "sounds", sounds)
        elif characters:
            yield UnspellableWording(owner, wording, "characters", characters)


def vocabulary_report(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[str]:
    """What `unspelt` finds, in lines for people, and at the end how much it is."""
    never = 0
    for one in unspellable_wordings(phrases, vocabulary):
        never += one.lacking == "sounds"
        how = _("never heard") if one.lacking == "sounds" else _("heard by words that sound alike")
        lacking = _("no word for {units}").format(units=" ".join(one.missing))
        yield f"{one.owner:24} {one.wording}{_(': ')}{how} ({lacking})"
    text = _("{count} words in the model; {never} wordings can never be heard.")
    yield text.format(count=len(vocabulary), never=never)


def unspellable_units(pieces: list[Units], words: set[Units], longest: int) -> Units:
    """The units at which each piece cannot be spelt further, in order; empty where all can be.

    `longest` is the number of units in the longest word.
    """
    found: list[str] = []
    for piece in pieces:
        reached = {0}
        for at in range(len(piece)):
            if at in reached:
                ends = range(at + 1, min(at + longest, len(piece)) + 1)
                reached |= {end for end in ends if piece[at:end] in words}
        last = max(reached)
        found += piece[last : last + 1]
    return tuple(found)
