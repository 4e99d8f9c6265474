"""What else is said in a recording by the phrase set itself: stretches that one of its templates spells to the letter.

The labels of a set come from listed sentences, which do not change when the phrase set does. A template may spell more:
the other speech of a visit, or a part of another phrase. Whoever finds that has heard well, so it is no false alarm.
Nobody owed it, so it need not be found. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from counter_listener.domain import PhraseSet
from counter_listener.evaluation import LabelledPhrase
from counter_listener.phrases import Template, split_units, template_reader
from models.build.measuring.labelled_sets import LabelledRecording

Times = Sequence[tuple[float, float]]
"""Start and end of each character, in seconds into the recording."""


class Spelling(NamedTuple):
    """A template and whose it is."""

    owner: str
    """Id of a phrase or an offence."""
    template: Template


def spellings(phrases: PhraseSet) -> tuple[Spelling, ...]:
    """All templates of phrases and offences that have a syllable of their own."""
    read = template_reader(phrases).read
    owners = (*(phrase for phrase, _ in phrases.phrases()), *phrases.forbidden)
    found = (Spelling(owner.id, read(text)) for owner in owners for text in (*owner.say, *owner.shared))
    return tuple(one for one in found if one.template.min_units)


def with_spelled(recording: LabelledRecording, known: Iterable[Spelling]) -> LabelledRecording:
    """The recording with an optional label for each stretch that a template spells, in a line or across lines.

    Where its phrase is labelled already, that label stands.
    """
    text = "".join(line.text for line in recording.lines)
    times = [span for line in recording.lines for span in line.characters]
    labelled = recording.label.phrases
    added = {
        phrase
        for phrase in spelled_phrases(text, times, known)
        if not any(one.id == phrase.id and one.start < phrase.end and phrase.start < one.end for one in labelled)
    }
    ordered = sorted((*labelled, *added), key=lambda phrase: (phrase.start, phrase.end, phrase.id))
    return replace(recording, label=replace(recording.label, phrases=tuple(ordered)))


def spelled_phrases(text: str, times: Times, known: Iterable[Spelling]) -> Iterator[LabelledPhrase]:
    """Of each place where a template begins, its longest sentence there, as an optional label."""
    units = tuple(next(iter(split_units(character)), character) for character in text)  # a word in letters has many
    for owner, template in known:
        for first, last in template.stretches(units):
            yield LabelledPhrase(owner, times[first][0], times[last - 1][1], optional=True)
