"""Which templates a speech model cannot write: Vosk never writes a word that its vocabulary does not have."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from counter_listener.domain import PhraseSet, _
from counter_listener.phrases.phrase_file import iter_templates
from counter_listener.phrases.pinyin import pronounce, split_units, text_syllables
from counter_listener.phrases.templates import Units, template_reader

HEARD_KEYS: Final = ("say", "shared", "when", "need", "unless")
"""Keys whose templates are searched in what was recognised."""

DRAWN: Final = 24
"""Sentences that are drawn from a template with more than these."""


@dataclass(frozen=True, slots=True)
class UnspellableTemplate:
    """A template of which no sequence of words of a vocabulary spells a sentence."""

    owner: str
    """Id of the phrase, offence, rule or scenario."""
    template: str
    lacking: Literal["characters", "sounds"]
    """`characters`: only words with the same sound can stand for it. `sounds`: not even those; it is never heard."""
    missing: Units
    """The units (or syllables) at which no word of the vocabulary continues."""


def unspellable_templates(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[UnspellableTemplate]:
    """Each template, once for each owner, of which no sentence is spelt by a sequence of words of the vocabulary.

    Of a template with many sentences some are drawn, always the same.
    """
    by_character = {split_units(word) for word in vocabulary}
    by_sound = {text_syllables(word) for word in vocabulary}
    longest = max(map(len, by_character | by_sound), default=0)
    ways: list[Spelling] = [
        lambda units: unspellable_units(map(pronounce, units), by_sound, longest),
        lambda units: unspellable_units(units, by_character, longest),
    ]
    heard = ((owner, text) for kind, owner, text in iter_templates(phrases) if kind.partition(".")[2] in HEARD_KEYS)
    read = template_reader(phrases).read
    for owner, text in dict.fromkeys(heard):
        rng = random.Random(text)  # noqa: S311 - reproducible draws, not secrets
        template = read(text)
        sounds, characters = _missing((template.draw(rng, fill="，") for _ in range(DRAWN)), ways)
        if sounds:
            yield UnspellableTemplate(owner, text, "sounds", sounds)
        elif characters:
            yield UnspellableTemplate(owner, text, "characters", characters)


Spelling = Callable[[list[Units]], Units]
"""The units of a sentence, in pieces, that cannot be spelt in one way."""


def _missing(sentences: Iterable[str], ways: list[Spelling]) -> list[Units]:
    """For each way of spelling what the first sentence lacks; nothing as soon as any sentence can be spelt."""
    missing: list[Units | None] = [None] * len(ways)
    tried: set[str] = set()
    for sentence in sentences:
        if sentence in tried:
            continue
        tried.add(sentence)
        pieces = [split_units(piece) for piece in sentence.split("，")]
        for number, spelling in enumerate(ways):
            if missing[number] != ():
                lacking = spelling(pieces)
                missing[number] = lacking and (missing[number] or lacking)
        if not any(missing):
            break
    return [each or () for each in missing]


def vocabulary_report(phrases: PhraseSet, vocabulary: frozenset[str]) -> Iterator[str]:
    """A line of text for each unspellable template, and a summary at the end."""
    never = 0
    for found in unspellable_templates(phrases, vocabulary):
        never += found.lacking == "sounds"
        how = _("never heard") if found.lacking == "sounds" else _("heard by words that sound alike")
        missing = _("no word for {units}").format(units=" ".join(found.missing))
        yield f"{found.owner:24} {found.template}{_(': ')}{how} ({missing})"
    text = _("{count} words in the model; {never} wordings can never be heard.")
    yield text.format(count=len(vocabulary), never=never)


def unspellable_units(pieces: Iterable[Units], words: set[Units], longest: int) -> Units:
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
