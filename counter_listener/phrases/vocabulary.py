"""Which wordings a speech model cannot write: Vosk never writes a word that its vocabulary does not have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from counter_listener.domain import PhraseSet, _
from counter_listener.phrases.phrase_file import SLOT, iter_wordings
from counter_listener.phrases.pinyin import split_units, text_syllables

HEARD_KEYS: Final = ("say", "shared", "when", "need", "unless")
"""Keys whose wordings are searched in what was recognised."""

Units = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnspellableWording:
    """A wording that no sequence of words of a vocabulary spells."""

    owner: str
    """Id of the phrase, offence, rule or scenario."""
    wording: str
    lacking: Literal["characters", "sounds"]
    """`characters`: only words with the same sound can stand for it. `sounds`: not even those; it is never heard."""
    missing: Units
    """The units (or syllables) at which no word of the vocabulary continues."""


def unspellable_wordings(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[UnspellableWording]:
    """Each wording, once for each owner, that no sequence of words of the vocabulary spells."""
    by_character = {split_units(word) for word in vocabulary}
    by_sound = {text_syllables(word) for word in vocabulary}
    longest = max(map(len, by_character | by_sound), default=0)
    heard = ((owner, words) for kind, owner, words in iter_wordings(phrases) if kind.partition(".")[2] in HEARD_KEYS)
    for owner, wording in dict.fromkeys(heard):
        pieces = [piece for piece in SLOT.split(wording)[::2] if split_units(piece)]
        characters = unspellable_units([split_units(piece) for piece in pieces], by_character, longest)
        sounds = unspellable_units([text_syllables(piece) for piece in pieces], by_sound, longest)
        if sounds:
            yield UnspellableWording(owner, wording, "sounds", sounds)
        elif characters:
            yield UnspellableWording(owner, wording, "characters", characters)


def vocabulary_report(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[str]:
    """A line of text for each unspellable wording, and a summary at the end."""
    never = 0
    for found in unspellable_wordings(phrases, vocabulary):
        never += found.lacking == "sounds"
        how = _("never heard") if found.lacking == "sounds" else _("heard by words that sound alike")
        missing = _("no word for {units}").format(units=" ".join(found.missing))
        yield f"{found.owner:24} {found.wording}{_(': ')}{how} ({missing})"
    text = _("{count} words in the model; {never} wordings can never be heard.")
    yield text.format(count=len(vocabulary), never=never)


def unspellable_units(pieces: list[Units], words: set[Units], longest: int) -> Units:
    """The unit of each piece at which its spelling cannot continue, in order; empty if all pieces can be spelt.

    `longest` is the number of units in the longest word.
    """
    missing: list[str] = []
    for piece in pieces:
        reached = {0}
        for start in range(len(piece)):
            if start in reached:
                ends = range(start + 1, min(start + longest, len(piece)) + 1)
                reached |= {end for end in ends if piece[start:end] in words}
        last = max(reached)
        missing += piece[last : last + 1]
    return tuple(missing)
