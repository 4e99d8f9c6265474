"""What another phrase set would change in the visits of a record: verdicts, scores, the pass rate. Records nothing.

Recordings whose transcript is stored are judged again. Of the others only the hits are left: requirements, weights and
penalties are applied to them, and the words of a hit are searched again; what a new wording would find in them nobody
can tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from counter_listener.batch.stored_transcripts import read_stored_transcript, transcripts_folder
from counter_listener.domain import Event, PhraseSet, TranscriptError
from counter_listener.judging import OtherSet, judge_hits, paired_visits, score_after, typed_utterance
from counter_listener.matching import Matcher, find_in_utterance
from counter_listener.pipeline import judge_events, with_ticks
from counter_listener.record import FoundVisit, VisitFilter, find_visits, visit_history

if TYPE_CHECKING:
    from counter_listener.record import Record

MOST_VISITS: Final = 3_000
"""The newest ones."""
MOST_AGAIN: Final = 300
"""Recordings that are judged again, the newest ones; each takes about as long as a check of its transcript."""
MOST_SHOWN: Final = 100
"""Visits that are named."""
SLOT: Final = "…"
"""Stands for what was left out of the words of a hit, which therefore cannot be searched again."""


@dataclass(frozen=True, slots=True)
class ChangedVerdict:
    """A verdict that would change."""

    kind: str
    phrase: str
    title: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangedVisit:
    """A visit that would be judged otherwise."""

    visit: str
    """Its id; empty for one that the record does not have."""
    moment: str
    counter: str | None
    before: float | None
    """Score."""
    after: float | None
    passed_before: bool | None
    passed_after: bool | None
    changes: tuple[ChangedVerdict, ...]


@dataclass(slots=True)
class Figures:
    """The figures of the visits, with one phrase set."""

    scored: int = 0
    passed: int = 0
    points: float = 0.0

    @property
    def pass_rate(self) -> float | None:
        """0-1; None without scores."""
        return self.passed / self.scored if self.scored else None

    @property
    def mean(self) -> float | None:
        """Of the scores."""
        return self.points / self.scored if self.scored else None

    def add(self, score: float | None, *, passed: bool | None) -> None:
        """Counts a visit."""
        if score is not None:
            self.scored += 1
            self.points += score
            self.passed += bool(passed)


@dataclass(slots=True)
class Estimate:
    """What would change."""

    visits: int = 0
    judged_again: int = 0
    """Visits whose words are stored."""
    from_hits: int = 0
    left_out: int = 0
    """Visits beyond what is looked at."""
    before: Figures = field(default_factory=Figures)
    after: Figures = field(default_factory=Figures)
    changed: list[ChangedVisit] = field(default_factory=list)
    """Those that change most first."""
    changed_count: int = 0
    phrases: list[tuple[ChangedVerdict, int]] = field(default_factory=list)
    """Each kind of change with the number of times, the most frequent first."""


def estimate_change(record: Record, matcher: Matcher, old: PhraseSet, since: datetime) -> Estimate:
    """What the phrase set of `matcher` would change in the visits since a time; `old` is the one that is in force."""
    page = record.query(partial(find_visits, wanted=VisitFilter(since=since, outcome="service"), count=MOST_VISITS))
    visits = [found for found in page.visits if found.phrases in (old.name, matcher.phrases.name)]
    estimate = Estimate(visits=len(visits), left_out=page.total - len(page.visits))
    stored = _Stored(record, matcher)
    other = other_set(matcher, old)
    counts: Counter[ChangedVerdict] = Counter()
    for found in visits:
        pair = stored.visit(found)
        if pair is not None:
            estimate.judged_again += 1
        else:
            estimate.from_hits += 1
            before = record.query(partial(visit_history, visit=found.visit)).events
            pair = before, judge_hits(before, other)
        _count(estimate, counts, found, pair, matcher.phrases)
    estimate.changed.sort(key=_weight)
    estimate.changed = estimate.changed[:MOST_SHOWN]
    estimate.phrases = counts.most_common()
    return estimate


Pair = tuple[Mapping[str, Event], Mapping[str, Event]]
"""The events of a visit before and after, by a name of their own."""


def _count(
    estimate: Estimate, counts: Counter[ChangedVerdict], found: FoundVisit, pair: Pair, phrases: PhraseSet
) -> None:
    after = score_after(dict(pair[1]), (), phrases)
    estimate.before.add(found.score, passed=found.passed)
    estimate.after.add(after.score, passed=after.passed)
    changes = tuple(changed_verdicts(*pair))
    counts.update(changes)
    if changes or found.score != after.score or found.passed != after.passed:
        estimate.changed_count += 1
        estimate.changed.append(
            ChangedVisit(
                found.visit, found.moment, found.counter, found.score, after.score, found.passed, after.passed, changes
            )
        )


def _weight(one: ChangedVisit) -> tuple[bool, float, int]:
    """Sorts by whether passing changes, then by the points, then by the number of verdicts."""
    points = abs((one.after or 0.0) - (one.before or 0.0))
    return one.passed_before == one.passed_after, -points, -len(one.changes)


def changed_verdicts(before: Mapping[str, Event], after: Mapping[str, Event]) -> Iterator[ChangedVerdict]:
    """The verdicts that differ, each thing once. Recommended phrases and courtesy words count only if they are owed."""
    old, new = _verdicts(before), _verdicts(after)
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        if (was and was.verdict) != (now and now.verdict):
            shown = now or was
            title = str(shown.detail.get("title", key[1])) if shown else key[1]
            yield ChangedVerdict(*key, title, was.verdict if was else None, now.verdict if now else None)


def _verdicts(events: Mapping[str, Event]) -> dict[tuple[str, str], Event]:
    return {
        (event.kind, event.phrase): event
        for event in events.values()
        if event.verdict and event.phrase and not event.detail.get("courtesy_word")
    }


class _Stored:
    """Recordings with a stored transcript, each judged again once."""

    def __init__(self, record: Record, matcher: Matcher) -> None:
        self._record, self._matcher = record, matcher
        self._folder = transcripts_folder(record.path)
        self._judged: dict[str, dict[str, Pair]] = {}

    def visit(self, found: FoundVisit) -> Pair | None:
        """The events of a visit before and after; None if its words are not stored."""
        if found.source not in self._judged:
            if len(self._judged) >= MOST_AGAIN or not (self._folder / f"{found.source}.jsonl").is_file():
                return None
            self._judged[found.source] = self._again(found.source)
        return self._judged[found.source].get(found.visit)

    def _again(self, source: str) -> dict[str, Pair]:
        try:
            transcript = read_stored_transcript(self._folder / f"{source}.jsonl")
        except TranscriptError:
            return {}
        judgement = self._record.latest_judgement(source)
        if judgement is None:
            return {}
        one_visit = bool(transcript.options.get("one_visit"))
        items = with_ticks(transcript.items, transcript.seconds)
        after = list(judge_events(items, self._matcher, one_visit=one_visit))
        pairs = paired_visits(self._record.events(judgement.stream), after)
        return {
            f"{judgement.stream}-{old.number}": (_named(old.events), _named(new.events if new else ()))
            for _, old, new in pairs
            if old is not None
        }


def _named(events: tuple[Event, ...]) -> dict[str, Event]:
    return {str(number): event for number, event in enumerate(events)}


def other_set(matcher: Matcher, old: PhraseSet) -> OtherSet:
    """The phrase set of a matcher, as another than `old`."""
    known = {phrase.id for phrase, _ in old.phrases()}
    return OtherSet(matcher.phrases, known, _still_heard(matcher, old))


def _still_heard(matcher: Matcher, old: PhraseSet) -> Callable[[Event], bool]:
    new = matcher.phrases
    shared = (old.lists, old.rules, old.slots) == (new.lists, new.rules, new.slots)
    before = _wordings(old)
    same = {name for name, one in _wordings(new).items() if shared and before.get(name) == one}
    found: dict[tuple[str, str], bool] = {}

    def still_heard(event: Event) -> bool:
        name, heard = event.phrase or "", event.heard or ""
        if name in same or not heard or SLOT in heard:
            return True
        if (name, heard) not in found:
            findings = find_in_utterance(matcher, typed_utterance(heard, "clerk"))
            hits = (*findings.phrases, *findings.offences, *findings.rules, *findings.words)
            found[name, heard] = any(hit.owner == name for hit in hits)
        return found[name, heard]

    return still_heard


def _wordings(phrases: PhraseSet) -> dict[str, tuple[object, ...]]:
    """By id: what decides where something is found."""
    owed = {one.id: (one.say, one.shared, one.not_in, one.threshold) for one, _ in phrases.phrases()}
    words = {one.id: (one.say, one.shared, one.not_in) for one in phrases.word}
    offences = {one.id: (one.say, one.shared, one.not_in, one.unless, one.threshold) for one in phrases.forbidden}
    rules = {one.id: (one.when, one.need, one.shared, one.not_in, one.unless, one.scope) for one in phrases.rule}
    return {**owed, **words, **offences, **rules}
