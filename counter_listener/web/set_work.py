"""What the worker does with phrase sets: proves a change, tries a sentence, judges visits again."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from counter_listener.batch import Estimate, estimate_change
from counter_listener.domain import MatchedUtterance, PhraseSet, PhraseSetError, Sentence, Speaker, Utterance
from counter_listener.phrases import checked_set, edited

if TYPE_CHECKING:
    from counter_listener.matching import Matcher

MOST_FAULTS: Final = 20
"""That are told at once."""
MOST_CLOSEST: Final = 3
"""Entries that are explained for a sentence in which nothing is found."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A changed phrase set."""

    text: str
    faults: tuple[Sentence, ...]
    """As `phrases check` tells them; a set that has any is not saved."""


def prove(text: str, table: dict[str, Any], changed: Collection[str]) -> Proven:
    """The text with the changes that make it hold `table`, and the faults of that set.

    Its format is checked, all examples, and the templates of the entries that were changed.
    """
    from counter_listener.judging import failing_examples, unmatched_templates
    from counter_listener.matching import prepare_matcher

    try:
        new = edited(text, table)
        matcher = prepare_matcher(checked_set(tomllib.loads(new), Path()))
    except PhraseSetError as error:
        return Proven(text, (_without_path(error),))
    faults = [*islice(failing_examples(matcher), MOST_FAULTS), *unmatched_templates(matcher, changed)]
    return Proven(new, tuple(faults[:MOST_FAULTS]))


def _without_path(error: PhraseSetError) -> Sentence:
    """What is wrong, without the name of a file that the reader does not know."""
    values = error.sentence.values
    inner = values.get("fault") or values.get("explain")
    return inner if isinstance(inner, Sentence) else error.sentence


@dataclass(frozen=True, slots=True)
class Found:
    """What a phrase set finds in a sentence."""

    kind: str
    """`phrase`, `word`, `offence`, `rule`, `trigger`."""
    phrase: str
    title: str
    heard: str
    score: float
    """Closeness in sound, 0-100."""
    followed: bool | None
    shared: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """A sentence that was tried."""

    found: tuple[Found, ...]
    explained: tuple[dict[str, Any], ...]
    """Explanations of what was found, or of what is closest if nothing was; the fields of judging.Explanation."""


def try_sentence(path: Path, digest: str, said: str | Sequence[Utterance], speaker: Speaker) -> Tried:
    """What the phrase set in a file finds in a typed sentence, or in what was recognised. Raises PhraseSetError."""
    from counter_listener.judging import counted_findings, explain, typed_utterance
    from counter_listener.pipeline import analyse, with_ticks

    matcher = _matcher(path, digest)
    utterances = [typed_utterance(said)] if isinstance(said, str) else list(said)
    items = [replace(one, speaker=speaker) for one in utterances if one.words]
    matched, events = analyse(with_ticks(items), matcher, one_visit=True)
    named = _names(matcher.phrases)
    hits = [hit for one in matched if isinstance(one, MatchedUtterance) for hit in counted_findings(one)]
    found = [
        Found(kind, hit.owner, named.get(hit.owner, hit.owner), hit.heard, hit.score, hit.followed, hit.shared)
        for kind, hit in hits
    ]
    explainable = matcher.phrases.titles()
    ids = [one for one in dict.fromkeys(one.phrase for one in found) if one in explainable]
    asked = ids if found else _closest(matcher, items, set(explainable))
    explained = [each for one in asked for each in explain(matched, events, matcher, phrase=one)]
    return Tried(tuple(found), tuple(asdict(one) for one in explained))


def _closest(matcher: Matcher, utterances: Sequence[Utterance], known: Collection[str]) -> list[str]:
    """The ids of what comes closest to the utterances, the most probable first."""
    from counter_listener.matching import search_candidates, to_syllables

    pause = matcher.phrases.hearing.clause_pause
    near = [one for each in utterances for one in search_candidates(matcher, to_syllables(each, pause))]
    ranked = sorted(near, key=lambda one: -one.posterior)
    return list(dict.fromkeys(one.owner for one in ranked if one.owner in known))[:MOST_CLOSEST]


def _names(phrases: PhraseSet) -> dict[str, str]:
    words = {word.id: word.name for word in phrases.word}
    return {**words, **{one.id: one.title for one in phrases.scenario}, **phrases.titles()}


@lru_cache(maxsize=2)
def _matcher(path: Path, _digest: str) -> Matcher:
    from counter_listener.judging import load_matcher

    return load_matcher(str(path), proven=False)[0]


def judge_again(record: str, draft: tuple[Path, str], old: tuple[Path, str], since: datetime) -> Estimate:
    """What the visits since a time would be with the phrase set in a file instead of another.

    Each file is given with its digest. Raises PhraseSetError, RecordError.
    """
    from counter_listener.record import open_record

    with open_record(record) as opened:
        return estimate_change(opened, _matcher(*draft), _matcher(*old).phrases, since)
