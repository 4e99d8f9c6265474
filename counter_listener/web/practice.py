"""What a phrase set finds in an answer that somebody practises, and a better way to say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from counter_listener.domain import MatchedUtterance, PhraseSet
from counter_listener.judging import counted_findings, load_matcher, typed_utterance
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.web.dialogues import Turn

SYNTAX: Final = re.compile(r"[][(){}<>|;]")
"""What a template has and a plain sentence has not."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something of the phrase set."""

    id: str
    title: str
    ways: tuple[str, ...] = ()
    """Sentences of the phrase set with which it is said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is in an answer."""

    heard: str
    expected: tuple[tuple[Named, bool], ...]
    """Each with whether it was found."""
    more: tuple[Named, ...]
    """Other phrases that were found."""
    words: tuple[Named, ...]
    """Courtesy words."""
    forbidden: tuple[Named, ...]
    broken: tuple[Named, ...]
    unknown: tuple[str, ...]
    """What the dialogue expects and the phrase set does not have."""

    @property
    def missing(self) -> list[Named]:
        """What was expected and not found."""
        return [named for named, found in self.expected if not found]

    @property
    def is_right(self) -> bool:
        """Whether everything expected is there, and nothing is wrong."""
        return not (self.missing or self.forbidden or self.broken)


def judge_answer(file: Path, turn: Turn, text: str) -> Answer:
    """What the phrase set in a file finds in the answer to a line. For the worker, which keeps the phrase set."""
    matcher = loaded(file)
    utterance = typed_utterance(text, "clerk")
    found = list(counted_findings(MatchedUtterance(utterance, find_in_utterance(matcher, utterance), 0)))
    phrases = {hit.owner for kind, hit in found if kind == "phrase"}
    known = matcher.phrases.titles()
    return Answer(
        heard=text,
        expected=tuple((_named(matcher.phrases, id_), id_ in phrases) for id_ in turn.expect if id_ in known),
        more=_all_named(matcher.phrases, (id_ for id_ in phrases if id_ not in turn.expect)),
        words=_all_named(matcher.phrases, (hit.owner for kind, hit in found if kind == "word")),
        forbidden=_all_named(
            matcher.phrases, (hit.owner for kind, hit in found if kind == "offence" and not hit.frame)
        ),
        broken=_all_named(matcher.phrases, (hit.owner for _, hit in found if hit.followed is False and not hit.frame)),
        unknown=tuple(id_ for id_ in turn.expect if id_ not in known),
    )


def prepare(file: Path) -> None:
    """Loads a phrase set before the first answer. For the worker."""
    loaded(file)


@lru_cache(maxsize=1)
def loaded(file: Path) -> Matcher:
    """The matcher of the phrase set in a file. Raises PhraseSetError."""
    return load_matcher(str(file), proven=False)[0]


def _all_named(phrases: PhraseSet, ids: Iterable[str]) -> tuple[Named, ...]:
    return tuple(_named(phrases, id_) for id_ in dict.fromkeys(ids))


def _named(phrases: PhraseSet, id_: str) -> Named:
    words = {word.id: word.name for word in phrases.word}
    return Named(id_, {**words, **phrases.titles()}.get(id_, id_), tuple(ways_to_say(phrases, id_)))


def ways_to_say(phrases: PhraseSet, id_: str, most: int = 2) -> Iterator[str]:
    """Plain sentences with which a phrase is said: of its examples, which are whole sentences, or of its templates."""
    examples = [
        heard for each in phrases.example if each.expect == (id_,) and not each.fails for heard in each.sentences[:1]
    ]
    plain = [
        text for phrase, _ in phrases.phrases() if phrase.id == id_ for text in phrase.say if not SYNTAX.search(text)
    ]
    yield from list(dict.fromkeys([*plain, *examples]))[:most]
