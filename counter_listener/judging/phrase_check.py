"""Loads a phrase set and checks it: its own examples must hold, and each of its templates must be found."""

import gc
import random
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from counter_listener.domain import (
    Forbidden,
    MatchedUtterance,
    Phrase,
    PhraseSetError,
    Sentence,
    Speaker,
    Utterance,
    Word,
    bundled_folder,
    sentence,
)
from counter_listener.judging.counted import counted_findings
from counter_listener.matching import Matcher, find_in_utterance, prepare_matcher
from counter_listener.phrases import find_phrase_set, read_phrase_set, template_reader

SECONDS_PER_UNIT: Final = 0.25
"""The usual length of a Chinese syllable in plain speech."""
DRAWN: Final = 3
"""Sentences of a template that are tried."""
UNIT: Final = re.compile(r"(?:[A-Za-z0-9']+|[^\sA-Za-z0-9'])[，。！？；：、,.!?;:]*")


def load_matcher(name: str, *, proven: bool = True, beside: Path | None = None) -> tuple[Matcher, str]:
    """The matcher of a phrase set, given by name or file, and the SHA-256 of the file.

    A set of this name that was put in force on the pages of the record `beside` comes first. Raises PhraseSetError; if
    `proven`, also for an example that fails, unless the set ships with the program.
    """
    path = find_phrase_set(name, beside)
    was_enabled = gc.isenabled()
    gc.disable()  # almost all new objects stay, and each collection would visit them again
    try:
        phrases, digest = read_phrase_set(path)
        matcher = prepare_matcher(phrases)
    finally:
        if was_enabled:
            gc.enable()
    bundled = path.parent == bundled_folder("phrase_sets")  # those are proven by the project's tests
    for failure in failing_examples(matcher) if proven and not bundled else ():
        raise PhraseSetError("{path}: {failure}", path=path, failure=failure)
    return matcher, digest


def typed_utterance(text: str, speaker: Speaker = "unknown") -> Utterance:
    """A typed sentence as an utterance that starts at second 0, with syllables of equal length."""
    words, at = [], 0.0
    for unit in UNIT.findall(text):
        words.append(Word(unit, at, at + SECONDS_PER_UNIT))
        at += SECONDS_PER_UNIT
    return Utterance(0.0, at, tuple(words), speaker)


def failing_examples(matcher: Matcher) -> Iterator[Sentence]:
    """The faults of a phrase set's examples: examples that fail, and known failures that pass."""
    for example in matcher.phrases.example:
        for heard in example.sentences:
            utterance = typed_utterance(heard, example.speaker)
            findings = counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance), 0))
            found = {hit.owner for kind, hit in findings if kind != "word" and not hit.followed and not hit.frame}
            expected = set(example.expect)
            if example.fails and found == expected:
                yield sentence("the example {example!r} passes now; remove its 'fails'.", example=heard)
            elif not example.fails and found != expected:
                yield _difference(heard, ", ".join(sorted(expected - found)), ", ".join(sorted(found - expected)))


def _difference(example: str, missing: str, surplus: str) -> Sentence:
    values = {"example": example, "lacking": missing, "surplus": surplus}
    if not surplus:
        return sentence(
            "the example {example!r} fails: {lacking} was not found; correct the example or the wordings.", **values
        )
    if not missing:
        return sentence(
            "the example {example!r} fails: {surplus} was found; correct the example or the wordings.", **values
        )
    return sentence(
        "the example {example!r} fails: {lacking} was not found and {surplus} was found; correct the example or the"
        " wordings.",
        **values,
    )


def unmatched_templates(matcher: Matcher, only: Collection[str] | None = None) -> Iterator[Sentence]:
    """The templates of owed and forbidden phrases with a sentence that is not found as their own phrase.

    `only` names the ids to try; None is all.
    """
    read = template_reader(matcher.phrases).read
    entries: list[tuple[Phrase | Forbidden, str]] = [(phrase, "phrases") for phrase, _ in matcher.phrases.phrases()]
    entries += [(offence, "offences") for offence in matcher.phrases.forbidden]
    for entry, kind in entries:
        if only is not None and entry.id not in only:
            continue
        for text in (*entry.say, *entry.shared):
            template = read(text)
            if template.says_the_opposite:
                yield sentence(
                    "the template {template!r} of {owner!r} also says the opposite.", template=text, owner=entry.id
                )
            rng = random.Random(text)  # noqa: S311 - reproducible draws, not secrets
            for spelled in dict.fromkeys(template.draw(rng) for _ in range(min(DRAWN, template.sentences))):
                owners = [hit.owner for hit in getattr(find_in_utterance(matcher, typed_utterance(spelled)), kind)]
                if entry.id not in owners:
                    yield sentence(
                        "the template {template!r} of {owner!r} spells {spelled!r}, which is heard as {others}.",
                        template=text,
                        owner=entry.id,
                        spelled=spelled,
                        others=", ".join(owners) or sentence("nothing"),
                    )
                    break
