"""A phrase set tried on sentences: its own examples, its own wordings, or whatever somebody types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from counter_listener.domain import Example, MatchedUtterance, RuleHit, Sentence, Speaker, Utterance, Word, sentence
from counter_listener.judging.visit import counted_findings
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.phrases import SLOT

SECONDS_A_UNIT: Final = 0.25
"""About how long a Chinese syllable takes in plain speech."""
PIECE: Final = re.compile(r"(?:[A-Za-z0-9']+|[^\sA-Za-z0-9'])[，。！？；：、,.!?;:]*")
FILLER: Final = "某某某某某某某某"
"""Stands in a slot when a wording is tried."""


def typed_utterance(text: str, speaker: Speaker = "unknown") -> Utterance:
    """A typed sentence as if it had been heard, at an even pace from second 0."""
    words, at = [], 0.0
    for piece in PIECE.findall(text):
        words.append(Word(piece, at, at + SECONDS_A_UNIT))
        at += SECONDS_A_UNIT
    return Utterance(0.0, at, tuple(words), speaker)


def find_ids(matcher: Matcher, text: str, speaker: Speaker = "unknown") -> set[str]:
    """Ids of the phrases heard, offences, rules broken and scenarios begun in a sentence."""
    utterance = typed_utterance(text, speaker)
    found = counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance), 0))
    return {one.owner for kind, one in found if kind != "word" and not (isinstance(one, RuleHit) and one.kept)}


def failing_examples(matcher: Matcher) -> Iterator[Sentence]:
    """What is wrong with a phrase set's examples: those that fail, and known failures that do not."""
    for example in matcher.phrases.example:
        found, expected = find_ids(matcher, example.heard, example.speaker), set(example.expect)
        if example.fails and found == expected:
            yield sentence("the example {example!r} passes now; take its 'fails' away.", example=example.heard)
        elif not example.fails and found != expected:
            yield _difference(example, found)


def _difference(example: Example, found: set[str]) -> Sentence:
    expected = set(example.expect)
    lacking, surplus = sorted(expected - found), sorted(found - expected)
    values = {"example": example.heard, "lacking": ", ".join(lacking), "surplus": ", ".join(surplus)}
    if not surplus:
        return sentence(
            "the example {example!r} fails: {lacking} was not found; mend the example or the wordings.", **values
        )
    if not lacking:
        return sentence(
            "the example {example!r} fails: {surplus} was found; mend the example or the wordings.", **values
        )
    return sentence(
        "the example {example!r} fails: {lacking} was not found and {surplus} was found; mend the example or the"
        " wordings.",
        **values,
    )


def unmatched_wordings(matcher: Matcher) -> Iterator[Sentence]:
    """Each owed or forbidden wording that, said word for word, is not heard as its own phrase."""
    for phrase, _ in matcher.phrases.phrases():
        yield from _misheard(matcher, phrase.id, (*phrase.say, *phrase.shared), "phrases")
    for offence in matcher.phrases.forbidden:
        yield from _misheard(matcher, offence.id, (*offence.say, *offence.shared), "offences")


def _misheard(matcher: Matcher, owner: str, wordings: tuple[str, ...], kind: str) -> Iterator[Sentence]:
    for wording in wordings:
        said = SLOT.sub(lambda slot: FILLER[: matcher.phrases.slots[slot[1]].min], wording)
        hits = getattr(find_in_utterance(matcher, typed_utterance(said)), kind)
        if owner not in {hit.owner for hit in hits}:
            others = ", ".join(hit.owner for hit in hits) or sentence("nothing")
            yield sentence(
                "the wording {wording!r} of {owner!r} is heard as {others}.",
                wording=wording,
                owner=owner,
                others=others,
            )
